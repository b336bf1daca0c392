import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  appendUser,
  type Edit,
  replacePassword,
} from '../../src/features/users/backends/file/edit.ts'
import { readUsers } from '../../src/features/users/backends/file/read.ts'
import { parseYaml, type YamlText } from '../../src/features/users/backends/file/yaml.ts'
import { DIGEST, OTHER_DIGEST, SECRET_DIGEST } from './store.ts'

function yamlOf(text: string): YamlText {
  const yaml = parseYaml(text)
  assert.ok('contents' in yaml, JSON.stringify(yaml))
  return yaml
}
function textOf(edit: Edit): string {
  assert.ok(edit.ok, edit.ok ? '' : edit.problem)
  return edit.text
}
function usersOf(text: string) {
  const read = readUsers(text, {
    source: 'users.yml',
    separator: ',',
    search: { email: false, caseInsensitive: false },
    extraAttributes: {},
  })
  assert.ok(read.ok, read.ok ? '' : JSON.stringify(read.faults))
  return new Map(read.users.map((user) => [user.profile.name, user]))
}
/** The lines of the second text that are not the first one's, and the other way round. */
function diff(before: string, after: string): { gone: string[]; come: string[] } {
  const [a, b] = [before.split('\n'), after.split('\n')]
  let start = 0
  while (start < a.length && a[start] === b[start]) start++
  let end = 0
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end))
    end++
  return { gone: a.slice(start, a.length - end), come: b.slice(start, b.length - end) }
}

const NASTY = `\uFEFF# People. Do not touch!   \r
---
version: 3   # ours, nobody else's
users:   # everybody

    john  :   {displayname: "J, \\u00d8", password:    '${DIGEST}' , groups: [ a,b , 'c d' ] }   # flow
    # between
    "harry p":
          password:   "${DIGEST}"   # do not share
          displayname:   >-
             Harry
             Potter
          groups:
          - x

          - "y"
          nonsense: {keep: [me, ~, 0x1F, 1_000]}
    ? bob
    : displayname: !!str Bob
      password: |-
        ${DIGEST}
      # a comment in bob
      email:

    james: &james
        displayname: James
        password:
           ${DIGEST}
        groups: &staff
           - staff
    'o''hara': { "displayname": O'Hara, "password": ${JSON.stringify(DIGEST)}, "groups": *staff }
    last:
        displayname: Last
        password: ${DIGEST}  # trailing
        # belongs to last
  # belongs to nobody
other:
  - kept\t
...
`

