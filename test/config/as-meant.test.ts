import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { features } from '../../src/features.ts'
import { load, load as loadReal, SOUND } from './house.ts'

test('a value in another form that can mean one thing only is read as that, with a warning', async (t) => {
  const { text, config, warnings } = await load(t, {
    'c.yml': `session: {secret: 0123, name: true, cookies: [{domain: 1e3}]}
log: {keep_stdout: "True"}
server: {pepper: 007, buffers: {read: "8192"}}
authentication_backend: {file: {path: 5, pin: 0x10, max_size: '7'}}
access_control: {rules: [{domain: [404, a], policy: deny}]}
`,
  })
  assert.equal(text, '')
  assert.partialDeepStrictEqual(config, {
    session: { name: 'true', cookies: [{ domain: '1e3' }] },
    log: { keep_stdout: true },
    server: { buffers: { read: 8192 } },
    'authentication_backend.file': { path: '5', pin: '0x10', max_size: 7 },
    access_control: { rules: [{ domain: ['404', 'a'] }] },
  })
  const revealed = (slice: unknown, key: string): unknown =>
    // The house's own schemas: both are secrets.
    (slice as Record<string, { reveal(): string }>)[key]?.reveal()
  assert.equal(revealed(config?.['session'], 'secret'), '0123', 'not 123, nor 83')
  assert.equal(revealed(config?.['server'], 'pepper'), '007')
  const number = 'is a number where a text belongs: read as it is written; quote it'
  const quoted = 'is a text: read as the number that it says; do not quote it'
  assert.deepEqual(warnings, [
    `c.yml:1:11 session.secret: ${number}`,
    'c.yml:1:25 session.name: is true or false where a text belongs: read as it is written; quote it',
    `c.yml:1:48 session.cookies[0].domain: ${number}`,
    'c.yml:2:7 log.keep_stdout: is a text: read as what it says; do not quote it',
    `c.yml:3:10 server.pepper: ${number}`,
    `c.yml:3:33 server.buffers.read: ${quoted}`,
    `c.yml:4:33 authentication_backend.file.path: ${number}`,
    `c.yml:4:42 authentication_backend.file.pin: ${number}`,
    `c.yml:4:53 authentication_backend.file.max_size: ${quoted}`,
    `c.yml:5:36 access_control.rules[0].domain[0]: ${number}`,
  ])
})

test('what is still wrong when it is read as it was meant keeps its own fault', async (t) => {
  const { text } = await load(t, {
    'c.yml': `${SOUND}authentication_backend: {file: {max_size: "101"}}\ntrusted_proxies: 5\nlog: {level: 5, keep_stdout: yes}\n`,
  })
  assert.deepEqual(text.split('\n'), [
    'c.yml:2:33 authentication_backend.file.max_size: found 101; allowed: at most 100',
    'c.yml:3:1 trusted_proxies: is not an IP address or a network; found "5"; allowed: private, 192.168.1.8, 10.0.0.0/8, fd00::/8',
    'c.yml:4:7 log.level: found "5"; allowed: error, warn, info',
    'c.yml:4:17 log.keep_stdout: found "yes"; allowed: true, false',
  ])
})

const REAL = `session: {cookies: [{domain: example.com, portal_url: 'https://auth.example.com'}]}
access_control: {default_policy: one_factor}
`

test('an empty text is the default, as Authelia takes it', async (t) => {
  const { text, config, warnings } = await loadReal(
    t,
    {
      'c.yml': `log: {file_path: '', level: '', format: ''}
data_directory: ''
certificates_directory: ''
logout_url: ''
server: {address: ''}
branding: {accent: '', title: ''}
session:
  name: ''
  same_site: ''
  secret: ''
  expiration: ''
  cookies: [{domain: example.com, portal_url: https://auth.example.com, name: '', default_redirection_url: ''}]
access_control: {default_policy: one_factor}
`,
    },
    { features },
  )
  assert.equal(text, '')
  assert.deepEqual(
    warnings.filter((warning) => !warning.includes('access_control.rules: is empty')),
    [],
  )
  const plain = await loadReal(t, { 'c.yml': REAL }, { features })
  const session = (of: typeof config) => of?.['session'] as { expiration: number; name: string }
  assert.deepEqual(config?.['log'], plain.config?.['log'])
  assert.equal(session(config).expiration, session(plain.config).expiration)
  assert.equal(config?.['data_directory'], './data')
})

test('an empty criterion of a rule is refused: passed over, the rule would be about more', async (t) => {
  for (const key of ['domain', 'domain_regex', 'subject', 'networks', 'resources', 'methods']) {
    const rule = key === 'domain' ? `domain: ''` : `domain: a.example.com, ${key}: ''`
    const { text } = await loadReal(
      t,
      {
        'c.yml': `${REAL.split('\n')[0]}\naccess_control: {rules: [{${rule}, policy: one_factor}]}\n`,
      },
      { features },
    )
    assert.match(text, new RegExp(`access_control\\.rules\\[0\\]\\.${key}: `), key)
  }
})

test('one value for a list of one is that list', async (t) => {
  const { text, config, warnings } = await loadReal(
    t,
    { 'c.yml': `${REAL}regulation: {modes: ip}\n` },
    { features },
  )
  assert.equal(text, '')
  assert.partialDeepStrictEqual(config?.['regulation'], { modes: ['ip'] })
  assert.ok(
    warnings.includes(
      'c.yml:3:14 regulation.modes: is one value where a list belongs: read as a list of one',
    ),
  )
})

test('a number written as text and a text written as number are what they are when written right', async (t) => {
  const forms = fc.record({ n: fc.nat(9999), quoted: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(forms, async ({ n, quoted }) => {
      const read = Math.max(1, n)
      const of = async (max: string, pepper: string) =>
        load(t, { 'c.yml': `${SOUND}server: {pepper: ${pepper}, buffers: {read: ${max}}}\n` })
      const right = await of(String(read), `'${n}'`)
      const wrong = quoted ? await of(`"${read}"`, `'${n}'`) : await of(String(read), String(n))
      assert.equal(wrong.text, '')
      assert.equal(wrong.warnings.length, 1 + right.warnings.length)
      assert.deepEqual(JSON.stringify(wrong.config), JSON.stringify(right.config))
    }),
    { numRuns: 20 },
  )
})
