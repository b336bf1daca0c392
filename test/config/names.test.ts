import assert from 'node:assert/strict'
import test from 'node:test'
import { REFUSED } from '../../src/config/authelia/unsupported/index.ts'
import { slicesOf } from '../../src/config/index.ts'
import { nearest } from '../../src/config/nearest.ts'
import { house, load, SOUND } from './house.ts'

test('keys whose feature is to come are accepted and said once, at their top', async (t) => {
  const { text, warnings } = await load(t, {
    'c.yml': `${SOUND}totp:
  issuer: example.com
  allowed_digits: [6, 8]
identity_providers:
  oidc:
    clients:
      - client_id: a
        jwks: [{key_id: x}]
    lifespans: {custom: {short: {grants: {implicit: {id_token: 1h}}}}}
server:
  asset_path: /assets
  endpoints: {rate_limits: {second_factor_totp: {enable: false}}}
session_: &empty
jwt: {session_length: 1h}
auth: {mode: proxy, proxy: {header_map: {user: X-User, anything: x}}}
password_policy:
`.replace('session_: &empty\n', ''),
  })
  assert.equal(text, '')
  assert.deepEqual(warnings, [
    'c.yml:2:1 totp: has no effect yet',
    'c.yml:5:1 identity_providers: has no effect yet',
    'c.yml:6:3 identity_providers.oidc: has clients and no jwks: tokens need a key to be signed with',
    'c.yml:12:3 server.asset_path: has no effect yet',
    'c.yml:13:3 server.endpoints: has no effect yet',
    'c.yml:14:1 jwt: has no effect yet',
    'c.yml:15:1 auth: has no effect yet',
  ])
})

test('a slip inside a key without effect is a fault all the same', async (t) => {
  const { text } = await load(t, {
    'c.yml': `${SOUND}totp: {isuer: x}\nidentity_providers: {oidc: {clients: [{client_id: a, scope: x}]}}\n`,
  })
  assert.deepEqual(text.split('\n'), [
    'c.yml:2:8 totp.isuer: unknown key; did you mean totp.issuer?',
    'c.yml:3:54 identity_providers.oidc.clients[0].scope: unknown key; did you mean identity_providers.oidc.clients[0].scopes?',
  ])
})

for (const [path, reason] of Object.entries(REFUSED)) {
  test(`a start with ${path} is refused, with the reason`, async (t) => {
    const keys = path.split('.')
    const body = `${keys.map((key, i) => `${'  '.repeat(i)}${key}:`).join('\n')} {tls: {server_name: x}, anything: [5]}\n`
    const top = keys[0] === 'session' ? `  cookies: [{domain: x}]\n  secret: s\n` : ''
    const { text } = await load(t, { 'c.yml': `${top === '' ? SOUND : ''}${body}${top}` })
    assert.match(text, new RegExp(`^c\\.yml:\\d+:\\d+ ${path.replaceAll('.', '\\.')}: `))
    assert.ok(text.includes(reason))
    for (const nothing of ['', " {tls: {server_name: ''}, key: '', servers: []}"]) {
      const empty = `${keys.map((key, i) => `${'  '.repeat(i)}${key}:`).join('\n')}${nothing}\n`
      const without = await load(t, { 'c.yml': `${top === '' ? SOUND : ''}${empty}${top}` })
      assert.equal(without.text, '', 'keys without a value ask for nothing')
      assert.deepEqual(without.warnings, [])
    }
  })
}

test('authelia_url is portal_url, and faults name what was written', async (t) => {
  const cookie = (keys: string) => ({
    'c.yml': `session:\n  secret: s\n  cookies:\n    - {domain: x, ${keys}}\n`,
  })
  const { config, warnings } = await load(t, cookie('authelia_url: "https://auth.x"'))
  assert.partialDeepStrictEqual(config?.['session'], {
    cookies: [{ domain: 'x', portal_url: 'https://auth.x' }],
  })
  assert.deepEqual(warnings, [])
  const wrong = await load(t, cookie('authelia_url: 5'))
  assert.equal(
    wrong.text,
    'c.yml:4:19 session.cookies[0].authelia_url: is not a web address; found "5"; allowed: https://auth.example.com',
  )
  const both = await load(t, cookie('authelia_url: "https://a.x", portal_url: "https://b.x"'))
  assert.equal(
    both.text,
    'c.yml:4:19 session.cookies[0].authelia_url: is given together with session.cookies[0].portal_url, which means the same; keep session.cookies[0].portal_url',
  )
})

