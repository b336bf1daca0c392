import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatFault, formatNotice } from '../../src/config/index.ts'
import { changeUsers } from '../../src/features/users/backends/file/change.ts'
import {
  type ReadOptions,
  readUsers,
  readWhole,
  type UsersText,
} from '../../src/features/users/backends/file/read.ts'
import { piecesOf, readPlain } from '../../src/features/users/backends/file/scan.ts'
import { DIGEST, OTHER_DIGEST } from './store.ts'

const OPTIONS: ReadOptions = {
  source: 'users.yml',
  separator: ',',
  search: { email: true, caseInsensitive: false },
  extraAttributes: {},
}

/** What it says, in an order of its own. */
const said = (read: UsersText) =>
  read.ok
    ? { users: read.users, warnings: read.warnings.map(formatNotice).sort() }
    : { faults: read.faults.map(formatFault).sort() }

/** Reads it entry by entry where that goes, and by the parser; both must say the same. */
function compare(text: string): UsersText {
  const read = readUsers(text, OPTIONS)
  const { yaml: _, ...whole } = readWhole(text, OPTIONS)
  assert.deepEqual(said(read), said(whole), text)
  return read
}

const word = fc.oneof(
  fc.constantFrom('true', 'False', 'null', '~', 'yes', '0123', '1e3', '.inf', '<<', '', 'é', 'R&D'),
  fc.constantFrom(
    'a b',
    'a  b ',
    'x:',
    'x: y',
    'a #b',
    'a#b',
    '#a',
    '-',
    '- a',
    '*a',
    '&a b',
    '!t',
  ),
  fc.constantFrom(
    'a, b',
    '[a, b]',
    '[]',
    '[ "x" , y ]',
    "['it''s']",
    '[a, [b]]',
    '{a: b}',
    '|',
    '>-',
  ),
  fc.constantFrom('"a"', "'a'", '"a\\n"', '"a', "'a", '"a" b', '"a" #c', '"a"#c', '@a', '%a', '`a'),
  fc.constantFrom(DIGEST, `"${DIGEST}"`, `'${OTHER_DIGEST}'  # new`, `${DIGEST} # it is`, '$5$x'),
  fc.string({
    unit: fc.constantFrom(...'ab:#"\'\\ ,[]{}&*!|>%@`-?\t\u2028\u00a0\0$='),
    maxLength: 6,
  }),
)
const field = fc.tuple(
  fc.constantFrom('displayname', 'password', 'email', 'groups', 'disabled', 'nick', 'address'),
  word,
)
const line = fc.oneof(
  { weight: 6, arbitrary: field.map(([key, value]) => `    ${key}: ${value}`) },
  { weight: 2, arbitrary: word.map((value) => `      - ${value}`) },
  { weight: 1, arbitrary: word.map((value) => `    - ${value}`) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '',
      '   ',
      '# a',
      '      # a',
      '    groups:',
      '    address:',
      '      more',
      '  more',
      '\t',
      '    "displayname": x',
      '    ? a',
      '---',
      '...',
      'users:',
      'other: x',
      ' odd: x',
      '   odd: x',
    ),
  },
)
/** What people write, each key once, and now and then something else. */
const tame = fc
  .uniqueArray(
    fc.constantFrom(
      '    nickname: Al  # so',
      "    email: 'A@example.com'",
      '    groups: [dev, "a b"]',
      '    groups:\n      - dev\n      # more\n      - "x"',
      '    groups:\n    - dev',
      '    groups: []',
      '    disabled: true',
      '    disabled: false # not',
      '    phone_number: +49 301',
      '    address: {country: X}',
      '    middle_name: "a\\tb"',
      "    gender: it's",
      '    given_name: one\n      two',
      '    family_name: |\n      one',
      '    unknown_one: y',
      '',
      '  # a',
      '# b',
    ),
    { maxLength: 5, selector: (text) => text.trim().split(':', 1)[0] },
  )
  .map((lines) => lines.flatMap((text) => text.split('\n')))
