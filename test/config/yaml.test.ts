import assert from 'node:assert/strict'
import test from 'node:test'
import { load, SOUND } from './house.ts'

/** A whole file → the one line that the terminal says about it. */
const REFUSED: readonly (readonly [name: string, text: string | Uint8Array, fault: string])[] = [
  [
    'a tab as indentation',
    'log:\n\tlevel: info\n',
    ':2:1: is indented with a tab; YAML indents with spaces',
  ],
  [
    'a tab behind a dash',
    'trusted_proxies:\n-\tprivate: 1\n',
    ':2:2: is indented with a tab; YAML indents with spaces',
  ],
  [
    'a second document',
    'log: {}\n---\nlog: {}\n',
    ':2:1: begins a second document; a file is one document',
  ],
  [
    'a quote that is not closed',
    'log:\n  level: "info\n',
    ':2:10: lacks a closing quote, bracket or comma',
  ],
  ['a key without a colon', 'log: {}\nlevel\nserver: {}\n', ':2:1: lacks a ":" after the key'],
  [
    'a second colon',
    'server: address: 5\n',
    ':1:9: has a second ":" on the line (quote the value?)',
  ],
  [
    'an indentation that fits nothing',
    'log:\n   level: info\n  keep_stdout: true\n',
    ':3:3: is indented by 2 spaces; what it could belong to above it, by 0 or 3',
  ],
  [
    'a key left of the item it belongs to',
    'access_control:\n  rules:\n    - domain: x\n     policy: y\n',
    ':4:6: is indented by 5 spaces; what it could belong to above it, by 0 or 2 or 4 or 6',
  ],
  [
    'a key right of the value above it',
    'server:\n  address: tcp://:1\n\n    port: 5\n',
    ':4:5: is indented by 4 spaces, as if it were part of the value above; 2 would be beside it',
  ],
  [
    'a key right of a value in an item',
    'cookies:\n  - domain: x\n      portal_url: y\n',
    ':3:7: is indented by 6 spaces, as if it were part of the value above; 4 would be beside it',
  ],
  [
    'a dash without a space',
    'rules:\n  -domain: x\n   policy: y\n',
    ':2:3: lacks a space after the "-"',
  ],
  [
    'a bracket that a comment keeps open',
    "a: 'x]'\nbranding: {accent: #3454d1}\nlog: {}\n",
    ':2:11: opens a bracket that is not closed: what closes it is in a comment (quote a value that begins with #)',
  ],
  [
    'more behind a bracket',
    'rules:\n  - domain: {user}.example.com\n',
    ':2:19: goes on after a closing quote or bracket (quote the whole value)',
  ],
  [
    'more behind a quote',
    "session:\n  secret: 'hunter2's'\n",
    ':2:20: goes on after a closing quote or bracket (quote the whole value)',
  ],
  [
    'a value that begins a text of several lines',
    'session:\n  secret: |hunter2\n',
    ':2:12: begins with | or >, which begin a text of several lines (quote the value)',
  ],
  ['a star alone', 'domain: *\n', ':1:9: has a * or & with no name behind it (quote the value)'],
  [
    'a reserved character',
    'session:\n  secret: @hunter2\n',
    ':2:11: begins with a character that YAML reserves (quote the value)',
  ],
  ['a list', '- log\n', ':1:1: is not a configuration: a map of keys is expected'],
  ['a text', 'hello', ':1:1: is not a configuration: a map of keys is expected'],
  [
    'an unknown tag',
    'session: {secret: !vault hunter2}\n',
    ':1:19: has a tag (!…) that has no meaning here (quote the value?)',
  ],
  ['brackets without end', `a: ${'['.repeat(30_000)}`, ':1:'],
  ['bytes that are no text', new Uint8Array([0x61, 0x3a, 0x20, 0xff, 0xfe]), ': is not UTF-8 text'],
  ['UTF-16', Buffer.from('\ufefflog: {}\n', 'utf16le'), ': is not UTF-8 text'],
  ['more than sixteen megabytes', `# ${'x'.repeat(16 * 1024 * 1024)}\n`, ': is larger than 16 MiB'],
]

for (const [name, text, fault] of REFUSED) {
  test(`a file is refused at its place: ${name}`, async (t) => {
    const result = await load(t, { 'c.yml': text })
    if (fault.endsWith(':')) assert.ok(result.text.startsWith(`c.yml${fault}`), result.text)
    else assert.equal(result.text, `c.yml${fault}`)
    assert.doesNotMatch(result.text, /hunter2/)
  })
}

