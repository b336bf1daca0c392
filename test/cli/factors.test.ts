/** `vestibule storage user totp` and `webauthn` on the database, without a server. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { decode } from 'fast-png'
import jsQR from 'jsqr'
import { parse } from 'yaml'
import { coseOf } from '../support/authenticator.ts'
import { runCli, temporaryDirectory } from '../support/cli.ts'
import { configFor } from '../support/server.ts'

/** Made by Authelia 4.39: keys, encodings and the order of its export. */
const AUTHELIA_TOTP = `# yaml-language-server: $schema=https://www.authelia.com/schemas/v4.39/json-schema/exports.totp.json

totp_configurations:
  - created_at: 2025-03-01T12:00:00.123456789+01:00
    last_used_at: 2025-03-02T09:30:00Z
    username: 'john'
    issuer: 'Authelia'
    algorithm: 'SHA1'
    digits: 6
    period: 30
    secret: 'R0VaREdOQlZHWTNUUU9KUUdFWkRHTkJWR1kzVFFPSlE='
`
/** The secret of RFC 6238, appendix B. */
const RFC = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'

async function place(t: TestContext, config: Readonly<Record<string, unknown>> = {}) {
  const cwd = temporaryDirectory(t)
  writeFileSync(join(cwd, 'config.yml'), JSON.stringify(configFor(9, cwd, config)))
  const up = await runCli(t, ['storage', 'migrate', 'up'], { cwd })
  assert.equal(up.status, 0, up.err)
  const ask = (...argv: string[]) => runCli(t, argv, { cwd })
  const totp = (...argv: string[]) => ask('storage', 'user', 'totp', ...argv)
  const keys = (...argv: string[]) => ask('storage', 'user', 'webauthn', ...argv)
  const write = (name: string, text: string) => writeFileSync(join(cwd, name), text)
  const read = (name: string) => readFileSync(join(cwd, name), 'utf8')
  const database = () => new DatabaseSync(join(cwd, 'data/vestibule.sqlite3'))
  return { cwd, ask, totp, keys, write, read, database }
}

test('one-time codes go out and come in as Authelia’s file, and no file is overwritten', async (t) => {
  const { cwd, totp, write, read, database } = await place(t)
  write('in.yml', AUTHELIA_TOTP)
  const first = await totp('import', 'in.yml')
  assert.equal(
    first.out,
    'One-time codes: 1 will be added, 0 replaced.\nImported: 1 added, 0 replaced.\n',
    first.err,
  )
  assert.match((await totp('list')).out, /^john +Authelia +SHA1 +6 +30 +2025-03-01 11:00:00Z/m)
  const rows = database().prepare('SELECT secret FROM totp').all()
  assert.doesNotMatch(Buffer.from(rows[0]?.['secret'] as Uint8Array).toString('latin1'), /12345678/)

  const out = await totp('export')
  assert.match(out.out, /^The one-time codes of 1 user are in /)
  const file = 'vestibule.export.totp.yml'
  assert.equal(statSync(join(cwd, file)).mode & 0o777, 0o600)
  const expected = parse(AUTHELIA_TOTP)
  expected.totp_configurations[0].created_at = '2025-03-01T11:00:00.123Z'
  expected.totp_configurations[0].last_used_at = '2025-03-02T09:30:00.000Z'
  assert.deepEqual(parse(read(file)), expected)
  const again = await totp('export')
  assert.equal(again.status, 1)
  assert.match(again.err, /exists already; it was left alone; --force replaces it/)
  writeFileSync(join(cwd, 'open.yml'), '', { mode: 0o644 })
  assert.equal((await totp('export', '--force', '-f', 'open.yml')).status, 0)
  assert.equal(statSync(join(cwd, 'open.yml')).mode & 0o777, 0o600)

  const other = await place(t)
  assert.match((await other.totp('import', join(cwd, file))).out, /Imported: 1 added/)
  assert.match((await other.totp('export', 'uri')).out, new RegExp(`secret=${RFC}`))
})

test('what is there is replaced with --force alone, all of a file or none', async (t) => {
  const { totp, write } = await place(t)
  assert.equal((await totp('generate', 'john', '--secret', 'MFRGGZDFMZTWQ2LKNNWG23TP')).status, 0)
  write(
    'in.yml',
    `${AUTHELIA_TOTP}${AUTHELIA_TOTP.split('configurations:\n')[1]}`.replace(
      /'john'(?!.*'john')/s,
      "'jane'",
    ),
  )
  const refused = await totp('import', 'in.yml')
  assert.equal(refused.status, 1)
  assert.equal(refused.out, '')
  assert.match(refused.err, /john has one-time codes already; nothing was changed; --force /)
  assert.doesNotMatch((await totp('list')).out, /jane/)
  const tried = await totp('import', 'in.yml', '--force', '--dry-run')
  assert.match(tried.out, /1 will be added, 1 replaced\.\nNothing was changed/)
  assert.doesNotMatch((await totp('list')).out, /jane/)
  assert.match((await totp('import', 'in.yml', '-f')).out, /Imported: 1 added, 1 replaced/)
  assert.match((await totp('export', 'uri', '--user', 'john')).out, new RegExp(RFC))
})