test("Authelia's old names are read as today's, with a warning", async (t) => {
  const { text, config, warnings } = await load(t, {
    'c.yml': `default_redirection_url: https://www.example.com
log_level: warn
session: {domain: example.com, secret: s, remember_me_duration: 1d}
server: {host: '::1', port: 9092, path: auth, read_buffer_size: 8192}
access_control:
  networks:
    - {name: lan, networks: [192.168.0.0/16]}
    - {name: vpn, networks: 10.8.0.0/16}
`,
  })
  assert.equal(text, '')
  assert.partialDeepStrictEqual(config, {
    log: { level: 'warn' },
    session: {
      remember_me: 86_400_000,
      cookies: [{ domain: 'example.com', default_redirection_url: 'https://www.example.com' }],
    },
    server: { address: 'tcp://[::1]:9092/auth', buffers: { read: 8192 } },
    definitions: { network: { lan: ['192.168.0.0/16'], vpn: ['10.8.0.0/16'] } },
  })
  assert.deepEqual(warnings, [
    'c.yml:1:1 default_redirection_url: is an old name; write session.cookies[0].default_redirection_url',
    'c.yml:2:1 log_level: is an old name; write log.level',
    'c.yml:3:11 session.domain: is an old name; write session.cookies',
    'c.yml:3:43 session.remember_me_duration: is an old name; write session.remember_me',
    'c.yml:4:10 server.host: is an old name; write server.address: tcp://[::1]:9092/auth',
    'c.yml:4:23 server.port: is an old name; write server.address: tcp://[::1]:9092/auth',
    'c.yml:4:35 server.path: is an old name; write server.address: tcp://[::1]:9092/auth',
    'c.yml:4:47 server.read_buffer_size: is an old name; write server.buffers.read',
    'c.yml:6:3 access_control.networks: is an old name; write definitions.network',
  ])
})

test('faults in old names are placed where they were written; both names at once are refused', async (t) => {
  const { text } = await load(t, {
    'c.yml': `log_level: loud
session: {domain: example.com, cookies: [{domain: x}]}
definitions: {network: {lan: 10.0.0.0/8}}
access_control: {networks: [{name: lan, networks: 10.0.0.0/8}, {name: vpn, networks: home}, {names: x}]}
server: {address: 'tcp://:9091', port: 5}
log: {}
`,
  })
  assert.deepEqual(text.split('\n'), [
    'c.yml:1:1 log_level: found "loud"; allowed: error, warn, info',
    'c.yml:2:11 session.domain: is given together with session.cookies, which means the same; keep session.cookies',
    'c.yml:4:41 access_control.networks[0]: is given together with definitions.network.lan, which means the same; keep definitions.network.lan',
    'c.yml:4:76 access_control.networks[1].networks: is not an IP address or a network; found "home"; allowed: 192.168.1.8, 10.0.0.0/8, fd00::/8',
    'c.yml:4:93 access_control.networks[2]: is not a named network; allowed: the keys name and networks',
    'c.yml:5:34 server.port: is given together with server.address, which means the same; keep server.address',
  ])
})

