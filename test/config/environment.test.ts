import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { Secret } from '../../src/kernel/secret.ts'
import { load, SOUND, secretFile } from './house.ts'

const withEnv = (t: TestContext, env: Record<string, string>, text = SOUND) =>
  load(t, { 'c.yml': text }, { env })

/** The value of a secret key of a parsed configuration. */
function revealed(config: Readonly<Record<string, unknown>> | undefined): string {
  const session = config?.['session'] as { secret?: unknown } | undefined // parsed by the house's schema
  assert.ok(session?.secret instanceof Secret)
  return session.secret.reveal()
}

test('a variable gives a key by its path and wins over the files', async (t) => {
  const { config, text } = await withEnv(
    t,
    {
      VESTIBULE_LOG_LEVEL: 'warn',
      VESTIBULE_LOG_KEEP_STDOUT: 'TRUE',
      VESTIBULE_SERVER_BUFFERS_READ: '8192',
      VESTIBULE_SESSION_EXPIRATION: '2h',
      VESTIBULE_SESSION_REMEMBER_ME: '3600',
      VESTIBULE_TRUSTED_PROXIES: '10.0.0.0/8, private',
      VESTIBULE_AUTHENTICATION_BACKEND_FILE_PASSWORD_ALGORITHM: 'sha512',
    },
    `${SOUND}log: {level: error}\n`,
  )
  assert.equal(text, '')
  assert.deepEqual(config?.['log'], { level: 'warn', keep_stdout: true })
  assert.deepEqual(config?.['server'], { address: 'tcp://:9091/', buffers: { read: 8192 } })
  assert.deepEqual(config?.['trusted_proxies'], ['10.0.0.0/8', 'private'])
  assert.deepEqual(config?.['authentication_backend.file.password'], { algorithm: 'sha512' })
  assert.partialDeepStrictEqual(config?.['session'], {
    expiration: 7_200_000,
    remember_me: 3_600_000,
  })
})

test('a text stays a text, whatever it looks like', async (t) => {
  const { config } = await withEnv(
    t,
    {
      VESTIBULE_SESSION_SECRET: '12345',
      VESTIBULE_AUTHENTICATION_BACKEND_FILE_PIN: '0007',
      VESTIBULE_AUTHENTICATION_BACKEND_FILE_PATH: 'true',
    },
    'session: {cookies: [{domain: x}]}\n',
  )
  assert.equal(revealed(config), '12345')
  assert.partialDeepStrictEqual(config?.['authentication_backend.file'], {
    pin: '0007',
    path: 'true',
  })
})

test('an empty variable is a value for a list, which trusts nobody then; else it is the default', async (t) => {
  const { config } = await withEnv(
    t,
    { VESTIBULE_TRUSTED_PROXIES: '' },
    `${SOUND}trusted_proxies: private\n`,
  )
  assert.deepEqual(config?.['trusted_proxies'], [])
  const empty = await withEnv(t, { VESTIBULE_LOG_LEVEL: '' })
  assert.equal(empty.text, '')
  assert.partialDeepStrictEqual(empty.config?.['log'], { level: 'info' })
})

const FAULTS: readonly (readonly [name: string, env: Record<string, string>, fault: string])[] = [
  [
    'is checked like a key of a file',
    { VESTIBULE_LOG_LEVEL: 'loud' },
    'VESTIBULE_LOG_LEVEL log.level: found "loud"; allowed: error, warn, info',
  ],
  [
    'must be of the type of its key',
    { VESTIBULE_LOG_KEEP_STDOUT: 'yes' },
    'VESTIBULE_LOG_KEEP_STDOUT log.keep_stdout: found "yes"; allowed: true, false',
  ],
  [
    'must be a number where one belongs',
    { VESTIBULE_SERVER_BUFFERS_READ: '4k' },
    'VESTIBULE_SERVER_BUFFERS_READ server.buffers.read: found "4k"; allowed: a number',
  ],
  [
    'names the item of its list',
    { VESTIBULE_TRUSTED_PROXIES: 'private,lan' },
    'VESTIBULE_TRUSTED_PROXIES trusted_proxies[1]: is not an IP address or a network; found "lan"; allowed: private, 192.168.1.8, 10.0.0.0/8, fd00::/8',
  ],
  [
    'must be known',
    { VESTIBULE_LOG_LEVLE: 'warn' },
    'VESTIBULE_LOG_LEVLE: is no variable of ours; did you mean VESTIBULE_LOG_LEVEL?',
  ],
  [
    'must be known, or is not guessed at',
    { VESTIBULE_FROBNICATE: 'hunter2' },
    'VESTIBULE_FROBNICATE: is no variable of ours',
  ],
  [
    'cannot give a list of maps',
    { VESTIBULE_SESSION_COOKIES: 'x' },
    'VESTIBULE_SESSION_COOKIES: is a key that only a file can give: it is no single value',
  ],
  [
    'cannot give a part of a list of maps',
    { VESTIBULE_SESSION_COOKIES_0_DOMAIN: 'x' },
    'VESTIBULE_SESSION_COOKIES_0_DOMAIN: is a key that only a file can give: it is no single value',
  ],
  [
    'cannot give a map',
    { VESTIBULE_SERVER: 'x' },
    'VESTIBULE_SERVER: is a key that only a file can give: it is no single value',
  ],
  [
    'may name a file for a secret only',
    { VESTIBULE_LOG_LEVEL_FILE: '/etc/hostname' },
    'VESTIBULE_LOG_LEVEL_FILE log.level: is no secret: use VESTIBULE_LOG_LEVEL',
  ],
  [
    'is refused while its feature is missing and cannot be done without',
    { VESTIBULE_AUTHENTICATION_BACKEND_LDAP_ADDRESS: 'ldap://ldap' },
    'VESTIBULE_AUTHENTICATION_BACKEND_LDAP_ADDRESS authentication_backend.ldap: users in a directory are not supported yet; keep them in a file (authentication_backend.file)',
  ],
]

