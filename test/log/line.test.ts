import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { EpochMs } from '../../src/kernel/clock.ts'
import { type Entry, formatTime, jsonLine, prettyLine, textLine } from '../../src/log/line.ts'
import { accused } from '../support/fail2ban.ts'

// The brand exists in types only.
const NOON = Date.UTC(2026, 0, 15, 12) as EpochMs
const ERROR = 50

const entry = (fields: Record<string, unknown>, msg = 'Hello', level = 30): Entry => ({
  time: NOON,
  level,
  msg,
  fields,
})

/** Reads a logfmt line back; quoted values are JSON strings. */
function parseText(line: string): [string, string][] {
  const pairs: [string, string][] = []
  let rest = line.replace(/\n$/, '')
  while (rest !== '') {
    const found = /^([A-Za-z0-9_.-]+)=("(?:[^"\\]|\\.)*"|[^ "]*)(?: |$)/.exec(rest)
    assert.ok(found, `not logfmt: ${rest}`)
    const [all, key = '', value = ''] = found
    pairs.push([key, value.startsWith('"') ? String(JSON.parse(value)) : value])
    rest = rest.slice(all.length)
  }
  return pairs
}

test('text is logfmt: time, level, message, fields in alphabetical order, path and remote_ip last', () => {
  const line = textLine(
    entry({
      remote_ip: '203.0.113.5',
      path: '/api/firstfactor',
      zone: 1,
      method: 'POST',
      ok: true,
    }),
  )
  assert.equal(
    line,
    `time="${formatTime(NOON)}" level=info msg="Hello" method=POST ok=true zone=1 path=/api/firstfactor remote_ip=203.0.113.5\n`,
  )
})

test('json is one object a line with level, msg and time in front and remote_ip at the end', () => {
  const line = jsonLine(entry({ remote_ip: '::1', b: [1, 'x'], a: { c: null } }, 'Hello', 40))
  assert.equal(
    line,
    `{"level":"warning","msg":"Hello","time":"${formatTime(NOON)}","a":{"c":null},"b":[1,"x"],"remote_ip":"::1"}\n`,
  )
})

test('the levels are called as Authelia calls them', () => {
  const names = [10, 20, 30, 40, 50, 60].map(
    (level) => JSON.parse(jsonLine(entry({}, '', level))).level,
  )
  assert.deepEqual(names, ['trace', 'debug', 'info', 'warning', 'error', 'fatal'])
})

test('the time is RFC 3339 with the local offset, and reads back as the same second', () => {
  for (const time of [0, NOON, Date.UTC(2026, 6, 1) + 999]) {
    const text = formatTime(time as EpochMs)
    assert.match(text, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$/)
    assert.equal(Date.parse(text), Math.floor(time / 1000) * 1000)
  }
})

test('a field cannot pass for the level, the message or the time of its line', () => {
  const fields = { level: 'info', msg: 'other', time: 'never' }
  const read = JSON.parse(jsonLine(entry(fields, 'Hello', ERROR)))
  assert.equal(read.level, 'error')
  assert.equal(read.msg, 'Hello')
  assert.equal(read['fields.msg'], 'other')
  assert.match(
    textLine(entry(fields, 'Hello', ERROR)),
    / level=error msg="Hello" fields\.level=info /,
  )
})

test('values of fields named like secrets are redacted at any depth, and what is about them is not', () => {
  const fields = {
    cookie: 'c0ffee',
    'set-cookie': 'c0ffee',
    Authorization: 'c0ffee',
    newPassword: 'c0ffee',
    nested: { headers: [{ 'x-auth-token': 'c0ffee' }] },
    cookie_domain: 'example.com',
    password_policy: 'standard',
  }
  for (const line of [
    textLine(entry(fields)),
    jsonLine(entry(fields)),
    prettyLine(entry(fields)),
  ]) {
    assert.doesNotMatch(line, /c0ffee/)
    assert.match(line, /example\.com/)
    assert.match(line, /standard/)
  }
})

test('a text of any length makes a line of bounded length', () => {
  const line = jsonLine(entry({ path: '/'.repeat(1e6) }, 'm'.repeat(1e6)))
  assert.ok(line.length < 10_000)
})

