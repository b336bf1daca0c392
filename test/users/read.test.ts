import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatFault, formatNotice } from '../../src/config/index.ts'
import { type ReadOptions, readUsers } from '../../src/features/users/backends/file/read.ts'
import { DIGEST } from './store.ts'

const OPTIONS: ReadOptions = {
  source: 'users.yml',
  separator: ',',
  search: { email: false, caseInsensitive: false },
  extraAttributes: {
    rank: { multi_valued: false, value_type: 'integer' },
    tags: { multi_valued: true, value_type: 'string' },
  },
}
type Options = Partial<Omit<ReadOptions, 'search'>> & { search?: Partial<ReadOptions['search']> }
const withOptions = ({ search, ...rest }: Options): ReadOptions => ({
  ...OPTIONS,
  ...rest,
  search: { ...OPTIONS.search, ...search },
})

function accepted(text: string, options: Options = {}) {
  const read = readUsers(text, withOptions(options))
  assert.ok(read.ok, read.ok ? '' : read.faults.map(formatFault).join('\n'))
  return {
    users: read.users.map(({ profile, disabled }) => ({ ...profile, disabled })),
    warnings: read.warnings.map(formatNotice),
  }
}
function faultsOf(text: string, options: Options = {}): string[] {
  const read = readUsers(text, withOptions(options))
  assert.ok(!read.ok, `accepted:\n${text}`)
  const faults = read.faults.map(formatFault)
  for (const fault of faults) assert.doesNotMatch(fault, /0wp7rMfX|dyjVez/, 'a digest is repeated')
  return faults
}

const P = `password: "${DIGEST}"`
/** A user of one line. */
const line = (fields: string) => `users:\n  john: {displayname: J, ${P}${fields}}\n`
const block = (name: string, more = '') => `  ${name}:\n    displayname: D\n    ${P}\n${more}`

test('a users file in the form of the seed is read as it is', () => {
  const text = `
users:
  john:
    displayname: "John Doe"
    password: "$argon2id$v=19$m=65536,t=3,p=2$BpLnfgDsc2WD8F2q$o/vzA4myCqZZ36bUGsDY//8mKUYNZZaR0t4MFFSs+iM"
    email: john.doe@example.com
    groups:
      - admins
      - dev
  harry:
    displayname: "Harry Potter"
    password: "$argon2id$v=19$m=65536$3oc26byQuSkQqksq$zM1QiTvVPrMfV6BVLs2t4gM+af5IN7euO0VB6+Q8ZFs"
    email: harry.potter@example.com
    groups: []
  james:
    displayname: 'James Dean'
    password: '{CRYPT}$argon2id$v=19$m=131072,p=8$BpLnfgDsc2WD8F2q$O126GHPeZ5fwj7OLSs7PndXsTbje76R+QW9/EGfhkJg'
    email: james.dean@example.com
`
  const { users, warnings } = accepted(text)
  assert.deepEqual(warnings, [])
  const on = { disabled: false }
  assert.deepEqual(users, [
    {
      name: 'john',
      displayName: 'John Doe',
      email: 'john.doe@example.com',
      groups: ['admins', 'dev'],
      ...on,
    },
    {
      name: 'harry',
      displayName: 'Harry Potter',
      email: 'harry.potter@example.com',
      groups: [],
      ...on,
    },
    {
      name: 'james',
      displayName: 'James Dean',
      email: 'james.dean@example.com',
      groups: [],
      ...on,
    },
  ])
})

test('every standard claim is read, and disabled', () => {
  const { users, warnings } = accepted(`users:
  john:
    disabled: true
    displayname: J
    ${P}
    email: ''
    given_name: John
    family_name: Doe
    middle_name: "🏴‍☠️"
    nickname: jd
    gender: male
    birthdate: 1990-01-31
    website: https://example.com/~john
    profile: https://example.com/john
    picture: https://example.com/john.png
    zoneinfo: Europe/Berlin
    locale: de_DE
    phone_number: +493012345
    phone_extension: 0123
    address:
      street_address: |
        Street 1
        Back door
      locality: Berlin
      region: BE
      postal_code: 01234
      country: DE
    extra:
      rank: 3
      tags: [a, b]
`)
  assert.deepEqual(warnings, [])
  assert.equal(users[0]?.disabled, true)
})

