/** The text of a users file → its users, or everything that is wrong with it, each with line and column. */
import { createHash } from 'node:crypto'
import { isAlias, isMap, type Node, type Pair, visit } from 'yaml'
import type { Fault, Notice } from '../../../../config/index.ts'
import type { EpochMs } from '../../../../kernel/clock.ts'
import type { ConfigPath } from '../../../../kernel/feature.ts'
import { printable } from '../../../../kernel/printable.ts'
import { type Digest, parseDigest } from '../../../passwords/index.ts'
import { markOf } from '../../password-marks.ts'
import { lookupKey, mailKey } from '../../spellings.ts'
import { own, readAddress, readExtra, readGroups } from './attributes.ts'
import {
  type ExtraAttributes,
  problemOfMoment,
  problemOfName,
  TEXT_FIELDS,
  USER_KEYS,
} from './fields.ts'
import { createReader, type Entry, type Reader } from './reader.ts'
import { type Piece, piecesOf, readPlain } from './scan.ts'
import type { Search, UserRow } from './user-index.ts'
import { isNothing, parseYaml, textOf, textWithPlaces, type YamlText } from './yaml.ts'

export interface ReadOptions {
  /** The file as faults name it. */
  readonly source: string
  /** What joins the groups in the identity header: no group may hold it. '' allows everything. */
  readonly separator: string
  readonly search: Search
  readonly extraAttributes: ExtraAttributes
}

export type UsersText =
  | {
      readonly ok: true
      readonly users: readonly UserRow[]
      readonly warnings: readonly Notice[]
      /** Each entry was read by itself, and can be changed so: none shares anything with another. */
      readonly apart: boolean
    }
  | { readonly ok: false; readonly faults: readonly Fault[] }

/** Never throws for what the text says. A text without any users is a users file too. */
export const readUsers = (text: string, options: ReadOptions): UsersText =>
  readPieces(text, options) ?? readWhole(text, options)

/** As readUsers, by the parser alone; and what it made of the text, for changing it. */
export function readWhole(
  text: string,
  options: ReadOptions,
): UsersText & { readonly yaml?: YamlText } {
  const { source } = options
  const yaml = parseYaml(text)
  if (!('contents' in yaml))
    return { ok: false, faults: yaml.map((complaint) => ({ source, path: '', ...complaint })) }
  const reader = createReader(yaml, source)
  const pairs = usersIn(reader, yaml.contents)
  return { ...read(reader, pairs, options, false), yaml }
}

/** As readUsers, entry by entry; undefined when the entries cannot be told apart, or depend on each other. */
function readPieces(text: string, options: ReadOptions): UsersText | undefined {
  const pieces = piecesOf(text)
  if (pieces === undefined || pieces.length === 0) return undefined
  const reader = createReader(textWithPlaces(text), options.source)
  let odd = false
  function* pairs(): Iterable<Pair<Node, Node | null>> {
    for (const piece of pieces ?? []) {
      const pair = readPlain(text, piece) ?? readOdd(text, piece)
      if (pair === undefined) {
        odd = true
        return
      }
      yield pair
    }
  }
  const result = read(reader, pairs(), options, true)
  return odd ? undefined : result
}

/** What stands before an entry that is read by itself. */
export const BEFORE_PIECE = 'users:\n'

/** An entry by the parser, with its places in the whole text; undefined when it is no entry by itself. */
function readOdd(text: string, { start, end }: Piece): Pair<Node, Node | null> | undefined {
  const yaml = parseYaml(BEFORE_PIECE + text.slice(start, end))
  if (!('contents' in yaml) || !isMap<Node, Node | null>(yaml.contents)) return undefined
  const [users, ...more] = yaml.contents.items
  if (!isMap<Node, Node | null>(users?.value) || more.length > 0) return undefined
  const [pair, ...others] = users.value.items
  if (pair === undefined || others.length > 0) return undefined
  let alone = true
  const shift = start - BEFORE_PIECE.length
  visit(yaml.contents, {
    Node(_, node) {
      if (isAlias(node) || node.anchor !== undefined) alone = false
      if (node.range) {
        const [from, to, behind] = node.range
        node.range = [from + shift, to + shift, behind + shift]
      }
    },
  })
  return alone ? pair : undefined
}

/** The pairs of the map under `users`; none when there is none, which is a fault unless the file is empty. */
function usersIn(reader: Reader, contents: Node | null): readonly Pair<Node, Node | null>[] {
  const top = reader.entries(contents, [], 'a users file')
  for (const { name, key } of top)
    if (name !== 'users') reader.unknownKey(key, [name], name, ['users'])
  const list = top.find(({ name }) => name === 'users')
  if (list !== undefined) return reader.pairs(list.value, ['users'], 'a map of users by name')
  if (!isNothing(contents) && reader.faults.length === 0)
    reader.fault(contents, ['users'], 'is missing', 'a map of users by name')
  return []
}

function read(
  reader: Reader,
  pairs: Iterable<Pair<Node, Node | null>>,
  options: ReadOptions,
  apart: boolean,
): UsersText {
  const take = reader.entriesIn(['users'])
  const users: UserRow[] = []
  const found: Found[] = []
  for (const pair of pairs) {
    const entry = take(pair)
    if (entry === undefined) continue
    const user = readUser(reader, entry, options)
    if (user !== undefined) users.push(user)
    // Not its value: the nodes of a hundred thousand users need not be there at once.
    found.push({ name: entry.name, key: entry.key, mail: user?.profile.email ?? '' })
  }
  checkNames(reader, found, options.search)
  if (options.search.email) checkMails(reader, found, options.search)
  return reader.faults.length > 0
    ? { ok: false, faults: reader.faults }
    : { ok: true, users, warnings: reader.warnings, apart }
}

