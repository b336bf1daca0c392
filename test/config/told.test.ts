/** What the loader says of configurations that it accepts, or besides their faults. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { features } from '../../src/features.ts'
import { load as loadWith } from './house.ts'

const COOKIES = `session: {cookies: [{domain: example.com, portal_url: 'https://auth.example.com'}]}\n`
const OPEN = 'access_control: {default_policy: one_factor}\n'
const load = (t: TestContext, text: string, env = {}) =>
  loadWith(t, { 'c.yml': text }, { features, env })

test('without a second factor, each rule that asks for two is named: it lets no user through', async (t) => {
  const rules = `${COOKIES}access_control:
  default_policy: two_factor
  rules:
    - {domain: a.example.com, policy: one_factor}
    - {domain: b.example.com, policy: two_factor}
    - domain: c.example.com
      policy: two_factor
`
  assert.deepEqual((await load(t, rules)).warnings, [])
  const { text, warnings } = await load(
    t,
    `${rules}totp: {disable: true}\nwebauthn: {disable: true}\n`,
  )
  assert.equal(text, '')
  const locked = 'two_factor lets no user through: every second factor is switched off'
  assert.deepEqual(warnings, [
    `c.yml:3:3 access_control.default_policy: where no rule matches, ${locked}`,
    `c.yml:6:31 access_control.rules[1].policy: ${locked}`,
    `c.yml:8:7 access_control.rules[2].policy: ${locked}`,
  ])
})

test('a 0 that is not the default, as it is in Authelia, is told', async (t) => {
  const { text, warnings } = await load(
    t,
    `session:
  inactivity: 0
  remember_me: 0s
  cookies: [{domain: example.com, portal_url: 'https://auth.example.com', inactivity: '0', remember_me: 0}]
server: {timeouts: {read: 0, write: 0 minutes, idle: 0}}
${OPEN}`,
  )
  assert.equal(text, '')
  const limit = 'is 0, which sets no limit here; in Authelia it means the default'
  const box = 'is 0, which turns "keep me signed in" off here; in Authelia it means the default'
  assert.deepEqual(
    warnings.filter((warning) => warning.includes('is 0')),
    [
      `c.yml:2:3 session.inactivity: ${limit}`,
      `c.yml:3:3 session.remember_me: ${box}`,
      `c.yml:4:75 session.cookies[0].inactivity: ${limit}`,
      `c.yml:4:92 session.cookies[0].remember_me: ${box}`,
      `c.yml:5:21 server.timeouts.read: ${limit}`,
      `c.yml:5:30 server.timeouts.write: ${limit}`,
      `c.yml:5:48 server.timeouts.idle: ${limit}`,
    ],
  )
  const off = await load(t, COOKIES.replace('{cookies', '{remember_me: -1, cookies') + OPEN)
  assert.ok(!off.warnings.some((warning) => warning.includes('is 0')))
})

test('what is accepted and does nothing yet is told: a key, a scheme, a subject', async (t) => {
  const { text, warnings } = await load(
    t,
    `${COOKIES}storage: {encryption_key: a-key-of-more-than-twenty-characters}
server: {endpoints: {authz: {a: {implementation: AuthRequest, authn_strategies: [{name: HeaderAuthorization, schemes: [basic, Bearer]}]}}}}
access_control:
  rules:
    - {domain: a.example.com, policy: one_factor, subject: 'oauth2:client:grafana'}
    - {domain: a.example.com, policy: one_factor, subject: [['user:john', 'oauth2:client:grafana'], 'group:admins']}
`,
    { VESTIBULE_SERVER_BUFFERS_WRITE: '8192' },
  )
  assert.equal(text, '')
  assert.deepEqual(warnings, [
    'c.yml:3:127 server.endpoints.authz.a.authn_strategies[0].schemes[1]: bearer has no effect yet: such a header is passed over, as if it were not there',
    'c.yml:6:51 access_control.rules[0].subject[0]: matches nothing yet: there are no OAuth 2.0 clients',
    'c.yml:7:75 access_control.rules[1].subject[0][1]: matches nothing yet: there are no OAuth 2.0 clients',
    'VESTIBULE_SERVER_BUFFERS_WRITE server.buffers.write: has no effect: answers are streamed',
  ])
})

test('what is wrong hides nothing of what has no effect', async (t) => {
  const { text, warnings } = await load(
    t,
    `${COOKIES}${OPEN}log: {level: loud}\nduo_api: {hostname: x.example.com}\nsession_: 1\nserver: {buffers: {read: 1}}\n`,
  )
  assert.deepEqual(text.split('\n'), [
    'c.yml:3:7 log.level: found "loud"; allowed: error, warn, info, debug, trace, warning',
    'c.yml:5:1 session_: unknown key; did you mean session?',
  ])
  for (const gap of [
    /^c\.yml:4:1 duo_api: has no effect yet$/m,
    /server\.buffers\.read: has no eff/,
  ])
    assert.match(warnings.join('\n'), gap)
})

const SLIPS: readonly (readonly [text: string, ...faults: string[]])[] = [
  // Of what follows from the slip nothing is said.
  [
    'acess_control: {default_policy: one_factor}\n',
    '2:1 acess_control: unknown key; did you mean access_control?',
  ],
  [
    'access_control: {rules: [{domain: a.example.com, polcy: one_factor}]}\n',
    '2:50 access_control.rules[0].polcy: unknown key; did you mean access_control.rules[0].policy?',
  ],
  [
    'access_control:\n  default_policy: deny\n  rulse: []\n',
    '4:3 access_control.rulse: unknown key; did you mean access_control.rules?',
  ],
  // Nothing near: what is missing comes after it.
  [
    'access_control: {rules: [{domain: a.example.com, verdict: one_factor}]}\n',
    '2:50 access_control.rules[0].verdict: unknown key',
    '2:26 access_control.rules[0].policy: is missing; allowed: bypass, one_factor, two_factor, deny',
  ],
  // As its variable writes it.
  [
    `${OPEN}session_redis: {host: x}\n`,
    '3:1 session_redis: unknown key; did you mean session.redis?',
  ],
  // An item that lost its dash.
  [
    'access_control:\n  rules:\n    domain: a.example.com\n    policy: deny\n',
    '3:3 access_control.rules: is one item of a list; put "- " in front of it; found a map; allowed: a list',
  ],
  // Of a word that stands in many places none is proposed.
  [`${OPEN}tls: {}\n`, '3:1 tls: unknown key'],
  [`${OPEN}timeout: 5\n`, '3:1 timeout: unknown key'],
  [
    `${OPEN}redis: {host: x}\n`,
    '3:1 redis: unknown key: session.redis is one; indent it below session',
  ],
  [
    `access_control:\ndefault_policy: one_factor\n`,
    '3:1 default_policy: unknown key: access_control.default_policy is one; indent it below access_control',
  ],
  [
    `${OPEN}log:\n  level: info\n  data_directory: /data\n`,
    '5:3 log.data_directory: unknown key: data_directory is one; indent it not at all',
  ],
  [
    `${OPEN}server:\n  headers:\n    hsts: true\n    timeouts: {read: 1s}\n`,
    '6:5 server.headers.timeouts: unknown key: server.timeouts is one; indent it like headers',
  ],
]

for (const [text, ...faults] of SLIPS) {
  test(`a slip is said alone, and proposes a sibling or the place that it fell out of: ${faults[0]}`, async (t) => {
    const result = await load(t, COOKIES + text)
    assert.deepEqual(
      result.text.split('\n'),
      faults.map((fault) => `c.yml:${fault}`),
    )
  })
}

test('a key x-… holds anchors for use elsewhere', async (t) => {
  const { text, config, warnings } = await load(
    t,
    `x-app: &app {policy: one_factor, methods: [GET]}
x-anything: {a: [1, 2], b: 'x'}
${COOKIES}access_control:
  rules:
    - {<<: *app, domain: a.example.com}
`,
  )
  assert.equal(text, '')
  assert.deepEqual(warnings, [])
  assert.partialDeepStrictEqual(config?.['access_control'], {
    rules: [{ domain: ['a.example.com'], policy: 'one_factor', methods: ['GET'] }],
  })
  const below = await load(t, `${COOKIES}${OPEN}log: {x-note: 1}\n`)
  assert.equal(below.text, 'c.yml:3:7 log.x-note: unknown key')
})

test('endpoints have the names that Authelia’s guides give them', async (t) => {
  const authz = (text: string) =>
    load(t, `${COOKIES}${OPEN}server: {endpoints: {authz: {${text}}}}\n`)
  const { text } = await authz(
    "'auth-request/basic': {implementation: AuthRequest}, 'v1.2': {implementation: ForwardAuth}, legacy: {}",
  )
  assert.equal(text, '')
  for (const name of ['../x', 'a/../b', '/a', 'a/', 'a//b', 'a b', 'é', '.', 'a/.b'])
    assert.match(
      (await authz(`'${name}': {implementation: AuthRequest}`)).text,
      /is no key for this map/,
    )
  assert.match(
    (await authz('x: {}')).text,
    /authz\.x\.implementation: is missing; allowed: ForwardAuth/,
  )
  assert.match((await authz('legacy: {implementation: AuthRequest}')).text, /belong together/)
  // The path below it is the one that is asked about.
  assert.match(
    (await authz("e: {implementation: ExtAuthz}, 'e/admin': {implementation: AuthRequest}")).text,
    /"e\/admin": lies below e, whose implementation ExtAuthz takes every path below it/,
  )
})

const postgres = (keys: string) =>
  `${COOKIES}${OPEN}storage: {postgres: {database: v, username: v, ${keys}}}\n`

test('the old keys of storage.postgres are read, or refused with what replaces them', async (t) => {
  const { text, config, warnings } = await load(
    t,
    postgres('host: db, port: 5433, sslmode: require'),
  )
  assert.equal(text, '')
  assert.partialDeepStrictEqual(config?.['storage'], {
    postgres: { address: { host: 'db', port: 5433 }, tls: { skip_verify: true } },
  })
  assert.deepEqual(
    warnings.filter((warning) => warning.includes('old name')),
    [
      'c.yml:3:48 storage.postgres.host: is an old name; write storage.postgres.address: tcp://db:5433',
      'c.yml:3:58 storage.postgres.port: is an old name; write storage.postgres.address: tcp://db:5433',
      'c.yml:3:70 storage.postgres.sslmode: is an old name; write storage.postgres.tls: {skip_verify: true}',
    ],
  )
  const tlsOf = async (keys: string) => {
    const loaded = await load(t, postgres(keys))
    const storage = loaded.config?.['storage'] as { postgres: { tls?: { skip_verify: boolean } } }
    return loaded.text === '' ? storage.postgres.tls?.skip_verify : loaded.text
  }
  assert.equal(await tlsOf('ssl: {mode: disable}'), undefined)
  assert.equal(await tlsOf("ssl: {mode: '', root_certificate: ''}"), undefined)
  assert.equal(await tlsOf('ssl: {mode: verify-full}'), false)
  assert.equal(await tlsOf('ssl: {mode: verify-ca}'), false, 'never less than was asked for')
  assert.match(
    String(await tlsOf('ssl: {mode: maybe}')),
    /ssl\.mode: found "maybe"; allowed: disable/,
  )
  assert.match(
    String(await tlsOf('ssl: {mode: verify-full, root_certificate: /ca.pem}')),
    /root_certificate: is not read any more; allowed: the file in the folder certificates_directory/,
  )
  assert.match(
    String(await tlsOf('sslmode: require, tls: {}')),
    /given together with storage\.postgres\.tls/,
  )
})

test('logs_level and its like are read', async (t) => {
  const { config, text } = await load(
    t,
    `${COOKIES}${OPEN}logs_level: warn\nlogs_file: /tmp/v.log\n`,
  )
  assert.equal(text, '')
  assert.partialDeepStrictEqual(config?.['log'], { level: 'warn', file_path: '/tmp/v.log' })
})

test('the name that a variable of Authelia is given here is one that is taken', async (t) => {
  const keys = readFileSync(join(import.meta.dirname, '../fixtures/authelia/keys.tsv'), 'utf8')
  const olds =
    'logs_level logs_file host port tls_cert tls_key server.host storage.postgres.port jwt_secret'
  const paths = [...keys.split('\n').slice(1), ...olds.split(' ')]
    .map((line) => line.split('\t')[0] ?? '')
    .filter((path) => path !== '' && !/[[*]/.test(path))
  const env = Object.fromEntries(
    paths.flatMap((path) => {
      const name = `AUTHELIA_${path.toUpperCase().replaceAll('.', '_')}`
      return [
        [name, 'x'],
        [`${name}_FILE`, '/x'],
      ]
    }),
  )
  const { warnings, text } = await load(t, COOKIES + OPEN, env)
  assert.equal(text, '')
  const given = warnings.flatMap((warning) => /its name here is (\S+)$/.exec(warning)?.[1] ?? [])
  assert.ok(given.length > 200, `${given.length} of ${warnings.length}`)
  const taken = await load(t, COOKIES + OPEN, Object.fromEntries(given.map((name) => [name, ''])))
  assert.doesNotMatch(taken.text, /is no variable of ours|is a key that only a file|is no secret/)
  const others = warnings.filter((warning) => !/its name here is|is empty:/.test(warning))
  for (const warning of others) assert.match(warning, /is ignored; write \S+( into a file)?$/)
})

test('an old variable is answered with the one of today', async (t) => {
  const { text } = await load(t, COOKIES + OPEN, { VESTIBULE_LOGS_LEVEL: 'warn' })
  assert.equal(
    text,
    'VESTIBULE_LOGS_LEVEL: is no variable of ours; did you mean VESTIBULE_LOG_LEVEL?',
  )
})

test('a cookie domain that strangers share is refused', async (t) => {
  for (const [domain, isPublic] of [
    ['duckdns.org', true],
    ['co.uk', true],
    ['github.io', true],
    ['home.arpa', true],
    ['home.duckdns.org', false],
    ['example.co.uk', false],
    ['home.lan', false],
    ['app.localhost', false],
  ] as const) {
    const { text } = await load(t, `session: {cookies: [{domain: ${domain}}]}\n${OPEN}`)
    assert.equal(/domain: is a public suffix/.test(text), isPublic, domain)
    assert.equal(text === '', !isPublic, text)
  }
})

test('two databases are refused; an empty one is none', async (t) => {
  const both = await load(t, postgres('').replace('{postgres', '{local: {path: /db}, postgres'))
  assert.match(both.text, /^c\.yml:3:11 storage\.local: is given together with storage\.postgres/)
  for (const local of ['', '{}', "{path: ''}"])
    assert.equal(
      (await load(t, postgres('').replace('{postgres', `{local: ${local}, postgres`))).text,
      '',
    )
})

test('~ is no home folder: only a shell knows whose', async (t) => {
  for (const keys of [
    'log: {file_path: ~/v.log}',
    'data_directory: ~/data',
    'certificates_directory: ~john/certs',
    'storage: {local: {path: ~/db}}',
    'authentication_backend: {file: {path: ~/users.yml}}',
  ])
    assert.match(
      (await load(t, `${COOKIES}${OPEN}${keys}\n`)).text,
      /: begins with ~, which only a/,
      keys,
    )
  assert.equal((await load(t, `${COOKIES}${OPEN}data_directory: ./~x\n`)).text, '')
})

test('sessions in Redis without PostgreSQL are told that each instance has second factors of its own', async (t) => {
  const text = (
    storage: string,
    policy: string,
  ) => `session: {secret: 'a secret of several instances, long enough', redis: {host: 127.0.0.1}, cookies: [{domain: example.com, portal_url: 'https://auth.example.com'}]}
access_control:
  rules:
    - {domain: a.example.com, policy: ${policy}}
${storage}`
  const told = async (storage: string, policy: string) =>
    (await load(t, text(storage, policy))).warnings.filter((line) => /second factors/.test(line))
  assert.equal((await told('', 'two_factor')).length, 1)
  assert.deepEqual(await told('', 'one_factor'), [])
  const postgres =
    'storage: {encryption_key: one key for all of the instances, postgres: {address: "tcp://127.0.0.1:5432", username: v, password: v, database: v}}\n'
  assert.deepEqual(await told(postgres, 'two_factor'), [])
})