test('everything that is wrong with a file is said at once, with its line, and no secret', async (t) => {
  const { totp, keys, write } = await place(t)
  write(
    'bad.yml',
    `totp_configurations:
  - created_at: yesterday
    username: ''
    issuer: 'a:b'
    algorithm: MD5
    digits: 7
    period: 1
    secret: 'R0VaREdOQlZHWTNUUU9KUUdFWkRHTkJWR1kzVFFPSlE!'
`,
  )
  const bad = await totp('import', 'bad.yml')
  assert.equal(bad.status, 1)
  for (const line of [2, 3, 4, 5, 6, 7, 8])
    assert.match(bad.err, new RegExp(`^bad\\.yml:${line}: totp_configurations\\.0\\.`, 'm'))
  assert.match(bad.err, /^Nothing was imported\.$/m)
  assert.doesNotMatch(bad.err, /R0Va/)
  write('twice.yml', `${AUTHELIA_TOTP}${AUTHELIA_TOTP.split('configurations:\n')[1]}`)
  assert.match((await totp('import', 'twice.yml')).err, /^twice\.yml:14: .*is in the file twice$/m)
  write('no.yml', 'totp_configurations: [\n')
  assert.match((await totp('import', 'no.yml')).err, /^no\.yml:1: opens a bracket /m)
  write('alias.yml', 'a: &a x\ntotp_configurations: *a\n')
  assert.match((await totp('import', 'alias.yml')).err, /^alias\.yml:2: is an alias/m)
  write('other.yml', 'webauthn_credentials: []\n')
  assert.match((await totp('import', 'other.yml')).err, /^other\.yml:1: totp_configurations: /m)
  assert.match((await totp('import', 'gone.yml')).err, /cannot be read \(ENOENT\)/)
  write('key.yml', authelia('x', { public_key: 'AAAA', rpid: 'https://a.example.com' }))
  const key = await keys('import', 'key.yml')
  assert.match(key.err, /rpid: is no host name/)
})

test('codes are generated as the configuration or the options say, and drawn', async (t) => {
  const { cwd, totp, ask } = await place(t, { totp: { issuer: 'House', digits: 8 } })
  const made = await totp('generate', 'john', '--path', 'john.png')
  assert.equal(made.err, '')
  const [url = ''] = made.out.split('\n')
  assert.match(url, /^otpauth:\/\/totp\/House:john\?.*digits=8/)
  assert.doesNotMatch(made.out, /█/, 'a QR code is for a terminal')
  assert.equal(statSync(join(cwd, 'john.png')).mode & 0o777, 0o600)
  assert.equal(contentOf(join(cwd, 'john.png')), url)

  const refused = await totp('generate', 'john')
  assert.match(refused.err, /john has one-time codes already/)
  const taken = await totp('generate', 'jane', '--path', 'john.png')
  assert.match(taken.err, /exists already; nothing was changed/)
  assert.match((await totp('generate', 'jane', '--path', 'x.gif')).err, /neither in \.png nor/)
  assert.match((await totp('generate', 'jane', '--digits', '7')).err, /--digits: /)
  assert.match((await totp('generate', 'jane', '--secret', 'a!')).err, /--secret: is no base32/)
  assert.match((await totp('generate', 'jane', '--secret-size', '4')).err, /--secret-size: /)
  assert.doesNotMatch((await totp('list')).out, /jane/)

  const options = ['--issuer', 'My Issuer', '--algorithm', 'sha256', '--digits', '6']
  const own = await totp('generate', '../jane', ...options, '--period', '60', '--secret', RFC)
  assert.match(own.out, new RegExp(`My%20Issuer.*secret=${RFC}.*SHA256.*digits=6&period=60`))
  assert.equal((await totp('export', 'png', '--directory', 'png')).status, 0)
  assert.deepEqual(readdirSync(join(cwd, 'png')).sort(), ['%2E.%2Fjane.png', 'john.png'])
  assert.equal(contentOf(join(cwd, 'png', 'john.png')), url)
  assert.equal((await totp('export', 'csv', '-f', 'all.csv')).status, 0)
  assert.match(
    readFileSync(join(cwd, 'all.csv'), 'utf8'),
    new RegExp(
      `^issuer,username,algorithm,digits,period,secret\nMy Issuer,\\.\\./jane,SHA256,6,60,${RFC}\n`,
    ),
  )
  assert.equal((await totp('generate', 'svg', '-p', 'x.svg')).status, 0)
  assert.match(readFileSync(join(cwd, 'x.svg'), 'utf8'), /^<svg /)
  assert.equal((await totp('delete', 'john')).status, 0)
  assert.match((await totp('delete', 'john')).err, /john has no one-time codes/)
  const { out } = await ask('audit', 'list', '--user', 'john')
  for (const event of ['added', 'exported', 'removed'])
    assert.match(out, new RegExp(`factor\\.${event}.*operator.*totp`))
  assert.doesNotMatch(out, new RegExp(new URL(url).searchParams.get('secret') ?? ''))
})

