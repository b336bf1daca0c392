import assert from 'node:assert/strict'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { z } from 'zod'
import { AppError } from '../../src/kernel/errors.ts'
import { OperatorError } from '../../src/kernel/operator-error.ts'
import { Secret } from '../../src/kernel/secret.ts'
import { createLog, type LogSettings, logSettings } from '../../src/log/index.ts'
import manifest from '../../src/log/manifest.ts'
import { FakeClock } from '../support/clock.ts'

const JSON_TO_STDOUT: LogSettings = {
  level: 'info',
  format: 'json',
  filePath: undefined,
  keepStdout: false,
  pretty: false,
}

function listen(settings: Partial<LogSettings> = {}) {
  const out = new PassThrough()
  out.setEncoding('utf8')
  const made = createLog({ ...JSON_TO_STDOUT, ...settings }, out, new FakeClock())
  const text = (): string => String(out.read() ?? '')
  const lines = () =>
    text()
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line))
  return { ...made, text, lines }
}

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'vestibule-log-'))
  t.after(() => rmSync(directory, { recursive: true }))
  return directory
}

test('the defaults are level info, text, standard output', () => {
  const config = manifest.config.log.parse(undefined)
  assert.deepEqual(logSettings(config, false), { ...JSON_TO_STDOUT, format: 'text' })
  assert.equal(logSettings(config, true).pretty, true)
  assert.equal(z.safeParse(manifest.config.log, { level: 'warning' }).data?.level, 'warn')
  assert.equal(z.safeParse(manifest.config.log, { level: 'loud' }).success, false)
})

test('what is below the level is not written, and a new level takes effect for children too', () => {
  const { log, set, lines } = listen()
  const child = log.child({ request_id: 'r-1' })
  child.debug('unheard')
  set({ level: 'debug', format: 'json', keep_stdout: false })
  child.debug('heard')
  assert.deepEqual(
    lines().map(({ msg, request_id }) => [msg, request_id]),
    [['heard', 'r-1']],
  )
})

test('secrets are unprintable by type, and whole objects with insides are not walked', () => {
  const { log, text } = listen()
  log.info(
    {
      key: new Secret('c0ffee'),
      deep: { list: [new Secret('c0ffee')] },
      bytes: Buffer.from('c0ffee'),
      map: new Map([['x', 'c0ffee']]),
      socket: new PassThrough(),
    },
    'Hello',
  )
  log.child({ mine: new Secret('c0ffee'), authorization: 'c0ffee' }).info('Hello')
  const written = text()
  assert.doesNotMatch(written, /c0ffee/)
  assert.match(written, /"bytes":"\[6 bytes\]"/)
  assert.match(written, /"socket":"\[PassThrough\]"/)
  assert.match(written, /"key":"\[secret\]"/)
})

test('an error is its message and its causes; a bug brings its stack, a refusal does not', () => {
  const { log, lines } = listen()
  const cause = new Error('disk gone')
  log.error(new Error('cannot read', { cause }))
  log.warn({ err: new Error('small') }, 'Hello')
  log.error({ err: new AppError('STORE_UNAVAILABLE', { store: 'sqlite' }, { cause }) }, 'Refused')
  const [bug, small, refusal] = lines()
  assert.equal(bug.msg, 'cannot read')
  assert.equal(bug.error, 'cannot read: disk gone')
  assert.match(bug.stack, /cannot read[\s\S]*caused by Error: disk gone/)
  assert.deepEqual([small.error, small.stack], ['small', undefined])
  assert.equal(refusal.error, 'Sign-in is unavailable. Try again in a moment.: disk gone')
  assert.deepEqual(
    [refusal.code, refusal.store, refusal.stack],
    ['STORE_UNAVAILABLE', 'sqlite', undefined],
  )
})

test('a message may stand alone, hold values, or be missing; a field of a call wins over that of its child', () => {
  const { log, lines } = listen()
  log.info('alone')
  log.info('%s of %d', 'one', 2)
  log.info({ field: 1 }, 'with %s', 'both')
  log.info({ field: 2 })
  log.child({ field: 3, other: 4 }).info({ field: 5 }, 'child')
  assert.deepEqual(
    lines().map(({ msg, field, other }) => [msg, field, other]),
    [
      ['alone', undefined, undefined],
      ['one of 2', undefined, undefined],
      ['with both', 1, undefined],
      ['', 2, undefined],
      ['child', 5, 4],
    ],
  )
})

test('at debug every error brings its stack', () => {
  const { log, lines } = listen({ level: 'debug' })
  log.warn({ err: new Error('small') }, 'Hello')
  assert.match(lines()[0].stack, /small/)
})

test('a cycle, a getter that throws and a strange value end in a line, not in a crash', () => {
  const { log, lines } = listen()
  const cycle: Record<string, unknown> = {}
  cycle['self'] = cycle
  log.info(cycle, 'one')
  const bad = Object.defineProperty({}, 'x', {
    enumerable: true,
    get() {
      throw new Error('no')
    },
  })
  log.info(bad, 'two')
  log.info({ f: () => 1, s: Symbol('s'), n: 1n, d: new Date(Number.NaN), i: Infinity }, 'three')
  assert.deepEqual(
    lines().map(({ msg }) => msg),
    ['one', 'two', 'three'],
  )
})

