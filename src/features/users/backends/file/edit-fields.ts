/** Sets fields of one user in the text of a users file, or takes the user out; every other byte stays as it is (edit.ts). */
import { isAlias, isMap, type Node, type YAMLMap } from 'yaml'
import {
  behindComments,
  type Edit,
  endOf,
  eolOf,
  type FieldValues,
  lineEnd,
  linesOf,
  refuse,
  type UserPair,
  usersOf,
} from './edit.ts'
import { startOf, textOf, type YamlText } from './yaml.ts'

/** What stands between two offsets is replaced. */
interface Splice {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** A value of undefined takes the key out. */
export function setFields(yaml: YamlText, name: string, fields: FieldValues): Edit {
  const user = pairOf(yaml, name)?.value
  if (isAlias(user)) return refuse(`the user ${name} is an alias of another one; write it out`)
  if (!isMap<Node, Node | null>(user)) return refuse(`the fields of ${name} are no map`)
  const splices: Splice[] = []
  const added: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(fields)) {
    const pair = user.items.find((item) => textOf(yaml.follow(item.key)) === key)
    if (pair === undefined) added[key] = value
    else splices.push(value === undefined ? without(yaml, user, pair) : replaced(yaml, pair, value))
  }
  const lines = linesOf(added)
  if (lines.length > 0) splices.push(behindLast(yaml, user, lines))
  return { ok: true, text: apply(yaml.text, splices) }
}

export function removeUser(yaml: YamlText, name: string): Edit {
  const users = usersOf(yaml)
  const pair = pairOf(yaml, name)
  if (users === undefined || pair === undefined) return refuse(`${name} is not where it should be`)
  return { ok: true, text: apply(yaml.text, [without(yaml, users, pair)]) }
}

const pairOf = (yaml: YamlText, name: string): UserPair | undefined =>
  usersOf(yaml)?.items.find((pair) => textOf(yaml.follow(pair.key)) === name)

/** The last change first: it moves nothing that comes before it. */
const apply = (text: string, splices: readonly Splice[]): string =>
  [...splices]
    .sort((a, b) => b.start - a.start || b.end - a.end)
    .reduce((rest, { start, end, text: by }) => rest.slice(0, start) + by + rest.slice(end), text)

/** The whole value: a list in several lines becomes one line. */
function replaced({ text }: YamlText, pair: UserPair, value: unknown): Splice {
  const start = text.indexOf(':', pair.key.range?.[1] ?? 0) + 1
  return {
    start,
    end: Math.max(start, trimmedEnd(text, endOf(pair))),
    text: ` ${JSON.stringify(value)}`,
  }
}

function trimmedEnd(text: string, from: number): number {
  let end = from
  while (/\s/.test(text[end - 1] ?? '')) end--
  return end
}

function without(yaml: YamlText, map: YAMLMap<Node, Node | null>, pair: UserPair): Splice {
  const { text } = yaml
  const start = startOf(pair.key)
  if (map.flow !== true) {
    const from = text.lastIndexOf('\n', start - 1) + 1
    const end = lineEnd(text, trimmedEnd(text, endOf(pair)))
    return { start: from, end: behindComments(text, end, start - from), text: '' }
  }
  const at = map.items.indexOf(pair)
  const [before, after] = [map.items[at - 1], map.items[at + 1]]
  if (before !== undefined) return { start: endOf(before), end: endOf(pair), text: '' }
  return { start, end: after === undefined ? endOf(pair) : startOf(after.key), text: '' }
}

function behindLast(
  yaml: YamlText,
  user: YAMLMap<Node, Node | null>,
  lines: readonly string[],
): Splice {
  const { text } = yaml
  const last = user.items.at(-1)
  if (last === undefined || user.flow === true) {
    const at = last === undefined ? (user.range?.[0] ?? 0) + 1 : endOf(last)
    return { start: at, end: at, text: `${last === undefined ? '' : ', '}${lines.join(', ')}` }
  }
  const indent = yaml.placeOf(last.key).column - 1
  const end = trimmedEnd(text, endOf(last))
  const at = behindComments(text, lineEnd(text, end), indent)
  const eol = eolOf(text, at)
  const before = text[at - 1] === '\n' ? '' : eol
  const block = lines.map((line) => ' '.repeat(indent) + line + eol).join('')
  return { start: at, end: at, text: before + block }
}
