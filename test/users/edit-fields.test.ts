import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeUsers } from '../../src/features/users/backends/file/change.ts'
import { readUsers } from '../../src/features/users/backends/file/read.ts'
import { DIGEST } from './store.ts'

const OPTIONS = {
  source: 'users.yml',
  separator: ',',
  search: { email: false, caseInsensitive: false },
  extraAttributes: {},
}

const TEXT = `# Our users
users:
  # the first
  ann:
    displayname: Ann # of sales
    password: ${DIGEST}
    groups:
      - sales
      - "two words"
    given_name: Ann
      # belongs to ann
  # of bob
  bob:
    password: |
      ${DIGEST}
    displayname: Bob
`

function change(text: string, name: string, fields: Readonly<Record<string, unknown>>) {
  const read = readUsers(text, OPTIONS)
  assert.ok(read.ok)
  return changeUsers(text, { kind: 'fields', name, fields }, read.apart, OPTIONS)
}

function textAfter(changed: ReturnType<typeof changeUsers>): string {
  assert.ok(changed.kind === 'changed', JSON.stringify(changed))
  return changed.text
}

test('fields of one user are set, added and taken out, and every other byte stays', () => {
  const fields = {
    displayname: 'A: "B"',
    groups: [],
    disabled: true,
    given_name: undefined,
    expires_at: '2027-01-01T00:00:00.000Z',
  }
  assert.equal(
    textAfter(change(TEXT, 'ann', fields)),
    TEXT.replace('displayname: Ann #', String.raw`displayname: "A: \"B\"" #`)
      .replace('groups:\n      - sales\n      - "two words"\n    given_name: Ann\n', 'groups: []\n')
      .replace(
        '      # belongs to ann\n',
        '    disabled: true\n    expires_at: "2027-01-01T00:00:00.000Z"\n',
      ),
  )
  const bob = textAfter(change(TEXT, 'bob', { email: 'b@example.com', disabled: undefined }))
  assert.equal(bob, `${TEXT}    email: "b@example.com"\n`)
})

test('a user is taken out with the lines that are theirs', () => {
  const read = readUsers(TEXT, OPTIONS)
  assert.ok(read.ok)
  const { apart } = read
  const without = (name: string, text = TEXT, isApart = apart) =>
    textAfter(changeUsers(text, { kind: 'removed', name }, isApart, OPTIONS))
  for (const isApart of [true, false]) {
    const rest = without('ann', TEXT, isApart)
    assert.equal(
      rest,
      TEXT.slice(0, TEXT.indexOf('  ann:')) + TEXT.slice(TEXT.indexOf('  # of bob')),
    )
    const none = without('bob', rest, isApart)
    assert.deepEqual(readUsers(none, OPTIONS).ok && 'empty', 'empty')
    assert.match(none, /# Our users.*# of bob\n$/s)
  }
})

test('users in braces are changed and taken out too', () => {
  const one = (name: string) => `${name}: { displayname: ${name}, password: "${DIGEST}" }`
  const text = `users: { ${one('ann')}, ${one('bob')}, ${one('cy')} }\n`
  assert.equal(
    textAfter(change(text, 'bob', { disabled: true, displayname: 'B' })),
    text
      .replace('displayname: bob', 'displayname: "B"')
      .replace(/(bob: [^}]*") \}/, '$1, disabled: true }'),
  )
  for (const [name, rest] of [
    ['ann', ['bob', 'cy']],
    ['bob', ['ann', 'cy']],
    ['cy', ['ann', 'bob']],
  ] as const) {
    const after = textAfter(changeUsers(text, { kind: 'removed', name }, false, OPTIONS))
    const read = readUsers(after, OPTIONS)
    assert.deepEqual(read.ok && read.users.map(({ profile }) => profile.name), rest)
  }
})

test('what cannot be is refused with the field, and nothing is written', () => {
  for (const [fields, path] of [
    [{ email: 'no mail' }, 'users.ann.email'],
    [{ displayname: ' ' }, 'users.ann.displayname'],
    [{ groups: ['a,b'] }, 'users.ann.groups[0]'],
    [{ expires_at: 'tomorrow' }, 'users.ann.expires_at'],
  ] as const) {
    const changed = change(TEXT, 'ann', fields)
    assert.ok(changed.kind === 'invalid', JSON.stringify(changed))
    assert.deepEqual(
      changed.faults.map((fault) => fault.path),
      [path],
    )
  }
})

test('a user who shares fields with another by an alias is changed by hand', () => {
  const text = `users:
  ann: &ann
    displayname: Ann
    password: ${DIGEST}
  bob: *ann
`
  assert.equal(change(text, 'ann', { disabled: true }).kind, 'refused')
  assert.equal(change(text, 'bob', { disabled: true }).kind, 'refused')
})
