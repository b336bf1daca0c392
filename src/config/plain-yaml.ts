/**
 * Reads plain YAML quickly: block maps, block lists and one-line values, which generated files consist of.
 *
 * Parsing is most of a start with ten thousand rules. This reader takes a text only when each of its lines has one of
 * the few forms below. For any other text it returns undefined, and the parser of `yaml` reads the whole of it. It must
 * never return a tree that differs from the parser's, in a value or in a place: the tests compare both.
 */
import { NOT_PLAIN, PlainLines } from './plain-lines.ts'
import type { Entry, MapTree, Origin, ScalarTree, Tree } from './tree.ts'

/** In quotes without an escape, perhaps with a comment behind it. */
const QUOTED = /^(?:'([^']*)'|"([^"\\]*)")(?: *| +#.*)$/
/** Without quotes. No character that YAML gives a meaning to stands at the beginning. */
const PLAIN = /^(?:[\w/^(\\]|\.\*)[ -~]*$/
/** One of `[a, 'b', "c"]`, with the comma or the bracket behind it. */
const FLOW_ITEM =
  /(?:'([^']*)'|"([^"\\]*)"|([A-Za-z][\w./-]*)) *(?:, *(?=[A-Za-z'"])|(\])(?: *| +#.*)$)/y
/** The parser reads these as a truth or as nothing, in several spellings. */
const WORD = /^(?:true|false|null)$/i
/** `readYaml` refuses this one. */
const PROTOTYPE = '__proto__'
/** What begins with a digit and is a number in YAML's core schema. */
const NUMBER = /^(?:0x[0-9a-f]+|0o[0-7]+|\d+(?:\.\d*)?(?:e[-+]?\d+)?)$/i
const INTEGER = /^(?:0|[1-9]\d{0,14})$/
/** Control characters and tabs; `{{ … }}` and `${NAME}`, on which `readYaml` has to report. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const SPECIAL = /[\0-\x09\x0b-\x1f\x7f\ufeff]|\{\{|\$\{/
/** More than a configuration needs. The parser knows the limits, and how to report them. */
const MAX_DEPTH = 32
const MAX_FLOW_ITEMS = 500_000

/**
 * @param source the file as the operator named it
 * @returns the tree that `readYaml` returns without faults and templates; undefined when the text is not plain
 */
export function readPlainYaml(text: string, source: string): MapTree | undefined {
  if (SPECIAL.test(text)) return undefined
  try {
    return parse(text, source)
  } catch (error) {
    if (error === NOT_PLAIN) return undefined
    throw error
  }
}

/** What stands at an indentation that no block around it has is left over in the end: such a text is not plain. */
function parse(text: string, source: string): MapTree {
  const lines = new PlainLines(text)
  let flowItems = 0

  function map(indent: number, at: Origin, depth: number): MapTree {
    if (depth > MAX_DEPTH) throw NOT_PLAIN
    const entries = new Map<string, Entry>()
    while (lines.kind === 'key' && lines.indent === indent) {
      const { key, rest, column } = lines
      if (WORD.test(key) || key === PROTOTYPE || entries.has(key)) throw NOT_PLAIN
      const keyAt = { source, line: lines.line, column: indent + 1 }
      lines.advance()
      const value =
        rest === ''
          ? below(indent, keyAt, depth)
          : rest.startsWith('[')
            ? flow(rest, keyAt, column)
            : scalar(rest, keyAt)
      entries.set(key, { at: keyAt, value })
    }
    return { kind: 'map', entries, at }
  }

  /** What stands below a key. A list may stand at the indentation of its key. */
  function below(indent: number, at: Origin, depth: number): Tree {
    if (lines.kind === 'item' && lines.indent >= indent) return list(lines.indent, at, depth + 1)
    if (lines.kind === 'key' && lines.indent > indent) return map(lines.indent, at, depth + 1)
    return { kind: 'scalar', value: null, at }
  }

  function list(indent: number, at: Origin, depth: number): Tree {
    const items: Tree[] = []
    while (lines.kind === 'item' && lines.indent === indent) {
      const { rest, line, column } = lines
      lines.advance()
      const itemAt = { source, line, column }
      items.push(rest === '' ? map(indent + 2, itemAt, depth + 1) : scalar(rest, itemAt))
    }
    return { kind: 'list', items, at }
  }

  function flow(rest: string, at: Origin, column: number): Tree {
    const items: Tree[] = []
    FLOW_ITEM.lastIndex = 1
    for (;;) {
      const itemAt = { source, line: at.line ?? 1, column: column + FLOW_ITEM.lastIndex }
      const match = FLOW_ITEM.exec(rest)
      if (match === null || ++flowItems > MAX_FLOW_ITEMS) throw NOT_PLAIN
      const [, single, double, plain, end] = match
      items.push(
        plain === undefined ? textAt(single ?? double ?? '', itemAt) : scalar(plain, itemAt),
      )
      if (end !== undefined) return { kind: 'list', items, at }
    }
  }

  if (lines.kind === 'end') throw NOT_PLAIN
  const root = map(0, { source, line: 1, column: 1 }, 0)
  // The comparison above has narrowed a field that `map` changes.
  if ((lines.kind as string) !== 'end') throw NOT_PLAIN
  return root
}

function scalar(written: string, at: Origin): ScalarTree {
  const first = written.charCodeAt(0)
  if (first === 0x22 || first === 0x27) {
    const quoted = QUOTED.exec(written)
    if (quoted === null) throw NOT_PLAIN
    return textAt(quoted[1] ?? quoted[2] ?? '', at)
  }
  const comment = written.indexOf(' #')
  const value = comment === -1 && !written.endsWith(' ') ? written : trimmed(written, comment)
  if (WORD.test(value)) {
    if (value !== 'true' && value !== 'false') throw NOT_PLAIN
    return { kind: 'scalar', value: value === 'true', at, source: value }
  }
  if (!PLAIN.test(value) || value.includes(': ') || value.endsWith(':')) throw NOT_PLAIN
  if (first > 0x39 || !NUMBER.test(value)) return textAt(value, at)
  if (!INTEGER.test(value)) throw NOT_PLAIN
  return { kind: 'scalar', value: Number(value), at, source: value }
}

const trimmed = (written: string, comment: number): string =>
  (comment === -1 ? written : written.slice(0, comment)).replace(/ +$/, '')

function textAt(value: string, at: Origin): ScalarTree {
  // The name of a variable, perhaps.
  if (value.startsWith('$')) throw NOT_PLAIN
  return { kind: 'scalar', value, at }
}
