import assert from 'node:assert/strict'
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { runCli, temporaryDirectory } from '../support/cli.ts'
import { freePort } from '../support/nginx.ts'
import { run } from '../support/server.ts'
import { DIGEST } from '../users/store.ts'

const USERS = `users:\n  john:\n    displayname: J\n    password: "${DIGEST}"\n`
const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'

interface Case {
  readonly name: string
  /** Lines below the configuration that every case has. */
  readonly config: string
  readonly prepare?: (folder: string) => void
  /** What both say; undefined: it starts. */
  readonly refused?: RegExp
  /** What both warn of. */
  readonly warning?: RegExp
}

const CASES: readonly Case[] = [
  { name: 'a good one', config: '' },
  {
    name: 'a broken users file',
    config: '',
    prepare: (folder) => writeFileSync(join(folder, 'users.yml'), 'users:\n  john: {}\n'),
    refused: /users\.yml:2:3 users\.john\.displayname: is missing/,
  },
  {
    name: 'a users file in a folder that is not there',
    config: 'authentication_backend:\n  file:\n    path: nowhere/users.yml\n',
    refused: /config\.yml:\d+:5 authentication_backend\.file\.path: lies in .*nowhere, which/,
  },
  {
    name: 'a database of another program',
    config: 'storage:\n  local:\n    path: other.sqlite3\n',
    prepare(folder) {
      const database = new DatabaseSync(join(folder, 'other.sqlite3'))
      database.exec('create table recipes (name text)')
      database.close()
    },
    refused:
      /config\.yml:\d+:5 storage\.local\.path: .*another program \(it has a table "recipes"\)/,
  },
  {
    name: 'a database that is none',
    config: 'storage:\n  local:\n    path: other.sqlite3\n',
    prepare: (folder) => writeFileSync(join(folder, 'other.sqlite3'), 'x'.repeat(5000)),
    refused: /storage\.local\.path: .*is no SQLite database/,
  },
  {
    name: 'a database of a newer version',
    config: 'storage:\n  local:\n    path: newer.sqlite3\n',
    prepare(folder) {
      const database = new DatabaseSync(join(folder, 'newer.sqlite3'))
      database.exec(
        "create table vestibule_migrations (name text primary key, applied_at integer); insert into vestibule_migrations values ('9999_later', 0)",
      )
      database.close()
    },
    refused: /storage\.local\.path: .*newer version .*9999_later/,
  },
  {
    name: 'certificates in a folder that is not there',
    config: 'certificates_directory: certificates\n',
    refused: /config\.yml:\d+:1 certificates_directory: does not exist/,
  },
  {
    name: 'certificates in a file',
    config: 'certificates_directory: certificates\n',
    prepare: (folder) => writeFileSync(join(folder, 'certificates'), CERTIFICATE),
    refused: /config\.yml:\d+:1 certificates_directory: is no folder/,
  },
  {
    name: 'no certificates',
    config: 'certificates_directory: certificates\n',
    prepare: (folder) => mkdirSync(join(folder, 'certificates')),
    warning: /certificates_directory: holds no certificate/,
  },
  {
    name: 'a certificate that cannot be read',
    config: 'certificates_directory: certificates\n',
    prepare(folder) {
      mkdirSync(join(folder, 'certificates'))
      writeFileSync(join(folder, 'certificates', 'own.pem'), CERTIFICATE)
    },
    refused: /certificates_directory: own\.pem holds a certificate that cannot be read/,
  },
  {
    name: 'a log in a folder that is not there',
    config: 'log:\n  file_path: nowhere/log\n',
    refused: /config\.yml:\d+:3 log\.file_path: cannot be opened \(ENOENT\)/,
  },
  {
    name: 'a log behind a link that leads nowhere',
    config: 'log:\n  file_path: log\n',
    prepare: (folder) => symlinkSync('nowhere', join(folder, 'log')),
    refused: /log\.file_path: is a symbolic link to a file that does not exist/,
  },
  {
    name: 'a data directory that others may write to',
    config: '',
    prepare(folder) {
      mkdirSync(join(folder, 'data'))
      chmodSync(join(folder, 'data'), 0o777)
    },
    refused: /config\.yml:\d+:1 data_directory: .*may be written to by other users/,
  },
  {
    name: 'TLS versions of which none is left',
    config:
      'session:\n  redis:\n    host: 127.0.0.1\n    tls: { minimum_version: TLS1.3, maximum_version: TLS1.2 }\n',
    refused: /redis\.tls\.maximum_version: is older than minimum_version, TLS1\.3/,
  },
  {
    name: 'a key that cannot be read',
    config: `session:\n  redis:\n    host: 127.0.0.1\n    tls:\n      private_key: "-----BEGIN PRIVATE KEY-----\\nMII=\\n-----END PRIVATE KEY-----"\n      certificate_chain: ${JSON.stringify(CERTIFICATE)}\n`,
    refused: /redis\.tls\.private_key: is a private key that cannot be read/,
  },
  {
    name: 'a users file that everybody may read',
    config: '',
    prepare: (folder) => chmodSync(join(folder, 'users.yml'), 0o644),
    warning:
      /every user of this machine may read \S*users\.yml, which holds secrets \(mode 0644\): chmod o-r \S*users\.yml/,
  },
  {
    name: 'a configuration with a secret that everybody may read',
    config: 'storage:\n  encryption_key: a_key_of_twenty_characters_and_more\n',
    prepare: (folder) => chmodSync(join(folder, 'config.yml'), 0o644),
    warning: /may read \S*config\.yml, which holds secrets \(mode 0644\): chmod o-r \S*config\.yml/,
  },
  {
    name: 'a configuration without one that everybody may read and change',
    config: '',
    prepare: (folder) => chmodSync(join(folder, 'config.yml'), 0o666),
    warning: /may change \S*config\.yml \(mode 0666\): chmod o-w \S*config\.yml/,
  },
]