test('what YAML would take for a number or a truth is a name all the same', () => {
  const { users } = accepted(
    `users:\n${block('0123', '    groups: [007, true, 1e3, no]\n')}${block('true')}${block('"1.0"')}`,
  )
  assert.deepEqual(
    users.map(({ name }) => name),
    ['0123', 'true', '1.0'],
  )
  assert.deepEqual(users[0]?.groups, ['007', 'true', '1e3', 'no'])
})

test('names that objects inherit are names like others', () => {
  const { users } = accepted(
    `users:\n${block('__proto__')}${block('constructor')}${block('toString')}`,
  )
  assert.equal(users.length, 3)
})

test('anchors and aliases are followed', () => {
  const { users } = accepted(
    `users:\n${block('john', '    groups: &g [admins, dev]\n')}${block('bob', '    groups: *g\n')}`,
  )
  assert.deepEqual(users[1]?.groups, ['admins', 'dev'])
})

test('unknown keys are kept with a warning that names the nearest known one', () => {
  const { warnings } = accepted(`version: 2\n${line(', mail: x, dislayname: y')}`)
  assert.equal(warnings.length, 3)
  assert.match(warnings.join('\n'), /users\.yml:1:1 version: unknown key/)
  assert.match(warnings.join('\n'), /users\.john\.dislayname: .*did you mean displayname/)
  assert.match(accepted(line(', extra: {other: 1}')).warnings.join(), /not declared/)
  assert.match(
    accepted(`users:\n${block('bob')}${block('Bob')}`).warnings.join(),
    /differs from bob in case only/,
  )
})