const entry = (displayName: string) => [
  `    displayname: ${displayName}`,
  `    password: "${DIGEST}"`,
]
const user = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(
        fc.constantFrom('john', 'bob', '"eve x"', "'ann'", 'x@y.z', 'Bob', 'carl', 'dora', '07'),
        fc.constantFrom('', '', '  # here'),
        tame,
      )
      .map(([name, behind, lines]) => [`  ${name}:${behind}`, ...entry('D E'), ...lines]),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom('true', '12', '? john', '- john', '*a', '&a john', '"j', 'john'),
        fc.constantFrom('', ' ', '  # here', ' &a', ' !!map', ' x', ' {displayname: D}', '#'),
        fc.boolean(),
        fc.array(line, { maxLength: 5 }),
      )
      .map(([name, behind, right, lines]) => [
        `  ${name}:${behind}`,
        ...(right ? entry('"D"') : []),
        ...lines,
      ]),
  },
)
const file = fc
  .tuple(
    fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom('users:', '# a\n\nusers: # b', '\uFEFFusers:') },
      { weight: 1, arbitrary: fc.constantFrom('---\nusers:', 'users: {}', '', 'other: 1\nusers:') },
    ),
    fc.uniqueArray(user, { maxLength: 3, selector: ([name]) => name?.split(':', 1)[0] }),
    fc.constantFrom('\n', '\n', '\r\n', '\r'),
    fc.constantFrom('', '\n', '\n\n# the end', '\n  '),
  )
  .map(([head, users, eol, end]) =>
    [head, ...users.flat()].join('\n').concat(end).replaceAll('\n', eol),
  )

test('what is read entry by entry is what the parser reads, users, warnings, faults and places', () => {
  let apart = 0
  let refused = 0
  fc.assert(
    fc.property(file, (text) => {
      const read = compare(text)
      if (!read.ok) refused++
      else if (read.apart) apart++
    }),
    { numRuns: 6000 },
  )
  // Neither is a rare case among them.
  assert.ok(apart > 300 && refused > 300, `${apart} apart, ${refused} refused`)
})

test('an entry is changed as it would be by reading the whole file, and nothing else is', () => {
  let changes = 0
  fc.assert(
    fc.property(
      file,
      fc.constantFrom('john', 'bob', 'carol'),
      fc.boolean(),
      (text, name, isNew) => {
        const read = readUsers(text, OPTIONS)
        if (!read.ok || !read.apart) return
        const change = isNew
          ? ({ kind: 'new', name, digest: OTHER_DIGEST, displayName: 'N', groups: ['g'] } as const)
          : ({ kind: 'password', name, digest: OTHER_DIGEST } as const)
        const whole = changeUsers(text, change, false, OPTIONS)
        const own = changeUsers(text, change, true, OPTIONS)
        // A name that another user has is asked of the roster: one entry cannot know.
        if (isNew && read.users.some(({ profile }) => profile.name === name)) return
        assert.equal(own.kind, whole.kind, text)
        if (own.kind !== 'changed' || whole.kind !== 'changed') return
        assert.equal(own.text, whole.text)
        assert.deepEqual(own.user, whole.user)
        changes++
      },
    ),
    { numRuns: 3000 },
  )
  assert.ok(changes > 150, `${changes} changes`)
})

test('the usual forms are read without the parser', () => {
  const text = `# people
users:
  john:  # the first
    displayname: "John Doe"
    password: '${DIGEST}'
    email: john.doe@example.com
    groups:
      - admins
      - "dev ops"

  bob:
    disabled: true
    displayname: Bob of Yorkshire
    password: ${DIGEST}   # plain
    groups: [dev, 'a b', "c"]
  'eve.x':
    displayname: Eve
    password: "${DIGEST}"
    groups: []
`
  for (const form of [text, text.replaceAll('\n', '\r\n'), `\uFEFF${text}`, text.trimEnd()]) {
    const pieces = piecesOf(form)
    assert.equal(pieces?.length, 3)
    for (const piece of pieces) assert.ok(readPlain(form, piece) !== undefined)
    const read = compare(form)
    assert.ok(read.ok && read.apart)
    assert.deepEqual(
      read.users.map(({ profile, disabled }) => [profile.name, profile.groups.length, disabled]),
      [
        ['john', 2, false],
        ['bob', 3, true],
        ['eve.x', 0, false],
      ],
    )
  }
})