for (const [name, env, fault] of FAULTS) {
  test(`a variable ${name}`, async (t) => {
    const { text } = await withEnv(t, env)
    assert.equal(text, fault)
  })
}

test('a secret comes from a file, without its last line ends', async (t) => {
  const path = await secretFile(t, '  hunter2 \r\n\n')
  const { config, sources } = await withEnv(
    t,
    { VESTIBULE_SESSION_SECRET_FILE: path },
    'session: {cookies: [{domain: x}]}\n',
  )
  assert.equal(revealed(config), '  hunter2 ')
  assert.equal(sources.length, 2)
})

test('a secret that two sources give is refused, and so is one whose file is not there', async (t) => {
  const path = await secretFile(t, 'hunter2')
  const both = await withEnv(t, {
    VESTIBULE_SESSION_SECRET: 'a',
    VESTIBULE_SESSION_SECRET_FILE: path,
  })
  assert.equal(
    both.text,
    'VESTIBULE_SESSION_SECRET_FILE session.secret: is also given by VESTIBULE_SESSION_SECRET; keep one',
  )
  const written = await withEnv(t, { VESTIBULE_SESSION_SECRET_FILE: path })
  assert.equal(
    written.text,
    'VESTIBULE_SESSION_SECRET_FILE session.secret: is also given by c.yml; keep one',
  )
  const missing = await withEnv(
    t,
    { VESTIBULE_SESSION_SECRET_FILE: `${path}.not` },
    'session: {cookies: [{domain: x}]}\n',
  )
  assert.equal(
    missing.text,
    'VESTIBULE_SESSION_SECRET_FILE session.secret: names a file that does not exist',
  )
  const large = await secretFile(t, 'x'.repeat(16 * 1024 * 1024 + 1))
  const tooLarge = await withEnv(
    t,
    { VESTIBULE_SESSION_SECRET_FILE: large },
    'session: {cookies: [{domain: x}]}\n',
  )
  assert.match(tooLarge.text, /names a file that is larger than 16 MiB$/)
  const empty = await withEnv(
    t,
    { VESTIBULE_SESSION_SECRET_FILE: await secretFile(t, '\n') },
    'session: {cookies: [{domain: x}]}\n',
  )
  assert.match(
    empty.text,
    /^VESTIBULE_SESSION_SECRET_FILE session\.secret: names a file that is empty$/,
  )
})

test('variables of Authelia are named with their replacement and change nothing', async (t) => {
  const { warnings, config } = await withEnv(t, {
    AUTHELIA_SESSION_SECRET: 'hunter2',
    AUTHELIA_LOG_LEVEL: 'warn',
    X_AUTHELIA_CONFIG: '/config',
    X_AUTHELIA_CONFIG_FILTERS: 'template',
  })
  assert.deepEqual(warnings, [
    'AUTHELIA_LOG_LEVEL: is ignored; its name here is VESTIBULE_LOG_LEVEL',
    'AUTHELIA_SESSION_SECRET: is ignored; its name here is VESTIBULE_SESSION_SECRET',
    'X_AUTHELIA_CONFIG: is ignored; its name here is VESTIBULE_CONFIG',
    'X_AUTHELIA_CONFIG_FILTERS: asks for filters, which are not supported: values that need them are refused',
  ])
  assert.deepEqual(config?.['log'], { level: 'info', keep_stdout: false })
})

test('what Kubernetes puts into the environment of a service of our name is no mistake', async (t) => {
  const { text, warnings } = await withEnv(t, {
    VESTIBULE_SERVICE_HOST: '10.0.0.1',
    VESTIBULE_SERVICE_PORT: '9091',
    VESTIBULE_SERVICE_PORT_HTTP: '9091',
    VESTIBULE_PORT: 'tcp://10.0.0.1:9091',
    VESTIBULE_PORT_9091_TCP: 'tcp://10.0.0.1:9091',
    VESTIBULE_PORT_9091_TCP_ADDR: '10.0.0.1',
    VESTIBULE_REDIS_PORT: 'tcp://10.0.0.2:6379',
    AUTHELIA_PORT: 'tcp://10.0.0.3:9091',
    VESTIBULE_CONFIG: 'c.yml',
    PATH: '/bin',
  })
  assert.equal(text, '')
  assert.deepEqual(warnings, [])
})

test('a variable of a key without effect says so, a secret file for it is not even read', async (t) => {
  const { warnings, text } = await withEnv(t, {
    VESTIBULE_TOTP_ISSUER: 'example.com',
    VESTIBULE_NOTIFIER_SMTP_PASSWORD_FILE: '/nonexistent',
  })
  assert.equal(text, '')
  assert.deepEqual(warnings, [
    'VESTIBULE_NOTIFIER_SMTP_PASSWORD_FILE notifier: has no effect yet',
    'VESTIBULE_TOTP_ISSUER totp: has no effect yet',
  ])
})