test('a file is made with mode 0600 and appended to, and standard output stays silent', (t) => {
  const filePath = join(temporaryDirectory(t), 'a.log')
  writeFileSync(filePath, 'before\n')
  chmodSync(filePath, 0o600)
  const first = listen({ filePath })
  first.log.info('one')
  assert.match(readFileSync(filePath, 'utf8'), /^before\n\{.*"one".*\}\n$/)
  assert.equal(first.text(), '')

  const fresh = `${filePath}.new`
  listen({ filePath: fresh }).log.info('one')
  assert.equal(statSync(fresh).mode & 0o777, 0o600)
})

test('with keep_stdout a line goes both ways', (t) => {
  const filePath = join(temporaryDirectory(t), 'a.log')
  const { log, lines } = listen({ filePath, keepStdout: true })
  log.info('one')
  assert.equal(lines().length, 1)
  assert.equal(readFileSync(filePath, 'utf8').split('\n').length, 2)
})

test('after a rotation the old file keeps its lines and the new one gets the next, nothing is truncated', (t) => {
  const filePath = join(temporaryDirectory(t), 'a.log')
  const { log, reopen } = listen({ filePath })
  log.info('one')
  renameSync(filePath, `${filePath}.1`)
  log.info('two')
  reopen()
  log.info('three')
  reopen()
  log.info('four')
  const words = (path: string) => readFileSync(path, 'utf8').match(/one|two|three|four/g)
  assert.deepEqual(words(`${filePath}.1`), ['one', 'two'])
  assert.deepEqual(words(filePath), ['three', 'four'])
})

test('when the file cannot be opened again the old one is kept and says so', (t) => {
  const directory = temporaryDirectory(t)
  const filePath = join(directory, 'in', 'a.log')
  assert.throws(() => listen({ filePath }), OperatorError)
  const good = join(directory, 'a.log')
  const { log, reopen } = listen({ filePath: good })
  renameSync(good, join(directory, 'b.log'))
  // A directory where the file was: opening it for writing fails for every user, root included.
  mkdirSync(good)
  reopen()
  log.info('still here')
  assert.match(
    readFileSync(join(directory, 'b.log'), 'utf8'),
    /cannot be opened again[\s\S]*still here/,
  )
})

test('new settings take a new file, and keep the old one when the new one cannot be opened', (t) => {
  const directory = temporaryDirectory(t)
  const [a, b] = [join(directory, 'a.log'), join(directory, 'b.log')]
  const { log, set } = listen({ filePath: a })
  set({ level: 'info', format: 'text', file_path: b, keep_stdout: false })
  log.info('two')
  assert.equal(readFileSync(a, 'utf8'), '')
  assert.match(readFileSync(b, 'utf8'), /level=info msg="two"/)
  assert.throws(
    () =>
      set({
        level: 'info',
        format: 'json',
        file_path: join(directory, 'no', 'c.log'),
        keep_stdout: false,
      }),
    OperatorError,
  )
  log.info('three')
  assert.match(readFileSync(b, 'utf8'), /msg="three"/)
})

test('%d and {datetime} in the file name become the time of the start', (t) => {
  const directory = temporaryDirectory(t)
  const { log } = listen({ filePath: join(directory, '{datetime:2006-01-02}.log') })
  log.info('one')
  assert.match(readFileSync(join(directory, '2026-01-15.log'), 'utf8'), /one/)
})

test('a full disk loses no line: it goes to standard output, with one sentence about it', () => {
  const { log, lines } = listen({ filePath: '/dev/full' })
  log.info('one')
  log.info('two')
  assert.deepEqual(
    lines().map(({ msg }) => msg.split(';')[0]),
    ['The log file cannot be written', 'one', 'two'],
  )
})

test('a closed pipe on standard output stops nobody', async () => {
  const out = new Writable({
    write(_chunk, _encoding, done) {
      done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
    },
  })
  const { log, close } = createLog(JSON_TO_STDOUT, out)
  log.info('one')
  await new Promise(setImmediate)
  log.info('two')
  await close()
})

test('a reader that stands still costs bounded memory, and is told afterwards how much it missed', async () => {
  const held: (() => void)[] = []
  let received = ''
  const out = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      received += chunk
      held.push(done)
    },
  })
  const { log } = createLog(JSON_TO_STDOUT, out)
  const long = 'x'.repeat(4000)
  for (let i = 0; i < 2000; i++) log.info(long)
  assert.ok(out.writableLength < 5 * 1024 * 1024)
  while (held.length > 0) {
    for (const done of held.splice(0)) done()
    await new Promise(setImmediate)
  }
  assert.match(received, /dropped because standard output was not read/)
})
