/** A deployment of Authelia: configuration, users file, and a SQLite database in the formats of its schemas. */
import { createCipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { usersYaml } from '../support/users.ts'

export const KEY = 'a-key-of-more-than-twenty-characters'
/** Of RFC 6238, appendix B. */
export const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
export const IDENTIFIER = 'a3ee2b9c-3b0b-4a8d-9d5a-8c0a0f0a5f01'
export const USER_ID = 'wQ9YdX3mJ6sT1vB8nK4hL7cF2rG5pZ0aUeOiWqRtYxCvBnMlKjHgFdSaPzXoIuEy'

const SCHEMA = `
  CREATE TABLE migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, applied TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    version_before INTEGER NULL, version_after INTEGER NOT NULL, application_version VARCHAR(128) NOT NULL);
  CREATE TABLE encryption (id INTEGER PRIMARY KEY AUTOINCREMENT, name VARCHAR(100), value BLOB NOT NULL);
  CREATE TABLE totp_configurations (id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP, last_used_at DATETIME NULL, username VARCHAR(100) NOT NULL,
    issuer VARCHAR(100), algorithm VARCHAR(6) NOT NULL DEFAULT 'SHA1', digits INTEGER NOT NULL DEFAULT 6,
    period INTEGER NOT NULL DEFAULT 30, secret BLOB NOT NULL);
  CREATE TABLE webauthn_credentials (id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP, last_used_at DATETIME NULL, rpid VARCHAR(512) NOT NULL,
    username VARCHAR(100) NOT NULL, description VARCHAR(64) NOT NULL, kid VARCHAR(512) NOT NULL, aaguid CHAR(36) NULL,
    attestation_type VARCHAR(32) NOT NULL DEFAULT '', attachment VARCHAR(64), transport VARCHAR(64) DEFAULT '',
    sign_count INTEGER DEFAULT 0, clone_warning BOOLEAN NOT NULL DEFAULT FALSE, legacy BOOLEAN NOT NULL DEFAULT FALSE,
    discoverable BOOLEAN NOT NULL, present BOOLEAN NOT NULL DEFAULT FALSE, verified BOOLEAN NOT NULL DEFAULT FALSE,
    backup_eligible BOOLEAN NOT NULL DEFAULT FALSE, backup_state BOOLEAN NOT NULL DEFAULT FALSE, public_key BLOB NOT NULL);
  CREATE TABLE webauthn_users (id INTEGER PRIMARY KEY AUTOINCREMENT, rpid VARCHAR(512) NOT NULL,
    username VARCHAR(100) NOT NULL, userid CHAR(64) NOT NULL);
  CREATE TABLE user_preferences (id INTEGER PRIMARY KEY AUTOINCREMENT, username VARCHAR(100) NOT NULL,
    second_factor_method VARCHAR(11) NOT NULL);
  CREATE TABLE user_opaque_identifier (id INTEGER PRIMARY KEY AUTOINCREMENT, service VARCHAR(20) NOT NULL,
    sector_id VARCHAR(255) NOT NULL, username VARCHAR(100) NOT NULL, identifier CHAR(36) NOT NULL);
  CREATE TABLE duo_devices (id INTEGER PRIMARY KEY AUTOINCREMENT, username VARCHAR(100) NOT NULL,
    device VARCHAR(32) NOT NULL, method VARCHAR(16) NOT NULL);
  CREATE TABLE banned_user (id INTEGER PRIMARY KEY AUTOINCREMENT, time TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    expires TIMESTAMP NULL, expired TIMESTAMP NULL, revoked BOOLEAN NOT NULL DEFAULT FALSE,
    username VARCHAR(100) NOT NULL, source VARCHAR(10) NOT NULL, reason VARCHAR(100) NULL);
  CREATE TABLE banned_ip (id INTEGER PRIMARY KEY AUTOINCREMENT, time TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    expires TIMESTAMP NULL, expired TIMESTAMP NULL, revoked BOOLEAN NOT NULL DEFAULT FALSE,
    ip VARCHAR(39) NOT NULL, source VARCHAR(10) NOT NULL, reason VARCHAR(100) NULL);`

export interface AutheliaKey {
  /** Of the authenticator. */
  readonly id: Buffer
  readonly publicKey: Buffer
  readonly rpId: string
}

/** Seals as Authelia does at this schema. */
export function seal(schema: number, plain: string | Uint8Array, place: readonly string[]): Buffer {
  const key =
    schema < 25
      ? createHash('sha256').update(KEY).digest()
      : Buffer.from(hkdfSync('sha256', KEY, '', 'authelia:kdf:storage:encryption_key:v1', 32))
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  const [table = '', column = '', row = '', issuer] = place
  const at = schema === 25 ? [table, ...(issuer ? [issuer] : []), column] : place
  if (schema >= 25) cipher.setAAD(Buffer.from(['authelia', 'storage', ...at].join(':')))
  if (schema >= 25 && row === '') throw new TypeError('no row')
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

/** @param key of john */
export function makeDatabase(path: string, schema: number, key?: AutheliaKey): DatabaseSync {
  const database = new DatabaseSync(path)
  database.exec(SCHEMA)
  const insert = (
    table: string,
    row: Readonly<Record<string, string | number | Uint8Array | null>>,
  ) =>
    database
      .prepare(
        `INSERT INTO ${table} (${Object.keys(row).join(', ')}) VALUES (${Object.keys(row).fill('?').join(', ')})`,
      )
      .run(...Object.values(row))
  insert('migrations', { version_before: 0, version_after: schema, application_version: '4.39.0' })
  insert('encryption', {
    name: 'check',
    value: seal(schema, 'any UUID', ['encryption', 'value', 'check']),
  })
  insert('totp_configurations', {
    created_at: '2025-03-01 12:00:00.123456789+01:00',
    username: 'john',
    issuer: 'home.example.com',
    secret: seal(schema, SECRET, ['totp_configurations', 'secret', 'john']),
  })
  insert('totp_configurations', {
    username: 'mary',
    issuer: 'home.example.com',
    secret: randomBytes(60),
  })
  insert('user_preferences', { username: 'john', second_factor_method: 'webauthn' })
  insert('user_preferences', { username: 'mary', second_factor_method: 'mobile_push' })
  insert('user_opaque_identifier', {
    service: 'openid',
    sector_id: '',
    username: 'john',
    identifier: IDENTIFIER,
  })
  insert('duo_devices', { username: 'mary', device: 'x', method: 'push' })
  insert('banned_user', { username: 'mallory', source: 'cli', reason: 'left the house' })
  insert('banned_user', { username: 'john', source: 'cli', revoked: 1, reason: null })
  insert('banned_ip', {
    ip: '192.0.2.7',
    source: 'regulation',
    expires: '2050-01-01 00:00:00+00:00',
  })
  insert('banned_ip', {
    ip: '192.0.2.8',
    source: 'regulation',
    expires: '2020-01-01 00:00:00+00:00',
  })
  if (key !== undefined) {
    const kid = key.id.toString('base64')
    insert('webauthn_users', { rpid: key.rpId, username: 'john', userid: USER_ID })
    insert('webauthn_credentials', {
      rpid: key.rpId,
      username: 'john',
      description: 'YubiKey',
      kid,
      aaguid: '2fc0579f-8113-47ea-b116-bb5a8db9202a',
      attestation_type: 'none',
      attachment: 'cross-platform',
      transport: 'usb,nfc',
      sign_count: 1,
      discoverable: 1,
      verified: 1,
      public_key: seal(schema, key.publicKey, [
        'webauthn_credentials',
        'public_key',
        kid,
        key.rpId,
      ]),
    })
  }
  return database
}

/** @returns the configuration file */
export async function makeDeployment(
  folder: string,
  {
    port,
    schema,
    key,
  }: { readonly port: number; readonly schema: number; readonly key?: AutheliaKey },
): Promise<string> {
  writeFileSync(
    join(folder, 'users_database.yml'),
    await usersYaml({ john: { email: 'john@example.com', groups: ['admins'] }, mary: {} }),
  )
  makeDatabase(join(folder, 'db.sqlite3'), schema, key).close()
  const file = join(folder, 'configuration.yml')
  writeFileSync(
    file,
    `# The friends' server.
theme: dark
default_2fa_method: totp # most have an app
server:
  address: 'tcp://127.0.0.1:${port}/'
totp:
  issuer: home.example.com
authentication_backend:
  refresh_interval: 5m
  file:
    path: /config/users_database.yml
    password: { argon2: { memory: 64, iterations: 2, parallelism: 1 } }
access_control:
  default_policy: deny
  rules:
    - domain: app.vestibule.localhost
      policy: one_factor
    - domain: bank.vestibule.localhost
      policy: two_factor
session:
  secret: another-secret-that-is-not-real
  cookies:
    - domain: vestibule.localhost
      authelia_url: 'http://auth.vestibule.localhost:${port}'
regulation: { max_retries: 3, find_time: 2m, ban_time: 5m }
storage:
  encryption_key: ${KEY}
  local:
    path: /config/db.sqlite3
notifier:
  disable_startup_check: true
  filesystem:
    filename: ${join(folder, 'notification.txt')}
`,
  )
  return file
}
