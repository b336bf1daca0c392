import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPasswords, parseDigest } from '../../src/features/passwords/index.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { Keyboard, runCli } from '../support/cli.ts'

const CHEAP = ['-i', '1', '-m', '1', '-p', '1']

const passwords = createPasswords({
  parameters: { algorithm: 'sha512', iterations: 1000, saltLength: 16 },
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
    [['-m', '1', '-p', '129'], /too little for -p 129; every lane needs 8 KiB/],
    [['-s', 'not base64!'], /not base64/],
    [['-s', 'abcdefghijl'], /not base64/],
    [['-s', 'YWJj'], /stands for 3 bytes/],
    [['-z'], /sha512 is not supported yet/],
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