for (const name of ['john', 'harry p', 'bob', 'james', "o'hara", 'last']) {
  test(`a new password of ${name} changes no line of anybody else, and nothing else of theirs`, () => {
    const before = usersOf(NASTY)
    const text = textOf(replacePassword(yamlOf(NASTY), name, OTHER_DIGEST))
    const after = usersOf(text)
    assert.deepEqual([...after.keys()], [...before.keys()])
    for (const [other, user] of after) {
      if (other === name) {
        assert.equal(user.digest, OTHER_DIGEST)
        assert.deepEqual(user.profile, before.get(other)?.profile)
      } else assert.equal(user.fingerprint, before.get(other)?.fingerprint, other)
    }
    const { gone, come } = diff(NASTY, text)
    const touched = gone.join('\n')
    assert.ok(touched.includes(DIGEST) && gone.length <= 2, touched)
    assert.equal(touched.split(DIGEST).length, 2, 'one digest went')
    assert.equal(come.join('\n').split(OTHER_DIGEST).length, 2)
    // Put the old one back, and but for quotes and folding it is the file of before.
    const bare = (line: string) => line.replace(/["'\s]|\|-/g, '')
    assert.equal(bare(come.join('')).replace(OTHER_DIGEST, DIGEST), bare(touched))
  })
}

test('a second change changes the same bytes only', () => {
  const once = textOf(replacePassword(yamlOf(NASTY), 'last', OTHER_DIGEST))
  const twice = textOf(replacePassword(yamlOf(once), 'last', SECRET_DIGEST))
  assert.equal(twice, once.replace(OTHER_DIGEST, SECRET_DIGEST))
})

test('a user who is an alias of another one is not changed', () => {
  const text = `users:\n  a: &a\n    displayname: A\n    password: ${DIGEST}\n  b: *a\n`
  const edit = replacePassword(yamlOf(text), 'b', OTHER_DIGEST)
  assert.ok(!edit.ok)
  assert.match(edit.problem, /alias/)
})

const EVE = {
  displayName: 'Eve "E" \\ #1: yes',
  groups: ['a b', '*x', '- y'],
  digest: OTHER_DIGEST,
}
const BEFORE: readonly (readonly [what: string, text: string])[] = [
  ['the nasty one', NASTY],
  ['nothing', ''],
  ['comments', '# a\n# b'],
  ['a byte order mark', '\uFEFF'],
  ['no users', 'users:\n'],
  ['no users, no line end', 'users:'],
  ['no users and a comment', 'users: # nobody yet\n# more\nother: 1\n'],
  ['an empty map', 'users: {}  # none\n'],
  ['an empty map and more', 'a: 1\nusers: {}\nz: 2\n'],
  ['an empty map below', 'users:\n  {}\nz: 2\n'],
  ['a tilde', 'users: ~\nz: 2\n'],
  ['JSON', `{"users": {"a": {"displayname": "A", "password": "${DIGEST}"}}, "z": 1}`],
  ['JSON without users', '{"users": {}, "z": 1}\n'],
  ['a flow map over lines', `users: {\n  a: {displayname: A, password: "${DIGEST}"}, # c\n}\n`],
  ['Windows', `users:\r\n  a:\r\n    displayname: A\r\n    password: ${DIGEST}\r\n`],
  ['no line end', `users:\n  a:\n    displayname: A\n    password: ${DIGEST}`],
  ['no indentation to speak of', `users:\n a:\n  displayname: A\n  password: ${DIGEST}\nz: 1\n`],
  [
    'much of it',
    `users:\n      a:\n              displayname: A\n              password: ${DIGEST}\n\n\n# end\n`,
  ],
  ['users first', `users:\n  a: {displayname: A, password: "${DIGEST}"} # c\n\nz: {a: 1}\n`],
  [
    'a block scalar at the end',
    `users:\n  a:\n    displayname: A\n    password: |\n      ${DIGEST}\n`,
  ],
]
for (const [what, text] of BEFORE) {
  test(`a user is added behind ${what}`, () => {
    const before = usersOf(text)
    const added = textOf(appendUser(yamlOf(text), 'eve', EVE))
    const after = usersOf(added)
    assert.deepEqual([...after.keys()], [...before.keys(), 'eve'])
    for (const [name, user] of before) assert.equal(after.get(name)?.fingerprint, user.fingerprint)
    const eve = after.get('eve')
    assert.deepEqual(
      [eve?.profile.displayName, eve?.profile.groups, eve?.digest],
      [EVE.displayName, EVE.groups, EVE.digest],
    )
    for (const line of text.split('\n')) {
      if (line.includes('#')) assert.ok(added.includes(line.slice(line.indexOf('#')).trim()), line)
    }
    if (text.includes('\r\n') && !text.includes('\uFEFF'))
      assert.ok(!/[^\r]\n/.test(added), 'line ends are of one kind')
  })
}

test('a user is added behind the comments of the last one, before those of nobody', () => {
  const added = textOf(appendUser(yamlOf(NASTY), 'eve', EVE))
  const { gone, come } = diff(NASTY, added)
  assert.deepEqual(gone, [])
  assert.equal(come[0], '    eve:')
  assert.equal(come[1]?.search(/\S/), 8)
  assert.match(added, /# belongs to last\n {4}eve:/)
  assert.match(added, /\n {2}# belongs to nobody\nother:/)
})

test('any name, however odd, is added as itself and found again', () => {
  const base = `users:\n  first:\n    displayname: F\n    password: ${DIGEST}\n`
  const name = fc
    .oneof(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
      fc.constantFrom(
        'null',
        'true',
        'yes',
        'on',
        '~',
        '0x1f',
        '1e3',
        '- a',
        '? a',
        '#a',
        '&a',
        '*a',
      ),
      fc.constantFrom(
        '!a',
        'a: b',
        'a #b',
        '"a"',
        "'a'",
        '[a]',
        '{a}',
        '<<',
        '%a',
        '@a',
        '`a',
        '=',
        '.',
      ),
    )
    .filter((text) => !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(text) && text === text.trim())
    .filter((text) => text !== 'first')
  fc.assert(
    fc.property(name, (odd) => {
      const added = textOf(appendUser(yamlOf(base), odd, EVE))
      assert.ok(added.startsWith(base))
      assert.deepEqual([...usersOf(added).keys()], ['first', odd])
      const changed = textOf(replacePassword(yamlOf(added), odd, SECRET_DIGEST))
      assert.equal(changed, added.replace(OTHER_DIGEST, SECRET_DIGEST))
    }),
  )
})