/** Below a sound first line. */
const WRONG: readonly (readonly [name: string, text: string, ...faults: string[]])[] = [
  [
    'an alias of nothing',
    'log: *base\n',
    ':2:1 log: names an anchor that is not defined above it; quote',
  ],
  [
    'a wildcard without quotes',
    'definitions: {network: {lan: [*.home.test]}}\n',
    ':2:31 definitions.network.lan[0]: names an anchor that is not defined above it; quote a value that begins with *',
  ],
  [
    'a secret that begins with &',
    'server:\n  pepper: &hunter2\n',
    ':3:3 server.pepper: is an anchor and has no value; quote a value that begins with &',
  ],
  [
    'a key without a space after its colon',
    'log:\n  level:info\n',
    ':2:1 log: lacks a space after "level:"; found a text',
  ],
  ['an alias of itself', 'a: &a [*a]\n', ':2:8: is nested too deeply'],
  ['a merge of a text', 'log: {<<: info}\n', ':2:7 log: merges (<<) something that is no map'],
  ['a map as a key', '? {a: b}\n: 1\n', ':2:3: has a key that is no plain word'],
  ['nothing as a key', '~: 1\n', ':2:1: has a key that is no plain word'],
  [
    'binary data',
    'log: {level: !!binary aGVsbG8=}\n',
    ':2:7 log.level: has a tag (!…) that has no meaning here',
  ],
]

for (const [name, text, fault] of WRONG) {
  test(`a file is wrong at its place: ${name}`, async (t) => {
    const result = await load(t, { 'c.yml': SOUND + text })
    assert.ok(result.text.startsWith(`c.yml${fault}`), result.text)
  })
}

test('anchors, aliases and merge keys work as in YAML 1.1: own keys win, then the first map', async (t) => {
  const { config, text } = await load(t, {
    'c.yml': `${SOUND}definitions:
  network:
    home: &home [192.168.0.0/16]
    all: *home
access_control:
  rules:
    - &base {domain: a.example.com, policy: deny}
    - {<<: *base, policy: bypass}
    - {<<: [{policy: one_factor}, *base]}
    - "<<": x
      domain: x
      policy: deny
`,
  })
  assert.match(text, /rules\[3\]\.<<|rules\[3\]\."<<": unknown key/)
  const sound = await load(t, {
    'c.yml': `${SOUND}definitions: {network: {home: &home [192.168.0.0/16], all: *home}}
access_control:
  rules:
    - &base {domain: a.example.com, policy: deny}
    - {<<: *base, policy: bypass}
    - {<<: [{policy: one_factor}, *base]}
`,
  })
  assert.equal(config, undefined)
  assert.equal(sound.text, '')
  assert.deepEqual(sound.config?.['access_control'], {
    default_policy: 'deny',
    rules: [
      { domain: ['a.example.com'], policy: 'deny' },
      { domain: ['a.example.com'], policy: 'bypass' },
      { domain: ['a.example.com'], policy: 'one_factor' },
    ],
  })
})

test('an anchor that is defined again counts from there on, also behind an alias that holds the old one', async (t) => {
  const { config, text } = await load(t, {
    'c.yml': `${SOUND}definitions:
  network:
    a: &list [&one 10.0.0.1]
    b: &one 10.0.0.2
    c: *list
    d: *one
`,
  })
  assert.equal(text, '')
  assert.deepEqual(config?.['definitions'], {
    network: { a: ['10.0.0.1'], b: ['10.0.0.2'], c: ['10.0.0.1'], d: ['10.0.0.2'] },
  })
})

test('an alias bomb is refused before it fills the memory', async (t) => {
  const lines = ['definitions:', '  network:', '    a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
  for (let i = 1; i < 20; i++) {
    lines.push(`    a${i}: &a${i} [${Array.from({ length: 10 }, () => `*a${i - 1}`).join(', ')}]`)
  }
  const { text } = await load(t, { 'c.yml': `${SOUND}${lines.join('\n')}\n` })
  assert.match(text, /^c\.yml:4:\d+: has too many values$/)
})

test('a key without a value counts as not written', async (t) => {
  const { text, config } = await load(t, { 'c.yml': `${SOUND}log:\nserver: ~\n` })
  assert.equal(text, '')
  assert.deepEqual(config?.['log'], { level: 'info', keep_stdout: false })
})

test('a file of comments alone is an empty configuration, not none: what is required is missing', async (t) => {
  const { text } = await load(t, { 'c.yml': '# nothing yet\n' })
  assert.equal(text, 'c.yml:1:1 session.cookies: is missing; allowed: a list')
})

test('a byte order mark and Windows line ends do not move the places', async (t) => {
  const { text } = await load(t, {
    'c.yml': `\ufeff${SOUND}log:\r\n  level: x\r\n`.replace(/(?<!\r)\n/g, '\r\n'),
  })
  assert.match(text, /^c\.yml:3:3 log\.level: found "x"/)
})