const FAULTS: readonly (readonly [what: string, text: string, RegExp, Options?])[] = [
  ['no displayname', `users:\n  john:\n    ${P}\n`, /:2:3 users\.john\.displayname: is missing/],
  ['an empty displayname', line('').replace('J', "' '"), /2:3 .*displayname: is missing/],
  [
    'no password',
    'users:\n  john:\n    displayname: J\n',
    /:2:3 users\.john\.password: is missing/,
  ],
  ['an empty password', 'users:\n  j:\n    displayname: J\n    password:\n', /:4:\d+ .*is missing/],
  [
    'a plain password',
    'users:\n  j:\n    displayname: J\n    password: hunter2\n',
    /:4:15 .*digest/,
  ],
  ['a list as password', 'users:\n  j:\n    displayname: J\n    password: [a]\n', /:4:15 .*text/],
  ['a user without anything', 'users:\n  john:\n', /displayname: is missing/],
  ['a user that is a text', 'users:\n  john: hello\n', /:2:9 users\.john: is not a user/],
  ['a list of users', 'users:\n  - john\n', /:2:3 users: is not a map of users/],
  ['no users', 'people:\n  john: {}\n', /users: is missing/],
  ['a list', '- a\n', /:1:1: is not a users file/],
  ['a text', 'hello\n', /:1:1: is not a users file/],
  [
    'a user twice',
    `users:\n${block('john')}${block('john')}`,
    /:5:3 users\.john: is given twice; first in line 2/,
  ],
  ['a user twice, quoted', `users:\n${block('john')}${block('"john"')}`, /:5:3 .*is given twice/],
  ['a field twice', line(', groups: [a], groups: [b]'), /users\.john\.groups: is given twice/],
  [
    'a group with the separator',
    line(', groups: [ok, "a,b"]'),
    /:2:\d+ users\.john\.groups\[1\]: holds ","/,
  ],
  ['another separator', line(', groups: ["a|b"]'), /groups\[0\]: holds "\|"/, { separator: '|' }],
  ['an empty group', line(", groups: ['']"), /groups\[0\]: is empty/],
  ['a group of nothing', line(', groups: [~]'), /groups\[0\]: is not the name/],
  ['a group in a group', line(', groups: [[a]]'), /groups\[0\]: is not the name/],
  [
    'a group that a trim would change',
    line(', groups: [" admins"]'),
    /begins or ends with a space/,
  ],
  ['a group with a line break', line(', groups: ["a\\nb"]'), /control character/],
  ['a group with an invisible letter', line(', groups: ["admins\\u200b"]'), /invisible/],
  ['groups that are a text', line(', groups: admins'), /groups: is not a list/],
  ['groups that are a map', line(', groups: {a: b}'), /groups: is not a list/],
  ['a name with a line break', `users:\n${block('"jo\\nhn"')}`, /:2:3 .*control character/],
  ['a name that a trim would change', `users:\n${block('" john"')}`, /begins or ends with a space/],
  ['an empty name', `users:\n${block('""')}`, /is empty/],
  ['half a surrogate', `users:\n${block('"a\\ud800"')}`, /control character/],
  ['a name that turns text round', `users:\n${block('"a\\u202eb"')}`, /invisible/],
  ['a name that is a list', 'users:\n  [a]: {}\n', /has a key that is no text/],
  ['a name that is nothing', 'users:\n  ~: {}\n', /has a key that is no text/],
  ['a long name', `users:\n${block('x'.repeat(257))}`, /longer than 256/],
  ['a displayname with a control character', line('').replace('J', '"a\\u0007"'), /control/],
  [
    'a mail with a line break',
    line(', email: "a@b\\r\\nBcc: c@d"'),
    /email: is not a mail address/,
  ],
  ['a mail with two @', line(', email: a@evil@good.com'), /email: is not a mail address/],
  ['a mail that is a list', line(', email: [a@b]'), /email: is not a text/],
  ['disabled as a text', line(', disabled: "true"'), /disabled: is neither true nor false/],
  ['disabled as a number', line(', disabled: 1'), /disabled: is neither true nor false/],
  ['a slip in disabled', line(', disbaled: true'), /disbaled: unknown key; allowed: disabled/],
  ['disabled in capitals', line(', Disabled: true'), /Disabled: unknown key; allowed: disabled/],
  ['a merge', line(', <<: {disabled: true}'), /merges \(<<\)/],
  ['a relative website', line(', website: /me'), /website: is not an absolute URL/],
  ['a locale that is none', line(', locale: "not a locale"'), /locale: is not a language tag/],
  ['an address that is a text', line(', address: here'), /address: is not an address/],
  ['an attribute of another type', line(', extra: {rank: high}'), /extra\.rank: .*integer/],
  ['one value for many', line(', extra: {tags: a}'), /extra\.tags: is not a list/],
  ['many values for one', line(', extra: {rank: [1]}'), /extra\.rank: is not a single value/],
  ['an alias of nothing', line(', groups: *nothing'), /groups: is an alias of nothing/],
  ['an alias of itself', 'users: &u\n  john: *u\n', /users\.john/],
  ['a second document', `${line('')}---\n${line('')}`, /:3:1: begins a second document/],
  ['a tab', 'users:\n\tjohn: {}\n', /:2:1: is indented with a tab/],
  ['an open bracket', 'users: {john: {\n', /:1:15: opens a bracket that is not closed/],
  [
    'a password in plain text',
    'users:\n  john: {displayname: J, password: hunter2}\n',
    /is not a password digest.*vestibule hash-password makes one/,
  ],
  ['a foreign tag', line(', groups: !secret [a]'), /:2:\d+: has a tag/],
  [
    'names of one spelling',
    `users:\n${block('"jos\\u00e9"')}${block('"jose\\u0301"')}`,
    /same name as josé at sign-in/,
  ],
  [
    'upper case where case does not count',
    `users:\n${block('Bob')}`,
    /not lower case/,
    { search: { caseInsensitive: true } },
  ],
  [
    'one name in two cases where case does not count',
    `users:\n${block('bob')}${block('BOB')}`,
    /same name as bob/,
    { search: { caseInsensitive: true } },
  ],
  [
    'one mail for two where mail is a login',
    `users:\n${block('a', '    email: x@y.z\n')}${block('b', '    email: X@Y.Z\n')}`,
    /users\.b\.email: is a login of a already/,
    { search: { email: true } },
  ],
  [
    'a mail that is the name of another where mail is a login',
    `users:\n${block('a', '    email: b@y.z\n')}${block('b@y.z')}`,
    /users\.a\.email: is a login of b@y\.z already/,
    { search: { email: true } },
  ],
]

