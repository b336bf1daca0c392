import assert from 'node:assert/strict'
import test from 'node:test'
import { Secret } from '../../src/kernel/secret.ts'
import { house, load, SOUND } from './house.ts'

test('maps of several files are merged, lists and values replaced, and faults name the file that said it', async (t) => {
  const { config, text } = await load(t, {
    'a.yml': `${SOUND}log: {level: error, keep_stdout: true}
trusted_proxies: [10.0.0.1, 10.0.0.2]
access_control: {default_policy: deny, rules: [{domain: a, policy: bypass}]}
`,
    'b.yml': 'log: {level: warn}\ntrusted_proxies: [private]\naccess_control: {rules:}\n',
  })
  assert.equal(text, '')
  assert.deepEqual(config?.['log'], { level: 'warn', keep_stdout: true })
  assert.deepEqual(config?.['trusted_proxies'], ['private'])
  assert.deepEqual(config?.['access_control'], {
    default_policy: 'deny',
    rules: [{ domain: ['a'], policy: 'bypass' }],
  })
  const wrong = await load(t, {
    'a.yml': `${SOUND}log: {level: loud, keep_stdout: 1}\n`,
    'b.yml': 'log:\n  level: quiet\n',
  })
  assert.deepEqual(wrong.text.split('\n'), [
    'a.yml:2:20 log.keep_stdout: found 1; allowed: true, false',
    'b.yml:2:3 log.level: found "quiet"; allowed: error, warn, info',
  ])
})

test('a folder gives its YAML files in the order of their names, not those below', async (t) => {
  const { config, sources } = await load(
    t,
    {
      'conf/20-b.yaml': 'log: {level: warn}\n',
      'conf/10-a.yml': `${SOUND}log: {level: error, keep_stdout: true}\n`,
      'conf/readme.txt': 'no yaml: [',
      'conf/more/30.yml': 'nothing: 1\n',
      'last.yml': 'log: {keep_stdout: false}\n',
    },
    { files: ['conf', 'last.yml'] },
  )
  assert.deepEqual(config?.['log'], { level: 'warn', keep_stdout: false })
  assert.deepEqual(sources, ['conf/10-a.yml', 'conf/20-b.yaml', 'last.yml'])
})

test('a file that is not there, a folder without YAML and a name that is none are faults', async (t) => {
  const { text } = await load(
    t,
    { 'empty/readme.txt': '' },
    { files: ['missing.yml', 'empty', 'empty/readme.txt/x.yml', '\0'] },
  )
  assert.deepEqual(text.split('\n'), [
    'missing.yml: does not exist',
    'empty: holds no *.yml or *.yaml file',
    'empty/readme.txt/x.yml: does not exist',
    '\\u0000: cannot be read (ERR_INVALID_ARG_VALUE)',
  ])
})

test('when one file is broken the others are still checked for what can be said of them', async (t) => {
  const { text } = await load(t, { 'a.yml': 'log: [\n', 'b.yml': 'lgo: {}\nlog: {level: 5}\n' })
  assert.deepEqual(text.split('\n'), [
    'a.yml:1:6: opens a bracket that is not closed',
    'b.yml:1:1 lgo: unknown key; did you mean log?',
  ])
})

test('without a file the built-in defaults hold, the environment above them; with one they do not', async (t) => {
  const none = await load(t, {})
  assert.equal(none.text, '')
  assert.partialDeepStrictEqual(none.config, {
    access_control: { default_policy: 'one_factor' },
    session: {
      expiration: 24 * 3_600_000,
      inactivity: 12 * 3_600_000,
      cookies: [
        {
          domain: 'vestibule.localhost',
          portal_url: 'http://auth.vestibule.localhost:9091',
        },
      ],
    },
    server: { address: 'tcp://localhost:9091/' },
  })
  const env = await load(t, {}, { env: { VESTIBULE_ACCESS_CONTROL_DEFAULT_POLICY: 'deny' } })
  assert.partialDeepStrictEqual(env.config, {
    access_control: { default_policy: 'deny' },
    server: { address: 'tcp://localhost:9091/' },
  })
  const file = await load(t, { 'c.yml': SOUND })
  assert.partialDeepStrictEqual(file.config, {
    access_control: { default_policy: 'deny' },
    server: { address: 'tcp://:9091/' },
    session: { expiration: 3_600_000, inactivity: 300_000 },
  })
})

test('a slice inside another is cut out of it, and each reads its own', async (t) => {
  const { config, text } = await load(t, {
    'c.yml': `${SOUND}authentication_backend:\n  file:\n    path: u.yml\n    password: {algorithm: sha512}\n`,
  })
  assert.equal(text, '')
  assert.deepEqual(config?.['authentication_backend.file'], { path: 'u.yml', max_size: 5 })
  assert.deepEqual(config?.['authentication_backend.file.password'], { algorithm: 'sha512' })
})

test('the configuration is frozen to the last list, and its secrets print as nothing', async (t) => {
  const { config } = await load(t, { 'c.yml': `${SOUND}trusted_proxies: [private]\n` })
  assert.ok(config !== undefined)
  const check = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || value instanceof Secret) return
    assert.ok(Object.isFrozen(value))
    Object.values(value).forEach(check)
  }
  check(config)
  assert.match(JSON.stringify(config), /"secret":"\[secret\]"/)
})

test('warnings of checks know whether a key was written down anywhere', async (t) => {
  const bare = await load(t, { 'c.yml': 'session: {cookies: [{domain: x}]}\n' })
  assert.deepEqual(bare.warnings, ['c.yml:1:1 session: has no secret'])
  const env = await load(
    t,
    { 'c.yml': 'session: {cookies: [{domain: x}]}\n' },
    { env: { VESTIBULE_SESSION_SECRET: 's' } },
  )
  assert.deepEqual(env.warnings, [])
})

test('the revision changes with everything that was read and with nothing else', async (t) => {
  const first = await load(t, { 'c.yml': SOUND })
  const again = await load(t, { 'c.yml': SOUND }, { env: { HOME: '/root' } })
  const comment = await load(t, { 'c.yml': `${SOUND}# changed\n` })
  const env = await load(t, { 'c.yml': SOUND }, { env: { VESTIBULE_LOG_LEVEL: 'info' } })
  const other = await load(t, { 'c.yml': SOUND }, { env: { VESTIBULE_LOG_LEVEL: 'warn' } })
  assert.match(first.revision, /^[0-9a-f]{12}$/)
  assert.equal(again.revision, first.revision)
  assert.equal(new Set([first, comment, env, other].map(({ revision }) => revision)).size, 4)
})

test('a check that is a bug is not taken for a fault of the configuration', async (t) => {
  const broken = {
    ...house,
    bug: {
      check() {
        throw new TypeError('a bug')
      },
    },
  }
  await assert.rejects(load(t, { 'c.yml': SOUND }, { features: broken }), /a bug/)
})
