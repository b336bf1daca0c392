import assert from 'node:assert/strict'
import test from 'node:test'
import { load, SOUND } from './house.ts'

/** What is written below a sound first line → what the terminal says, `c.yml:` left out. */
const CASES: readonly (readonly [name: string, text: string, ...faults: string[]])[] = [
  [
    'a word that is not in the list',
    'access_control:\n  rules:\n    - domain: a.example.com\n      policy: allow\n',
    '5:7 access_control.rules[0].policy: found "allow"; allowed: bypass, one_factor, two_factor, deny',
  ],
  [
    'an item of a list',
    'trusted_proxies: [10.0.0.0/8, 10.0.0]\n',
    '2:31 trusted_proxies[1]: is not an IP address or a network; found "10.0.0"; allowed: private, 192.168.1.8, 10.0.0.0/8, fd00::/8',
  ],
  [
    'a single value where a list may stand too',
    'trusted_proxies: everyone\n',
    '2:1 trusted_proxies: is not an IP address or a network; found "everyone"; allowed: private, 192.168.1.8, 10.0.0.0/8, fd00::/8',
  ],
  [
    'a map where a value or a list belongs',
    'trusted_proxies: {a: b}\n',
    '2:1 trusted_proxies: found a map; allowed: private, or an IP address or a network, or a list',
  ],
  [
    'a text where a map belongs is not repeated: it may be anything',
    'server: hunter2\n',
    '2:1 server: found a text; allowed: the keys address, pepper, buffers',
  ],
  [
    'a text above the part that a feature reads',
    'authentication_backend: hunter2\n',
    '2:1 authentication_backend: found a text; allowed: the keys file',
  ],
  [
    'a list where a map belongs',
    'log:\n- level\n',
    '2:1 log: found a list; allowed: the keys level, keep_stdout',
  ],
  [
    'a missing key is placed at its parent',
    'access_control:\n  rules:\n    - domain: a.example.com\n    - policy: deny\n',
    '4:7 access_control.rules[0].policy: is missing; allowed: bypass, one_factor, two_factor, deny',
    '5:7 access_control.rules[1].domain: is missing; allowed: a text, or a list',
  ],
  [
    'a key without a value is a missing one, at its own place',
    'access_control:\n  rules:\n    - domain: a.example.com\n      policy:\n',
    '5:7 access_control.rules[0].policy: is missing; allowed: bypass, one_factor, two_factor, deny',
  ],
  [
    'YAML 1.1 booleans are texts',
    'log:\n  keep_stdout: yes\n',
    '3:3 log.keep_stdout: found "yes"; allowed: true, false',
  ],
  [
    'a number out of range',
    'authentication_backend:\n  file:\n    max_size: 101\n',
    '4:5 authentication_backend.file.max_size: found 101; allowed: at most 100',
  ],
  [
    'a broken number',
    'authentication_backend:\n  file:\n    max_size: 1.5\n',
    '4:5 authentication_backend.file.max_size: found 1.5; allowed: a whole number',
  ],
  [
    'an unknown key beside known ones',
    'access_control:\n  default_polcy: deny\n',
    '3:3 access_control.default_polcy: unknown key; did you mean access_control.default_policy?',
  ],
  [
    'an unknown key with two letters changed places',
    'sevrer: {}\n',
    '2:1 sevrer: unknown key; did you mean server?',
  ],
  [
    'a known key at the wrong place',
    'default_policy: deny\n',
    '2:1 default_policy: unknown key; did you mean access_control.default_policy?',
  ],
  ['a key like no other', 'frobnicate: 1\n', '2:1 frobnicate: unknown key'],
  [
    'an unknown key in an item of a list',
    'access_control:\n  rules:\n    - domain: a.example.com\n      polcy: deny\n      policy: deny\n',
    '5:7 access_control.rules[0].polcy: unknown key; did you mean access_control.rules[0].policy?',
  ],
  [
    'a free key holds what it must',
    'definitions:\n  network:\n    lan: [192.168.0.0/16, home]\n    wan: 5\n',
    '4:27 definitions.network.lan[1]: is not an IP address or a network; found "home"; allowed: 192.168.1.8, 10.0.0.0/8, fd00::/8',
    '5:5 definitions.network.wan: is not an IP address or a network; found "5"; allowed: 192.168.1.8, 10.0.0.0/8, fd00::/8',
  ],
  [
    'what spans two features is placed as well',
    'definitions: {network: {lan: 10.0.0.0/8}}\naccess_control:\n  rules:\n    - {domain: a, policy: deny, networks: [lan, wan]}\n',
    '5:49 access_control.rules[0].networks[1]: is no named network; found "wan"; allowed: lan',
  ],
  [
    'a key given twice',
    'log:\n  level: info\n  "level": warn\n',
    '4:3 log.level: is given twice; first in line 3',
  ],
  [
    'everything at once, in the order of the lines',
    'log: {level: 5}\nacess_control: {}\nserver: {buffers: {read: 0}}\n',
    '2:7 log.level: found "5"; allowed: error, warn, info',
    '3:1 acess_control: unknown key; did you mean access_control?',
    '4:20 server.buffers.read: found 0; allowed: at least 1',
  ],
  ['the prototype of all maps is no key', '__proto__: {log: 1}\n', '2:1 __proto__: unknown key'],
  [
    'constructor is a key like any other: unknown',
    'constructor: 1\n',
    '2:1 constructor: unknown key',
  ],
]