for (const [what, text, expected, options] of FAULTS) {
  test(`refused: ${what}`, () => {
    const faults = faultsOf(text, options)
    assert.ok(
      faults.some((fault) => expected.test(fault)),
      faults.join('\n'),
    )
    for (const fault of faults) assert.match(fault, /^users\.yml:\d+:\d+/)
  })
}

test('everything that is wrong is said at once, each with its line', () => {
  const faults = faultsOf(`users:
  john:
    password: hunter2
    groups: [ok, "a,b", " c"]
    disabled: maybe
  bob:
    displayname: Bob
`)
  const lines = faults.map((fault) => fault.split(':')[1])
  assert.deepEqual(lines.sort(), ['2', '3', '4', '4', '5', '6'])
  assert.doesNotMatch(faults.join(), /hunter2/)
})

test('aliases cannot multiply without end', () => {
  const groups = Array.from({ length: 2000 }, (_, i) => `g${i}`).join(', ')
  const more = Array.from(
    { length: 2000 },
    (_, i) => `  u${i}: {displayname: U, ${P}, groups: *g}\n`,
  )
  const text = `x: &g [${groups}]\nusers:\n${more.join('')}`
  assert.match(faultsOf(text).join('\n'), /1000000 values/)
  const bomb = `a: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b]\n${line(', groups: *c')}`
  assert.match(faultsOf(bomb).join('\n'), /groups\[0\]: is not the name/)
})

test('a deeply nested text is refused and takes nothing down', () => {
  assert.match(faultsOf(`users: ${'['.repeat(20_000)}`).join(), /users\.yml:\d+:\d+/)
  assert.match(faultsOf(`users: ${'{a: '.repeat(20_000)}`).join(), /users\.yml:\d+:\d+/)
})

test('a text without users is a users file without users', () => {
  for (const text of ['', '\n', '# nobody\n', '---\n', 'users:\n', 'users: {}\n', 'users: ~\n'])
    assert.deepEqual(accepted(text).users, [], JSON.stringify(text))
})

test('no text makes the reader throw, and no fault is without a place', () => {
  const part = fc.oneof(
    fc.constantFrom('users:', '\n', '  ', 'john:', ' ', '"', "'", '[', ']', '{', '}', ',', '#'),
    fc.constantFrom(
      '&a',
      '*a',
      '!!str',
      '|',
      '>-',
      '- ',
      '? ',
      ': ',
      '<<: ',
      '---\n',
      '%YAML 1.1\n',
    ),
    fc.constantFrom('displayname: D', P, 'groups:', 'disabled: true', '\t', '\r\n', '\0', '\uFEFF'),
    fc.string({ unit: 'binary', maxLength: 6 }),
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
      const read = readUsers(parts.join(''), OPTIONS)
      return (
        read.ok || read.faults.every(({ line: l, column }) => (l ?? 0) > 0 && (column ?? 0) > 0)
      )
    }),
    { numRuns: 3000 },
  )
})

test('whatever can be written as JSON users is read as it was meant', () => {
  const word = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
    .filter((text) => !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs},]/u.test(text) && text === text.trim())
  const entry = fc.record({
    displayname: word,
    groups: fc.uniqueArray(word, { maxLength: 4 }),
    disabled: fc.boolean(),
  })
  const names = fc.uniqueArray(word, {
    minLength: 1,
    maxLength: 6,
    selector: (name) => name.normalize('NFC'),
  })
  fc.assert(
    fc.property(names, entry, (all, fields) => {
      // A plain object would take __proto__ for something else.
      const users = all.map(
        (name) => `${JSON.stringify(name)}: ${JSON.stringify({ ...fields, password: DIGEST })}`,
      )
      const read = accepted(`{"users": {${users.join(', ')}}}`).users
      assert.deepEqual(
        read.map(({ name }) => name),
        all,
      )
      assert.ok(read.every(({ groups }) => groups.join('\0') === fields.groups.join('\0')))
    }),
  )
})
