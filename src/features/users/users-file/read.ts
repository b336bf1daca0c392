/** The text of a users file → its users, or everything that is wrong with it, each with line and column. */
import { createHash } from 'node:crypto'
import type { Node } from 'yaml'
import type { Fault, Notice } from '../../../config/index.ts'
import type { ConfigPath } from '../../../kernel/feature.ts'
import { printable } from '../../../kernel/printable.ts'
import { type Digest, parseDigest } from '../../passwords/index.ts'
import { lookupKey, mailKey, type Search, type UserRecord } from '../roster.ts'
import { own, readAddress, readExtra, readGroups } from './attributes.ts'
import { type ExtraAttributes, problemOfName, TEXT_FIELDS, USER_KEYS } from './fields.ts'
import { createReader, type Entry, type Reader } from './reader.ts'
import { isNothing, parseYaml, textOf, type YamlText } from './yaml.ts'

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
      readonly users: readonly UserRecord[]
      readonly warnings: readonly Notice[]
      /** For changing the text. */
      readonly yaml: YamlText
    }
  | { readonly ok: false; readonly faults: readonly Fault[] }

/** Never throws for what the text says. A text without any users is a users file too. */
export function readUsers(text: string, options: ReadOptions): UsersText {
  const { source } = options
  const yaml = parseYaml(text)
  if (!('contents' in yaml))
    return { ok: false, faults: yaml.map((complaint) => ({ source, path: '', ...complaint })) }
  const reader = createReader(yaml, source)
  const users = readAll(reader, yaml.contents, options)
  return reader.faults.length > 0
    ? { ok: false, faults: reader.faults }
    : { ok: true, users, warnings: reader.warnings, yaml }
}

function readAll(reader: Reader, contents: Node | null, options: ReadOptions): UserRecord[] {
  const top = reader.entries(contents, [], 'a users file')
  for (const { name, key } of top)
    if (name !== 'users') reader.unknownKey(key, [name], name, ['users'])
  const list = top.find(({ name }) => name === 'users')
  if (list === undefined) {
    if (!isNothing(contents) && reader.faults.length === 0)
      reader.fault(contents, ['users'], 'is missing', 'a map of users by name')
    return []
  }
  const found = reader
    .entries(list.value, ['users'], 'a map of users by name')
    .map((entry) => ({ entry, user: readUser(reader, entry, options) }))
  checkNames(reader, found, options.search)
  if (options.search.email) checkMails(reader, found, options.search)
  return found.flatMap(({ user }) => (user === undefined ? [] : [user]))
}

function readUser(
  reader: Reader,
  { name, key, value }: Entry,
  { separator, extraAttributes }: ReadOptions,
): UserRecord | undefined {
  const path: ConfigPath = ['users', name]
  const problem = problemOfName(name)
  if (problem !== undefined) reader.fault(key, path, `is a name that ${problem}`)
  const faultsBefore = reader.faults.length
  const fields = reader.entries(value, path, 'a user')
  // What is no map lacks nothing else.
  if (fields.length === 0 && reader.faults.length > faultsBefore) return undefined
  const texts = new Map<string, string>()
  const more: unknown[] = []
  let digest: Digest | undefined
  let groups: readonly string[] = []
  let disabled = false
  for (const { name: field, key: fieldKey, value: node } of fields) {
    const here = [...path, field]
    const problemOf = own(TEXT_FIELDS, field)
    if (problemOf !== undefined) texts.set(field, reader.text(node, here, problemOf))
    else if (field === 'password') digest = readDigest(reader, node, fieldKey, here)
    else if (field === 'groups') groups = readGroups(reader, node, here, separator)
    else if (field === 'disabled') disabled = reader.flag(node, here)
    else if (field === 'address') more.push(readAddress(reader, node, here))
    else if (field === 'extra') more.push(readExtra(reader, node, here, extraAttributes))
    else reader.unknownKey(fieldKey, here, field, USER_KEYS)
  }
  const displayName = texts.get('displayname') ?? ''
  if (displayName.trim() === '') reader.fault(key, [...path, 'displayname'], 'is missing', 'a text')
  if (!fields.some((field) => field.name === 'password'))
    reader.fault(key, [...path, 'password'], 'is missing', 'a digest')
  if (digest === undefined) return undefined
  const everything = [name, digest.text.reveal(), disabled, groups, [...texts], more]
  return {
    profile: Object.freeze({
      name,
      displayName,
      email: texts.get('email') ?? '',
      groups: Object.freeze(groups),
    }),
    disabled,
    digest,
    fingerprint: createHash('sha256').update(JSON.stringify(everything)).digest('base64'),
  }
}

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

type Found = readonly { readonly entry: Entry; readonly user: UserRecord | undefined }[]

/** No login may mean two users, and none may be out of reach. */
function checkNames({ fault, warn }: Reader, found: Found, search: Search): void {
  const names = new Map<string, string>()
  const folded = new Map<string, string>()
  for (const { entry } of found) {
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

function checkMails({ fault }: Reader, found: Found, search: Search): void {
  const logins = new Map<string, string>()
  for (const { entry } of found) logins.set(mailKey(lookupKey(entry.name, search)), entry.name)
  for (const { entry, user } of found) {
    const mail = mailKey(user?.profile.email ?? '')
    if (mail === '') continue
    const other = logins.get(mail)
    if (other !== undefined && other !== entry.name)
      fault(
        entry.key,
        ['users', entry.name, 'email'],
        `is a login of ${printable(other)} already, as search.email is on`,
      )
    logins.set(mail, entry.name)
  }
}