test('where a template filter was asked for, each value for it is refused with what replaces it', async (t) => {
  const text = `session:
  secret: '{{ secret "/secrets/session" }}'
  name: {{ env "COOKIE" | quote }}
  cookies:
    - domain: '{{ env "DOMAIN" }}' # {{ a comment is no value }}
`
  const asked = await load(
    t,
    { 'c.yml': text },
    { env: { X_AUTHELIA_CONFIG_FILTERS: 'expand-env,template' } },
  )
  assert.deepEqual(asked.text.split('\n'), [
    'c.yml:2:3 session.secret: template filters ({{ … }}) are not supported; allowed: the value itself, or VESTIBULE_SESSION_SECRET_FILE=/path/to/file, or VESTIBULE_SESSION_SECRET',
    'c.yml:3:3 session.name: template filters ({{ … }}) are not supported; allowed: the value itself, or the variable VESTIBULE_SESSION_NAME',
    'c.yml:5:7 session.cookies[0].domain: template filters ({{ … }}) are not supported; allowed: the value itself',
  ])
  // Unquoted it is no text, whoever asks.
  const plain = await load(t, { 'c.yml': text })
  assert.match(plain.text, /^c\.yml:3:3 session\.name: template filters [^\n]*$/)
})

test('where no filter was asked for, {{ … }} and $NAME are texts, and a warning', async (t) => {
  const value = 'server: {address: "{{ x }}"}\nlog: {level: info}\n'
  const { text, config, warnings } = await load(t, {
    'c.yml': `session: {secret: 'p{{w}}', name: $NAME, cookies: [{domain: $DOMAIN}]}\n${value}`,
  })
  assert.equal(text, '')
  assert.partialDeepStrictEqual(config, {
    server: { address: '{{ x }}' },
    session: { name: '$NAME', cookies: [{ domain: '$DOMAIN' }] },
  })
  const template = 'holds {{ … }}, and is read as it stands: template filters are not supported'
  const variable =
    'names a variable, and is read as it stands: variables in values are not replaced'
  assert.deepEqual(warnings, [
    `c.yml:1:11 session.secret: ${template}`,
    `c.yml:1:29 session.name: ${variable}`,
    `c.yml:1:53 session.cookies[0].domain: ${variable}`,
    `c.yml:2:10 server.address: ${template}`,
  ])
  // A text that its key refuses was meant to be replaced: that is what is said, and nothing else.
  const refused = await load(t, { 'c.yml': `${SOUND}log: {level: '{{ env "LEVEL" }}'}\n` })
  assert.equal(
    refused.text,
    'c.yml:2:7 log.level: template filters ({{ … }}) are not supported; allowed: the value itself, or the variable VESTIBULE_LOG_LEVEL',
  )
  // An unknown key is one, whatever it holds.
  const unknown = await load(t, { 'c.yml': `${SOUND}frobnicate: '\${NAME}'\n` })
  assert.equal(unknown.text, 'c.yml:2:1 frobnicate: unknown key')
})

test('a template that is no YAML is named, whether a filter was asked for or not', async (t) => {
  const block = await load(t, { 'c.yml': '# {{ fine }}\n{{- if true }}\nlog: {}\n{{- end }}\n' })
  assert.equal(
    block.text,
    'c.yml:2:1: template filters ({{ … }}) are not supported; allowed: the value itself, or a variable VESTIBULE_… (VESTIBULE_…_FILE for a secret)',
  )
})

test('two features that claim the same key, whole or in part, are a bug: nothing starts', () => {
  assert.throws(() => slicesOf({ a: house.http, b: house.http }), /claimed by a and by b/)
  const { config = {} } = house.http
  const inner = { config: { 'server.buffers.read': config['log'] } }
  // A schema of any kind will do.
  assert.throws(
    () => slicesOf({ a: house.http, b: inner as typeof house.http }),
    /server\.buffers\.read is claimed by a \(in server\) and by b/,
  )
})

test('the nearest name is a slip away, not a guess away', () => {
  const names = ['session', 'server', 'storage', 'access_control', 'log', 'totp', 'ntp']
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['sesion', 'session'],
    ['sessions', 'session'],
    ['sevrer', 'server'],
    ['access-control', 'access_control'],
    ['accesscontrol', 'access_control'],
    ['Log', 'log'],
    ['lgo', 'log'],
    ['tot', 'totp'],
    ['smtp', undefined],
    ['frobnicate', undefined],
    ['', undefined],
    ['x'.repeat(10_000), undefined],
  ]
  for (const [name, expected] of cases) assert.equal(nearest(name, names), expected, name)
})
