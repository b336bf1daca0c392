/**
 * Changes one user in the text of a users file and leaves every other byte as it is. Pure: places come from the parser,
 * the text is cut and joined. What writes the result reads it first and compares (change.ts): a text so odd
 * that a change here reached another user is then refused.
 */
import { isAlias, isMap, isScalar, type Node, type Pair, type YAMLMap } from 'yaml'
import { isNothing, textOf, type YamlText } from './yaml.ts'

export type Edit =
  | { readonly ok: true; readonly text: string }
  /** Why this text cannot be changed by a program, for the administrator. */
  | { readonly ok: false; readonly problem: string }

export type Users = YAMLMap<Node, Node | null>
export type UserPair = Pair<Node, Node | null>

/** @param digest the new value of `password`: no quote, no backslash */
export function replacePassword(yaml: YamlText, name: string, digest: string): Edit {
  const users = usersOf(yaml)
  const user = users?.items.find((pair) => textOf(yaml.follow(pair.key)) === name)?.value
  if (isAlias(user)) return refuse(`the user ${name} is an alias of another one; write it out`)
  const password = isMap<Node, Node | null>(user)
    ? user.items.find((pair) => textOf(yaml.follow(pair.key)) === 'password')?.value
    : undefined
  const range = password?.range
  if (!range) return refuse(`the password of ${name} is not where it should be`)
  const [start, end] = range
  const old = yaml.text.slice(start, end)
  const quote = isScalar(password) && password.type === 'QUOTE_SINGLE' ? "'" : '"'
  // A block scalar takes the end of its last line with it.
  const rest = /\r?\n$/.exec(old)?.[0] ?? ''
  return splice(yaml.text, start, end, `${quote}${digest}${quote}${rest}`)
}

export interface WrittenUser {
  readonly displayName: string
  readonly groups: readonly string[]
  readonly digest: string
  /** Further keys of a users file with their values. */
  readonly more?: FieldValues
}

/** Values by the keys of a users file; undefined: the key is not there. */
export type FieldValues = Readonly<Record<string, unknown>>

/** Adds a user behind the last one, indented like the others. */
export function appendUser(yaml: YamlText, name: string, user: WrittenUser): Edit {
  const { text } = yaml
  const users = usersOf(yaml)
  const last = users?.items.at(-1)
  if (users !== undefined && last !== undefined) {
    return users.flow === true
      ? splice(text, endOf(last), endOf(last), `, ${flowUser(name, user)}`)
      : appendToBlock(text, last, yaml, name, user)
  }
  const lines = blockUser(name, user, '  ', '  ', eolOf(text))
  if (isNothing(yaml.contents))
    return { ok: true, text: `${closed(text)}users:${eolOf(text)}${lines}` }
  const pair = topPair(yaml)
  if (pair === undefined) return refuse('the file is no map with the key users')
  if (isAlias(pair.value)) return refuse('users is an alias; write it out')
  const [start, end] = pair.value?.range ?? [endOf(pair), endOf(pair)]
  if (isMap(yaml.contents) && yaml.contents.flow === true)
    return splice(text, start, end, `{ ${flowUser(name, user)} }`)
  // `users: {}`, `users: ~` and `users:` become a block; a comment on that line stays where it is.
  const alone = start < end && /^[ \t]*(\r?\n|$)/.test(text.slice(end, end + 100))
  const before = text.slice(0, start)
  const without = (alone ? before.trimEnd() : before) + text.slice(end)
  const at = lineEnd(without, pair.key.range?.[1] ?? 0)
  return { ok: true, text: closed(without.slice(0, at)) + lines + without.slice(at) }
}

function appendToBlock(
  text: string,
  last: UserPair,
  yaml: YamlText,
  name: string,
  user: WrittenUser,
): Edit {
  const indent = ' '.repeat(yaml.placeOf(last.key).column - 1)
  const inner =
    isMap<Node, Node | null>(last.value) && last.value.flow !== true ? last.value : undefined
  const [field] = inner?.items ?? []
  const step = field === undefined ? 2 : yaml.placeOf(field.key).column - 1 - indent.length
  const end = endOf(last)
  const from = end > 0 && text[end - 1] === '\n' ? end : lineEnd(text, end)
  const at = behindComments(text, from, indent.length)
  const block = blockUser(name, user, indent, ' '.repeat(Math.max(1, step)), eolOf(text, at))
  return { ok: true, text: closed(text.slice(0, at)) + block + text.slice(at) }
}

/** Comments below the last user that are indented deeper than its name belong to it. */
export function behindComments(text: string, from: number, indent: number): number {
  const comment = /([ \t]*)#[^\n]*(\n|$)/y
  comment.lastIndex = from
  let at = from
  for (let line = comment.exec(text); line !== null; line = comment.exec(text)) {
    if ((line[1] ?? '').length <= indent) break
    at = comment.lastIndex
  }
  return at
}

/** JSON is YAML: whatever is in a text, this is how it is written. */
export const quoted = (value: string): string => JSON.stringify(value)

function blockUser(
  name: string,
  user: WrittenUser,
  indent: string,
  step: string,
  eol: string,
): string {
  const groups = user.groups.map(quoted).join(', ')
  const fields = [
    `displayname: ${quoted(user.displayName)}`,
    `password: ${quoted(user.digest)}`,
    `groups: [${groups}]`,
    ...linesOf(user.more),
  ]
  return [`${indent}${keyOf(name)}:`, ...fields.map((field) => indent + step + field), ''].join(eol)
}

function flowUser(name: string, { displayName, digest, groups, more }: WrittenUser): string {
  const value = JSON.stringify({ displayname: displayName, password: digest, groups, ...more })
  return `${quoted(name)}: ${value}`
}

/** A line a field. */
export const linesOf = (fields: FieldValues = {}): string[] =>
  Object.entries(fields).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}: ${JSON.stringify(value)}`],
  )

/** Plain where YAML 1.1 and 1.2 agree that it is a text. */
const keyOf = (name: string): string =>
  /^[a-z][a-z0-9_.-]*$/i.test(name) && !/^(y|n|yes|no|on|off|true|false|null)$/i.test(name)
    ? name
    : quoted(name)

function topPair({ contents, follow }: YamlText): UserPair | undefined {
  return isMap<Node, Node | null>(contents)
    ? contents.items.find((pair) => textOf(follow(pair.key)) === 'users')
    : undefined
}

export function usersOf(yaml: YamlText): Users | undefined {
  const value = yaml.follow(topPair(yaml)?.value ?? null)
  return isMap<Node, Node | null>(value) ? value : undefined
}

export const endOf = ({ key, value }: UserPair): number => (value ?? key).range?.[1] ?? 0

/** Behind the end of the line that `from` is in. */
export function lineEnd(text: string, from: number): number {
  const newline = text.indexOf('\n', from)
  return newline === -1 ? text.length : newline + 1
}

/** How the line before `at` ends: what is added ends like its neighbour. */
export function eolOf(text: string, at = text.length): string {
  const newline = text.lastIndexOf('\n', at - 1)
  return newline > 0 && text[newline - 1] === '\r' ? '\r\n' : '\n'
}

/** The text with its last line ended. */
const closed = (text: string): string =>
  text === '' || text === '\uFEFF' || text.endsWith('\n') ? text : text + eolOf(text)

const splice = (text: string, start: number, end: number, inserted: string): Edit => ({
  ok: true,
  text: text.slice(0, start) + inserted + text.slice(end),
})

export const refuse = (problem: string): Edit => ({ ok: false, problem })