test('keys go out and come in as Authelia’s file', async (t) => {
  const { cwd, keys, write, read, ask } = await place(t)
  write('in.yml', authelia('john', {}))
  const first = await keys('import', 'in.yml')
  assert.match(first.out, /Imported: 1 added, 0 replaced/, first.err)
  const { out } = await keys('list', 'john')
  assert.match(out, /^john +My key +auth\.example\.com +-_8AAQ +7 +no +2025-03-01 /m)
  assert.match((await keys('export')).out, /^1 key is in /)
  const given = parse(read('in.yml')).webauthn_credentials[0]
  const [exported] = parse(read('vestibule.export.webauthn.yml')).webauthn_credentials
  for (const name of [
    'rpid',
    'username',
    'description',
    'kid',
    'aaguid',
    'public_key',
    'sign_count',
    'transports',
    'discoverable',
    'backup_eligible',
    'verified',
    'attachment',
    'attestation_format',
  ])
    assert.deepEqual(exported[name], given[name], name)
  assert.equal(statSync(join(cwd, 'vestibule.export.webauthn.yml')).mode & 0o777, 0o600)

  assert.match((await keys('import', 'in.yml')).err, /john has the key "My key" already/)
  assert.match((await keys('import', 'in.yml', '--force')).out, /0 added, 1 replaced/)
  write('jane.yml', authelia('jane', {}))
  assert.match((await keys('import', 'jane.yml', '-f')).err, /belongs to john already/)
  write('name.yml', authelia('john', { kid: 'AAAA', description: 'MY KEY' }))
  assert.match((await keys('import', 'name.yml', '-f')).err, /john has another key with the name/)
  write(
    'second.yml',
    authelia('john', { kid: 'AAAA', description: 'Other', user_handle: 'aGFuZGxl' }),
  )
  assert.match((await keys('import', 'second.yml')).out, /1 added/)

  for (const args of [[], ['john'], ['--all'], ['john', '--all', '--kid', 'AAAA']])
    assert.equal((await keys('delete', ...args)).status, 1)
  assert.match((await keys('delete', '--kid', '+/8AAQ==')).out, /"My key" of john at auth/)
  assert.match((await keys('delete', 'john', '--description', 'other')).out, /"Other" of john/)
  assert.match((await keys('delete', 'john', '--all')).err, /there is no such key/)
  assert.match((await ask('audit', 'list', '--user', 'john')).out, /factor\.exported.*webauthn/)
  assert.equal(existsSync(join(cwd, 'vestibule.export.totp.yml')), false)
})

test('factors are removed and listed where the encryption key is lost, and none is read', async (t) => {
  const { cwd, totp, ask } = await place(t)
  await totp('generate', 'john')
  writeFileSync(join(cwd, 'data/secrets/encryption'), `${'x'.repeat(43)}\n`)
  assert.match((await totp('list')).out, /^john /m)
  const refused = await totp('export')
  assert.equal(refused.status, 1)
  assert.match(refused.err, /was sealed with another key/)
  assert.equal((await totp('delete', 'john')).status, 0)
  assert.match((await ask('audit', 'list', '--user', 'john')).out, /factor\.removed/)
})

/** One key in Authelia's file. */
function authelia(user: string, more: Readonly<Record<string, unknown>>): string {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const record = {
    created_at: '2025-03-01T12:00:00Z',
    last_used_at: null,
    rpid: 'auth.example.com',
    username: user,
    description: 'My key',
    kid: '+/8AAQ==',
    aaguid: '00000000-0000-0000-0000-000000000000',
    attestation_type: 'none',
    attestation_format: 'none',
    attachment: 'cross-platform',
    transports: ['usb', 'nfc'],
    sign_count: 7,
    clone_warning: false,
    legacy: false,
    discoverable: true,
    present: true,
    verified: true,
    backup_eligible: false,
    backup_state: false,
    public_key: coseOf(publicKey, -7).toString('base64'),
    attestation: Buffer.from('{}').toString('base64'),
    ...more,
  }
  return JSON.stringify({ webauthn_credentials: [record] }, null, 1)
}

/** What a camera reads from an image. */
function contentOf(path: string): string | undefined {
  const { width, height, data } = decode(readFileSync(path))
  const pixels = new Uint8ClampedArray(width * height * 4)
  for (const [index, value] of data.entries()) pixels.fill(value, index * 4, index * 4 + 4)
  // The package is CommonJS: its types speak of a default that Node does not make.
  const read = jsQR as unknown as typeof jsQR.default
  return read(pixels, width, height)?.data
}