for (const [name, text, ...faults] of CASES) {
  test(`a fault names its place: ${name}`, async (t) => {
    const result = await load(t, { 'c.yml': SOUND + text })
    assert.deepEqual(
      result.text.split('\n'),
      faults.map((fault) => `c.yml:${fault}`),
    )
  })
}

test('a missing section is placed at the top of the first file', async (t) => {
  const { text } = await load(t, { 'c.yml': '# nothing\nlog: {level: info}\n' })
  assert.match(text, /^c\.yml:1:1 session\.cookies: is missing; allowed: a list$/)
})

test('a duration or one of several words names both', async (t) => {
  const { text } = await load(t, {
    'c.yml':
      'session:\n  refresh: sometimes\n  expiration: 1 fortnight\n  cookies: [{domain: x}]\n',
  })
  assert.deepEqual(text.split('\n'), [
    'c.yml:2:3 session.refresh: found "sometimes"; allowed: always, disable, or a number of seconds, or a number with a unit (1h, 5 minutes, 30d)',
    'c.yml:3:3 session.expiration: is not a duration; found "1 fortnight"; allowed: a number of seconds, or a number with a unit (1h, 5 minutes, 30d)',
  ])
})

test('a secret is never repeated, whatever is wrong with it', async (t) => {
  const { text } = await load(t, {
    'c.yml':
      'session:\n  secret: [hunter2]\n  cookies: [{domain: x, portal_url: "ftp://me:hunter2@x"}]\n',
  })
  assert.doesNotMatch(text, /hunter2/)
  assert.match(text, /^c\.yml:2:3 session\.secret: found a list; allowed: a text$/m)
  assert.match(text, /portal_url: is not a web address; found "ftp:\/\/…@x"/)
  const short = await load(t, { 'c.yml': `${SOUND}server: {pepper: {a: 1234567}}\n` })
  assert.equal(short.text, 'c.yml:2:10 server.pepper: found a map; allowed: a text')
  const second = await load(t, { 'c.yml': 'session: {secret: 1234567, cookies: [{domain: x}]}\n' })
  assert.doesNotMatch(second.text, /1234567/)
})

test('what was found is cut to a readable length and shows its control characters', async (t) => {
  const { text } = await load(t, { 'c.yml': `${SOUND}log: {level: "\\e[31m${'x'.repeat(500)}"}\n` })
  assert.match(text, /found "\\u001b\[31mx{55}…"; allowed/)
})

test('a fault is one line, and what cannot be seen in a key or a name is spelled out', async (t) => {
  const { text } = await load(t, {
    'c.yml': `${SOUND}"log\\u202e\\x9b\\n": 1\n`,
    'a\u202e.yml': 'log: {level: "\\u202ex"}\n',
  })
  assert.deepEqual(text.split('\n'), [
    'c.yml:2:1 "log\\u202e\\u009b\\n": unknown key',
    'a\\u202e.yml:1:7 log.level: found "\\u202ex"; allowed: error, warn, info',
  ])
})

test('faults beyond a hundred are counted', async (t) => {
  const keys = Array.from({ length: 130 }, (_, i) => `unheard_of_${i}: 1\n`).join('')
  const { text } = await load(t, { 'c.yml': SOUND + keys })
  assert.equal(text.split('\n').length, 101)
  assert.match(text, /… and 30 more$/)
})
