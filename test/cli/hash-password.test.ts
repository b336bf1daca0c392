import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadConfig } from '../../src/config/index.ts'
import { createPasswords, parseDigest } from '../../src/features/passwords/index.ts'
import users from '../../src/features/users/manifest.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { Keyboard, runCli, temporaryDirectory } from '../support/cli.ts'
import { configFor } from '../support/server.ts'

const CHEAP = ['-i', '1', '-m', '1', '-p', '1']

const passwords = createPasswords({
  parameters: { algorithm: 'sha2crypt', variant: 'sha512', iterations: 1000, saltLength: 16 },
  queue: 10,
  clock: systemClock,
})

async function verifies(text: string, password: string): Promise<boolean> {
  const parsed = parseDigest(text)
  assert.ok(parsed.ok)
  return passwords.verify(parsed.digest, password, '')
}

test('a digest is printed that verifies the password, by default with 64 MiB, 3 passes, 4 lanes', async (t) => {
  const { status, out, err } = await runCli(t, ['hash-password', 'pässword'])
  assert.deepEqual([status, err], [0, ''])
  const [, digest = ''] =
    /^Password hash: (\$argon2id\$v=19\$m=65536,t=3,p=4\$\S+)\n$/.exec(out) ?? []
  assert.equal(await verifies(digest, 'pässword'), true)
  assert.equal(await verifies(digest, 'password'), false)
})

test('every parameter can be set, and --quiet prints the digest alone', async (t) => {
  const argv = ['hash-password', '-i', '2', '-k', '24', '-m', '2', '-p', '3', '-l', '12', '-q', 'x']
  const { out } = await runCli(t, argv)
  const [, salt = '', key = ''] =
    /^\$argon2id\$v=19\$m=2048,t=2,p=3\$([^$]+)\$([^$]+)\n$/.exec(out) ?? []
  assert.equal(Buffer.from(salt, 'base64').length, 12)
  assert.equal(Buffer.from(key, 'base64').length, 24)
})

test('-z makes sha512 digests, by default with 50000 rounds, below 1000 with 1000', async (t) => {
  for (const [flags, form] of [
    [[], /^\$6\$rounds=50000\$[./0-9A-Za-z]{16}\$/],
    [['-i', '1234', '-l', '9'], /^\$6\$rounds=1234\$[./0-9A-Za-z]{9}\$/],
    [['-i', '1'], /^\$6\$rounds=1000\$/],
    [['-i', '1', '-s', 'abc./123'], /^\$6\$rounds=1000\$abc\.\/123\$/],
  ] as const) {
    const { out } = await runCli(t, ['hash-password', '-q', '-z', ...flags, 'pässword'])
    assert.match(out, form)
    assert.equal(await verifies(out.trim(), 'pässword'), true)
  }
})

test('the other algorithms of the configuration make digests too', async (t) => {
  for (const [flags, form] of [
    [['-a', 'bcrypt', '--cost', '10'], /^\$2b\$10\$[./0-9A-Za-z]{53}$/],
    [['-a', 'bcrypt', '-v', 'sha256', '--cost', '10'], /^\$bcrypt-sha256\$v=2,t=2b,r=10\$/],
    [['-a', 'pbkdf2'], /^\$pbkdf2-sha512\$310000\$/],
    [['-a', 'pbkdf2', '-v', 'sha1', '-i', '100000', '-l', '8'], /^\$pbkdf2\$100000\$/],
    [['-a', 'scrypt', '-i', '10', '-r', '4', '-p', '2', '-k', '16'], /^\$scrypt\$ln=10,r=4,p=2\$/],
    [['-a', 'sha512'], /^\$6\$rounds=50000\$/],
  ] as const) {
    const { out, err } = await runCli(t, ['hash-password', '-q', ...flags, 'pässword'])
    assert.match(out.trim(), form, err)
    assert.equal(await verifies(out.trim(), 'pässword'), true)
    assert.equal(await verifies(out.trim(), 'password'), false)
  }
  const long = await runCli(t, ['hash-password', '-a', 'bcrypt', '--cost', '10', 'x'.repeat(73)])
  assert.match(long.err, /longer than 72 bytes/)
  assert.equal(long.status, 1)
})