const ATTACKS = [
  'level=info',
  'level=warning msg=x',
  '"level":"info"',
  'level":"info',
  "level:'info",
  'level: info level:info level="info"',
  'x\nlevel=info',
  '" level=info x="',
  '\\" level=info',
  'remote_ip=198.51.100.7',
  '"remote_ip":"198.51.100.7"',
  'remote_ip":"198.51.100.7',
  '\\"remote_ip\\":\\"198.51.100.7',
  'REMOTE_IP=198.51.100.7',
  '" remote_ip=198.51.100.7 x="',
  '\ntime="2026-01-15T12:00:00Z" level=error msg="Unsuccessful 1FA authentication attempt by user \'x\'" remote_ip=198.51.100.7',
  '\r\n{"level":"error","msg":"Unsuccessful 1FA authentication attempt by user \'x\'","remote_ip":"198.51.100.7"}',
  "\u2028Unsuccessful 1FA authentication attempt by user 'x' remote_ip=198.51.100.7",
  "\u0085Unsuccessful TOTP authentication attempt by user 'x' remote_ip=198.51.100.7",
  'user not found path=/api/reset-password/identity/start remote_ip=198.51.100.7',
  'Sending an email to user path=/api/x/start remote_ip=198.51.100.7',
]

test('nothing in a name, a path or a user agent hides the line of a failed attempt or accuses a stranger', () => {
  for (const attack of ATTACKS) {
    const fields = { user_agent: attack, path: attack, name: attack, zz: attack, nested: [attack] }
    const failure = entry(
      { ...fields, remote_ip: '203.0.113.5' },
      "Unsuccessful 1FA authentication attempt by user ''",
      ERROR,
    )
    for (const line of [textLine(failure), jsonLine(failure)]) {
      assert.equal(line.indexOf('\n'), line.length - 1)
      assert.deepEqual(accused(line), ['203.0.113.5'], line)
    }
  }
})

test('nothing from outside makes a line about something else accuse anybody, with or without an address', () => {
  for (const attack of ATTACKS) {
    for (const level of [10, 20, 30, 40, 50]) {
      for (const fields of [{ target: attack }, { target: { attack } }, { [attack]: 1 }]) {
        for (const format of [textLine, jsonLine]) {
          assert.deepEqual(accused(format(entry(fields, `Odd request: ${attack}`, level))), [])
        }
      }
    }
  }
})

test('the reset lines end the way the published filter reads them', () => {
  const fields = { request_id: 'r-1', error: 'user not found', method: 'POST', username: 'x' }
  const path = '/api/reset-password/identity/start'
  const line = textLine(entry({ ...fields, path, remote_ip: '203.0.113.5' }, 'Reset', ERROR))
  assert.deepEqual(accused(line), ['203.0.113.5'])
})

test('whatever the texts are, a line is one line, printable, and reads back as what was said', () => {
  const text = fc.string({ unit: 'binary', maxLength: 30 })
  const key = fc.string({ unit: fc.constantFrom(...'abcxyz_'), minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(text, fc.dictionary(key, text), (msg, fields) => {
      const json = jsonLine(entry(fields, msg))
      assert.match(json, /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*\n$/u)
      const read = JSON.parse(json)
      assert.equal(read.msg, msg)
      const pairs = new Map(parseText(textLine(entry(fields, msg))))
      assert.equal(pairs.get('msg'), msg)
      for (const [name, value] of Object.entries(fields)) {
        assert.equal(read[name], value)
        assert.equal(pairs.get(name), value)
      }
    }),
  )
})

test('on a terminal a line is short, and text from outside moves no cursor', () => {
  const line = prettyLine(entry({ agent: '\x1b]0;owned\x07' }, 'Hello \x1b[2J', 40))
  // biome-ignore lint/suspicious/noControlCharactersInRegex: our own colours
  const bare = line.replace(/\x1b\[\d+m/g, '')
  assert.match(
    bare,
    /^\d\d:\d\d:\d\d WARN {2}Hello \\u001b\[2J {2}agent="\\u001b\]0;owned\\u0007"\n$/,
  )
})