function readUser(
  reader: Reader,
  { name, key, value }: Entry,
  { separator, extraAttributes }: ReadOptions,
): UserRow | undefined {
  const path: ConfigPath = ['users', name]
  const problem = problemOfName(name)
  if (problem !== undefined) reader.fault(key, path, `is a name that ${problem}`)
  const faultsBefore = reader.faults.length
  const fields = reader.entries(value, path, 'a user')
  // What is no map lacks nothing else.
  if (fields.length === 0 && reader.faults.length > faultsBefore) return undefined
  const texts = new Map<string, string>()
  const more: [string, unknown][] = []
  let digest: Digest | undefined
  let groups: readonly string[] = []
  let disabled = false
  let mustChange = false
  let expires = ''
  for (const { name: field, key: fieldKey, value: node } of fields) {
    const here = [...path, field]
    const problemOf = own(TEXT_FIELDS, field)
    if (problemOf !== undefined) texts.set(field, reader.text(node, here, problemOf))
    else if (field === 'password') digest = readDigest(reader, node, fieldKey, here)
    else if (field === 'groups') groups = readGroups(reader, node, here, separator)
    else if (field === 'disabled') disabled = reader.flag(node, here)
    else if (field === 'must_change_password') mustChange = reader.flag(node, here)
    else if (field === 'expires_at') expires = reader.text(node, here, problemOfMoment)
    else if (field === 'address') more.push([field, readAddress(reader, node, here)])
    else if (field === 'extra') more.push([field, readExtra(reader, node, here, extraAttributes)])
    else reader.unknownKey(fieldKey, here, field, USER_KEYS)
  }
  const displayName = texts.get('displayname') ?? ''
  if (displayName.trim() === '') reader.fault(key, [...path, 'displayname'], 'is missing', 'a text')
  if (!fields.some((field) => field.name === 'password'))
    reader.fault(key, [...path, 'password'], 'is missing', 'a digest')
  if (digest === undefined) return undefined
  const text = digest.text.reveal()
  const everything = [name, text, disabled, groups, [...texts], more, expires, mustChange]
  const attributes = Object.fromEntries([...[...texts].filter(isAttribute), ...more])
  return {
    profile: {
      ...{ name, displayName, email: texts.get('email') ?? '', groups },
      // Checked by problemOfMoment; a faulty file is not taken up.
      ...(expires !== '' && { expiresAt: (Date.parse(expires) || 0) as EpochMs }),
      ...(mustChange && { mustChangePassword: true as const }),
    },
    disabled,
    ...(Object.keys(attributes).length > 0 && { attributes }),
    digest: text,
    mark: markOf(text),
    weight: digest.weight,
    fingerprint: createHash('sha256').update(JSON.stringify(everything)).digest('base64'),
  }
}

const isAttribute = ([key, value]: readonly [string, string]): boolean =>
  key !== 'displayname' && key !== 'email' && value !== ''

function readDigest(
  { follow, fault }: Reader,
  node: Node | null,
  key: Node,
  path: ConfigPath,
): Digest | undefined {
  const value = follow(node, path)
  if (value === undefined) return undefined
  const stored = isNothing(value) ? '' : textOf(value)
  if (stored === undefined) return fault(node, path, 'is not a text', 'a digest')
  if (stored === '') return fault(node ?? key, path, 'is missing', 'a digest')
  // `password: |` ends in a line break, which Authelia passes over too.
  const parsed = parseDigest(stored.replace(/\r?\n$/, ''))
  return parsed.ok ? parsed.digest : fault(node, path, parsed.problem, parsed.hint)
}

/** What is asked of all users together. */
interface Found {
  readonly name: string
  readonly key: Node
  /** '' when there is none. */
  readonly mail: string
}

/** No login may mean two users, and none may be out of reach. */
function checkNames({ fault, warn }: Reader, found: readonly Found[], search: Search): void {
  const names = new Map<string, string>()
  const folded = new Map<string, string>()
  for (const entry of found) {
    const path = ['users', entry.name]
    const name = lookupKey(entry.name, search)
    const fold = lookupKey(entry.name, { caseInsensitive: true })
    const same = names.get(name)
    const similar = folded.get(fold)
    if (same !== undefined)
      fault(entry.key, path, `is the same name as ${printable(same)} at sign-in`)
    else if (search.caseInsensitive && entry.name !== entry.name.toLowerCase())
      fault(entry.key, path, 'is not lower case, as search.case_insensitive wants it')
    else if (similar !== undefined)
      warn(entry.key, path, `differs from ${printable(similar)} in case only`)
    names.set(name, entry.name)
    folded.set(fold, entry.name)
  }
}

function checkMails({ fault }: Reader, found: readonly Found[], search: Search): void {
  const logins = new Map<string, string>()
  for (const { name } of found) logins.set(mailKey(lookupKey(name, search)), name)
  for (const { name, key, mail: written } of found) {
    const mail = mailKey(written)
    if (mail === '') continue
    const other = logins.get(mail)
    if (other !== undefined && other !== name)
      fault(
        key,
        ['users', name, 'email'],
        `is a login of ${printable(other)} already, as search.email is on`,
      )
    logins.set(mail, name)
  }
}