test('--tune prints YAML that the configuration takes, and the flags that mean the same', async (t) => {
  const cwd = temporaryDirectory(t)
  const tune = ['--tune', '20ms', '--max-memory', '32', '-p', '2']
  const { status, out } = await runCli(t, ['hash-password', ...tune], { stdin: 'not read' })
  assert.equal(status, 0)
  assert.doesNotMatch(out, /Password hash/)
  writeFileSync(join(cwd, 'config.yml'), out)
  const loaded = await loadConfig({ files: ['config.yml'], env: {}, cwd, features: { users } })
  assert.ok(loaded.ok, out)
  const { memory, iterations, parallelism } =
    loaded.config['authentication_backend.file'].password.argon2
  assert.ok(memory % 1024 === 0 && memory <= 32 * 1024)
  assert.equal(parallelism, 2)
  assert.ok(out.includes(`# hash-password -m ${memory / 1024} -i ${iterations} -p 2\n`))
})

test('--tune with a password makes its digest with what it found', async (t) => {
  const tune = ['hash-password', '--tune', '10ms', '-k', '24']
  const { out } = await runCli(t, [...tune, 'pässword'])
  const [, memory] = /^ +memory: (\d+) # KiB$/m.exec(out) ?? []
  const [, digest = ''] = /^Password hash: (\S+)$/m.exec(out) ?? []
  assert.ok(digest.startsWith(`$argon2id$v=19$m=${memory},`))
  assert.equal(await verifies(digest, 'pässword'), true)
  const quiet = await runCli(t, [...tune, '-q', 'pässword'])
  assert.match(quiet.out, /^\$argon2id\$v=19\$m=\d+,t=\d+,p=4\$[^$]{22}\$[^$]{32}\n$/)
})

test('a salt of base64 stands in the digest as it was given, and the digest verifies', async (t) => {
  const { out } = await runCli(t, ['hash-password', ...CHEAP, '-q', '-s', 'abcdefghijklhijl', 'x'])
  assert.match(out, /\$abcdefghijklhijl\$/)
  assert.equal(await verifies(out.trim(), 'x'), true)
})

test('a password from a pipe loses one line break at its end and nothing else', async (t) => {
  for (const [typed, password] of [
    ['secret\n', 'secret'],
    ['secret\r\n', 'secret'],
    ['secret', 'secret'],
    ['secret\n\n', 'secret\n'],
    [' se cret ', ' se cret '],
  ] as const) {
    const { out } = await runCli(t, ['hash-password', ...CHEAP, '-q'], { stdin: typed })
    assert.equal(await verifies(out.trim(), password), true, JSON.stringify(typed))
  }
})

test('on a terminal it is asked for twice, without echo, and the terminal is left as it was', async (t) => {
  const keyboard = new Keyboard()
  const ran = runCli(t, ['hash-password', ...CHEAP], { stdin: keyboard })
  // Backspace takes back a whole character, an arrow key is no character, ctrl-U starts over.
  keyboard.write('wrong\x15sécreté\x7f\x1b[A\r')
  keyboard.write('sécret\r')
  const { status, out, err } = await ran
  assert.equal(status, 0)
  assert.equal(err, 'Password: \nAgain: \n')
  assert.equal(keyboard.raw, false)
  assert.equal(await verifies(out.replace('Password hash: ', '').trim(), 'sécret'), true)
})

test('two different passwords, ctrl-C and the end of the terminal make no digest', async (t) => {
  for (const [typed, sentence] of [
    ['one\rtwo\r', /the two passwords differ/],
    ['one\x03', /no password was typed/],
    ['\x04', /no password was typed/],
  ] as const) {
    const keyboard = new Keyboard()
    const ran = runCli(t, ['hash-password'], { stdin: keyboard })
    keyboard.write(typed)
    const { status, out, err } = await ran
    assert.deepEqual([status, out], [1, ''])
    assert.match(err, sentence)
    assert.equal(keyboard.raw, false)
  }
  const keyboard = new Keyboard()
  const ran = runCli(t, ['hash-password'], { stdin: keyboard })
  keyboard.end('one')
  assert.equal((await ran).status, 1)
})

