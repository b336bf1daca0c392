/**
 * Configurations as people have them for Authelia. What the loader says of each stands beside it (`.txt`): faults where
 * it is refused, then notices, line by line as `vestibule config validate` prints them.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { formatFaults, formatNotice, loadConfig } from '../../src/config/index.ts'
import { type Config, features } from '../../src/features.ts'
import { secretFile } from './house.ts'

const FOLDER = join(import.meta.dirname, '../fixtures/authelia')

interface Case {
  /** Without it: the one file of that name. */
  readonly files?: readonly string[]
  readonly cwd?: string
  /** Template filters that were asked for. */
  readonly filters?: readonly string[]
  /** What took effect; a refused configuration has no such thing. */
  readonly took?: (config: Config) => void
}

const session = (config: Config) => config['session']
const file = (config: Config) => config['authentication_backend.file']

const CASES: Readonly<Record<string, Case>> = {
  'docker-minimal': {
    took: (config) => {
      assert.partialDeepStrictEqual(session(config), {
        name: 'authelia_session',
        expiration: 12 * 3_600_000,
        inactivity: 45 * 60_000,
        remember_me: 30 * 86_400_000,
        cookies: [
          {
            domain: 'home.example.com',
            portal_url: 'https://auth.home.example.com',
            default_redirection_url: 'https://start.home.example.com',
          },
        ],
      })
      assert.equal(file(config).path, '/config/users_database.yml')
      assert.equal(config['storage'].local.path, '/config/db.sqlite3')
      assert.deepEqual(
        config['access_control'].rules.map(({ policy }) => policy),
        ['bypass', 'bypass', 'one_factor', 'two_factor'],
      )
    },
  },
  'company-directory': {},
  'openid-clients': {
    took: (config) => {
      assert.deepEqual(config['definitions'].network, {
        internal: ['10.0.0.0/8', '192.168.0.0/16'],
      })
      assert.equal(config['access_control'].rules.length, 2)
      assert.equal(config['log'].level, 'debug')
    },
  },
  'old-4.29': {
    took: (config) => {
      assert.partialDeepStrictEqual(config['server'].address, { host: '0.0.0.0', port: 9091 })
      assert.partialDeepStrictEqual(config['log'], {
        level: 'info',
        file_path: '/var/log/authelia.log',
      })
      assert.partialDeepStrictEqual(session(config), {
        remember_me: 30 * 86_400_000,
        cookies: [{ domain: 'example.com', default_redirection_url: 'https://home.example.com/' }],
      })
      assert.deepEqual(config['definitions'].network, {
        internal: ['192.168.178.0/24'],
        vpn: ['10.9.0.0/16'],
      })
      assert.partialDeepStrictEqual(file(config).password, { iterations: 1, memory: 512 })
    },
  },
  'old-4.36-template': {
    took: (config) => {
      assert.partialDeepStrictEqual(config['server'], {
        address: { host: '0.0.0.0', port: 9091 },
        buffers: { read: 4096, write: 4096 },
      })
      assert.equal(session(config).cookies[0]?.domain, 'example.com')
    },
  },
  'old-openid-4.37': {
    took: (config) => assert.equal(session(config).cookies[0]?.domain, 'example.net'),
  },
  'both-names': {},
  'multi-domain': {
    took: (config) => {
      assert.partialDeepStrictEqual(config['server'].address, {
        kind: 'unix',
        path: '/run/authelia/authelia.sock',
        umask: 0o117,
      })
      assert.partialDeepStrictEqual(
        session(config).cookies.map(({ domain, name, remember_me }) => [domain, name, remember_me]),
        [
          ['example.com', 'com_session', undefined],
          ['example.net', undefined, 0],
          ['example.org', undefined, 14 * 86_400_000],
        ],
      )
      assert.partialDeepStrictEqual(config['access_control'].rules[1], {
        subject: [['group:staff', 'group:wiki'], ['user:root']],
      })
      assert.deepEqual(file(config).search, { email: true, case_insensitive: true })
    },
  },
  'second-factors': {
    took: (config) => {
      assert.equal(config['access_control'].default_policy, 'two_factor')
      assert.equal(config['server'].timeouts.read, 10_000)
    },
  },
  limits: {
    took: (config) => {
      assert.equal(config['authentication_backend.refresh_interval'], 'never')
      assert.equal(file(config).watch, false)
    },
  },
  several: {
    files: ['configuration.yml', 'conf.d'],
    cwd: 'several',
    took: (config) => {
      assert.equal(config['log'].level, 'debug')
      assert.equal(session(config).expiration, 8 * 3_600_000)
      assert.deepEqual(
        config['access_control'].rules.map(({ policy }) => policy),
        ['bypass', 'one_factor'],
        'lists are replaced, not joined',
      )
    },
  },
  templates: { filters: ['template'] },
  'expand-env': { filters: ['expand-env'] },
  misspelt: {},
}

const said = (name: string): string => readFileSync(join(FOLDER, `${name}.txt`), 'utf8').trimEnd()

for (const [name, { files = [`${name}.yml`], cwd = '', filters = [], took }] of Object.entries(
  CASES,
)) {
  test(`a configuration of Authelia is read, or refused with reasons: ${name}`, async () => {
    const result = await loadConfig({ files, env: {}, features, cwd: join(FOLDER, cwd), filters })
    const faults = result.ok ? [] : [formatFaults(result.faults)]
    assert.equal([...faults, ...result.warnings.map(formatNotice)].join('\n'), said(name))
    assert.equal(result.ok, took !== undefined)
    if (result.ok) took?.(result.config)
  })
}

test('every configuration beside this test is one of its cases', () => {
  const names = readdirSync(FOLDER).flatMap((name) => /^(.*)\.txt$/.exec(name)?.[1] ?? [])
  assert.deepEqual(names.sort(), [...Object.keys(CASES), 'secrets'].sort())
})

test('secrets in variables and files take effect under their names here, the old names are told', async (t) => {
  const path = await secretFile(t, 'a-secret-from-a-file-of-its-own\n')
  const result = await loadConfig({
    files: ['secrets.yml'],
    cwd: FOLDER,
    features,
    env: {
      VESTIBULE_SESSION_SECRET_FILE: path,
      VESTIBULE_STORAGE_ENCRYPTION_KEY: 'a-key-of-more-than-twenty-characters',
      VESTIBULE_NOTIFIER_SMTP_PASSWORD_FILE: path,
      AUTHELIA_SESSION_SECRET_FILE: path,
      AUTHELIA_JWT_SECRET_FILE: path,
      AUTHELIA_STORAGE_ENCRYPTION_KEY_FILE: path,
      AUTHELIA_NOTIFIER_SMTP_PASSWORD: 'not-real',
      AUTHELIA_SESSION_DOMAIN: 'example.com',
      AUTHELIA_SERVER_PORT: '9091',
      AUTHELIA_LOG_LEVEL: 'info',
      X_AUTHELIA_CONFIG: '/config/configuration.yml,/config/conf.d',
      X_AUTHELIA_CONFIG_FILTERS: 'template',
    },
  })
  assert.ok(result.ok)
  assert.equal(result.warnings.map(formatNotice).join('\n'), said('secrets'))
  const [secret] = session(result.config).secret ?? []
  assert.equal(secret?.reveal(), 'a-secret-from-a-file-of-its-own')
  assert.match(result.config['storage'].encryption_key?.reveal() ?? '', /^a-key-of/)
})