async function folderFor(t: TestContext, { config, prepare }: Case): Promise<string> {
  const folder = temporaryDirectory(t)
  const cookies = '[{ domain: vestibule.localhost, portal_url: http://auth.vestibule.localhost }]'
  const parts = [
    `server: { address: 'tcp://127.0.0.1:${await freePort()}/' }`,
    'data_directory: data',
    config.includes('session:') ? '' : `session: { cookies: ${cookies} }`,
    'access_control: { default_policy: one_factor }',
    config.includes('backend:') ? '' : 'authentication_backend: { file: { path: users.yml } }',
    config.replace('session:\n', `session:\n  cookies: ${cookies}\n`),
  ]
  writeFileSync(join(folder, 'config.yml'), parts.join('\n'), { mode: 0o600 })
  writeFileSync(join(folder, 'users.yml'), USERS, { mode: 0o600 })
  prepare?.(folder)
  return folder
}

/** Everything below a folder: names, kinds, modes, contents. */
const everything = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).map((entry) => {
    const path = join(entry.parentPath, entry.name)
    const content = entry.isFile() ? readFileSync(path, 'base64') : ''
    const mode = entry.isSymbolicLink() ? '' : String(statSync(path).mode)
    return `${path} ${mode} ${content}`
  })

/** Runs `serve`, in this process where it is refused. @returns what it printed */
async function serve(
  t: TestContext,
  folder: string,
  { starts }: { readonly starts: boolean },
): Promise<string> {
  if (!starts) {
    const { status, out, err } = await runCli(t, ['serve'], { cwd: folder })
    assert.equal(status, 1, out)
    return out + err
  }
  const server = run(['serve'], { folder })
  await server.until(/listening on/)
  await server.stop()
  return server.output()
}

for (const one of CASES) {
  const { name, refused, warning } = one
  test(`${name}: config validate says what serve says, and touches nothing`, async (t) => {
    const folder = await folderFor(t, one)
    const before = everything(folder)
    const { status, out, err } = await runCli(t, ['config', 'validate'], { cwd: folder })
    assert.deepEqual(everything(folder), before)
    const served = await serve(t, folder, { starts: refused === undefined })
    if (refused === undefined) assert.equal(status, 0, err)
    else {
      assert.equal(status, 1, out)
      assert.match(err, refused)
      assert.match(served, refused)
    }
    assert.doesNotMatch(err + served, /\n {4}at /)
    if (warning !== undefined) {
      assert.match(out, warning)
      assert.match(served, warning)
    } else if (refused === undefined)
      assert.doesNotMatch(out + served, /every user of this machine/)
    // A second look beside what the server has made.
    if (refused === undefined) {
      const again = await runCli(t, ['config', 'validate'], { cwd: folder })
      assert.equal(again.status, 0, again.err)
    }
  })
}

test('a configuration is valid while its server runs, and after it was killed', async (t) => {
  const folder = await folderFor(t, { name: '', config: '' })
  const server = run(['serve'], { folder })
  await server.until(/listening on/)
  const running = await runCli(t, ['config', 'validate'], { cwd: folder })
  assert.equal(running.status, 0, running.err)
  server.signal('SIGKILL')
  await server.ended
  const before = everything(folder)
  const killed = await runCli(t, ['config', 'validate'], { cwd: folder })
  assert.equal(killed.status, 0, killed.err)
  const names = (lines: readonly string[]) => lines.map((line) => line.split(' ')[0])
  assert.deepEqual(names(everything(folder)), names(before))
})