test('parameters out of bounds are refused with what is allowed, and the password is not repeated', async (t) => {
  const lines: readonly (readonly [string[], RegExp])[] = [
    [['-i', '0'], /whole number from 1/],
    [['-k', '15'], /whole number from 16/],
    [['-l', '7'], /whole number from 8/],
    [['-p', '0'], /whole number from 1/],
    [['-m', '65536'], /in MiB.*did you mean 64\?/],
    [['-m', '1', '-p', '129'], /--memory is less than eight times parallelism; at least 1032 KiB/],
    [['-s', 'not base64!'], /not base64/],
    [['-s', 'abcdefghijl'], /not base64/],
    [['-s', 'YWJj'], /stands for 3 bytes/],
    [['-i', '1001'], /--iterations is no such value; at most 1000/],
    [['-z', '-l', '17'], /--salt-length is no such value; at most 16/],
    [['-z', '-i', '5000001'], /--iterations is no such value; at most 5000000/],
    [['-z', '-m', '64'], /--memory means nothing to sha512/],
    [['-z', '--tune', '50ms'], /--tune is for argon2id/],
    [['-z', '-a', 'bcrypt'], /-z and -a bcrypt name two algorithms/],
    [['-a', 'rot13'], /argon2id, sha512, bcrypt, pbkdf2, scrypt/],
    [['-a', 'bcrypt', '-i', '12'], /--iterations means nothing to bcrypt/],
    [['-a', 'bcrypt', '-s', 'YWJjZGVmZ2hp'], /--salt is not for bcrypt/],
    [['-a', 'bcrypt', '-v', 'sha512'], /--variant is no such value; standard, sha256/],
    [['-a', 'pbkdf2', '-i', '99999'], /--iterations is no such value; at least 100000/],
    [['-a', 'scrypt', '-i', '16', '-r', '1'], /--iterations is too much for this block_size/],
    [['-a', 'scrypt', '-i', '20', '-r', '16'], /scrypt takes more than 1 GiB/],
    [['-z', '-s', 'short'], /8 to 16 letters/],
    [['-z', '-s', 'far too long for a salt'], /8 to 16 letters/],
    [['--tune', '50ms', '-m', '64'], /--memory is what --tune chooses/],
    [['--tune', '50ms', '-i', '1'], /--iterations is what --tune chooses/],
    [['--tune', '5ms'], /time from 10 milliseconds to 10 seconds/],
    [['--tune', '1h'], /time from 10 milliseconds to 10 seconds/],
    [['--tune', 'soon'], /time from 10 milliseconds to 10 seconds/],
    [['--max-memory', '64'], /--max-memory is for --tune/],
    [['--tune', '50ms', '--max-memory', '65536'], /did you mean 64\?/],
  ]
  for (const [flags, sentence] of lines) {
    const { status, out, err } = await runCli(t, ['hash-password', ...flags, 'c0ffee'])
    assert.deepEqual([status, out], [1, ''], flags.join(' '))
    assert.match(err, sentence)
    assert.doesNotMatch(err, /c0ffee/)
  }
})

test('no password, a far too long one, and one that is no text are refused', async (t) => {
  for (const [stdin, sentence] of [
    ['', /the password is empty/],
    ['x'.repeat(1025), /longer than 1024 bytes/],
    ['x'.repeat(70_000), /too much on standard input/],
  ] as const) {
    const { status, err } = await runCli(t, ['hash-password'], { stdin })
    assert.equal(status, 1)
    assert.match(err, sentence)
  }
})

test("the configuration's password policy holds here too, unless --force says otherwise", async (t) => {
  const folder = temporaryDirectory(t)
  const config = join(folder, 'config.yml')
  const policy = { password_policy: { standard: { enabled: true, min_length: 12 } } }
  writeFileSync(config, JSON.stringify(configFor(9091, folder, policy)))
  const hash = (...more: string[]) =>
    runCli(t, ['--config', config, 'hash-password', ...CHEAP, ...more])
  const refused = await hash('short')
  assert.equal(refused.status, 1)
  assert.equal(refused.out, '')
  assert.match(refused.err, /does not meet password_policy \(min_length\)/)
  assert.equal((await hash('--force', 'short')).status, 0)
  assert.equal((await hash('long enough, this')).status, 0)
})
