/** Walks a users file: values out of nodes, and what is wrong with them, each with its place. */
import { isMap, isScalar, type Node, type Pair } from 'yaml'
import type { Fault, Notice } from '../../../../config/index.ts'
import { nearest } from '../../../../config/nearest.ts'
import { formatPath } from '../../../../config/tree.ts'
import type { ConfigPath } from '../../../../kernel/feature.ts'
import { printable } from '../../../../kernel/printable.ts'
import type { TextField } from './fields.ts'
import { isNothing, textOf, type YamlText } from './yaml.ts'

export interface Entry {
  readonly name: string
  readonly key: Node
  readonly value: Node | null
}

/** Values read, each time an alias is used counted: at least so many, and as many as the text has characters. */
const MIN_VALUES = 1_000_000

export type Reader = ReturnType<typeof createReader>
type Report = ReturnType<typeof createReport>

/** @param source the file as faults name it */
export function createReader(yaml: YamlText, source: string) {
  const report = createReport(yaml, source)
  return { ...report, ...mapsIn(yaml, report), ...scalarsIn(report), placeOf: yaml.placeOf }
}

/** What is wrong with the text; and aliases, which are followed as far as they may be. */
function createReport(yaml: YamlText, source: string) {
  const faults: Fault[] = []
  const warnings: Notice[] = []
  // Without aliases a text has fewer values than characters.
  const most = Math.max(MIN_VALUES, yaml.text.length)
  let values = 0

  const at = (node: Node | null, path: ConfigPath) => ({
    source,
    ...yaml.placeOf(node),
    path: printable(formatPath(path)),
  })

  function fault(
    node: Node | null,
    path: ConfigPath,
    message: string,
    allowed?: string,
  ): undefined {
    faults.push({ ...at(node, path), message, ...(allowed !== undefined && { allowed }) })
  }

  function warn(node: Node | null, path: ConfigPath, message: string): void {
    warnings.push({ ...at(node, path), message })
  }

  /** The value an alias stands for; counts, so that aliases cannot multiply without end. */
  function follow(node: Node | null, path: ConfigPath): Node | null | undefined {
    values++
    if (values === most)
      fault(node, path, `holds more than ${most} values once its aliases are written out`)
    if (values >= most) return undefined
    const target = yaml.follow(node)
    return target === undefined ? fault(node, path, 'is an alias of nothing') : target
  }

  return { faults, warnings, fault, warn, follow }
}

function mapsIn(yaml: YamlText, { fault, warn, follow }: Report) {
  /** The entries of a map; nothing is an empty one. What is no map, and keys that are none, are faults. */
  function entries(node: Node | null, path: ConfigPath, what: string): Entry[] {
    return pairs(node, path, what)
      .map(entriesIn(path))
      .filter((entry) => entry !== undefined)
  }

  /** As it stands there; what is no map is a fault. */
  function pairs(
    node: Node | null,
    path: ConfigPath,
    what: string,
  ): readonly Pair<Node, Node | null>[] {
    const map = follow(node, path)
    if (map === undefined || isNothing(map)) return []
    if (!isMap<Node, Node | null>(map)) {
      fault(node, path, `is not ${what}`, 'a map')
      return []
    }
    return map.items
  }

  /** Takes the pairs of a map one after the other; undefined for those that are faults, a name's second one among them. */
  function entriesIn(path: ConfigPath): (pair: Pair<Node, Node | null>) => Entry | undefined {
    const keys = new Map<string, Node>()
    return (pair) => {
      const entry = entryOf(pair, path)
      if (entry === undefined) return undefined
      const first = keys.get(entry.name)
      if (first === undefined) {
        keys.set(entry.name, entry.key)
        return entry
      }
      const { line } = yaml.placeOf(first)
      return fault(entry.key, [...path, entry.name], `is given twice; first in line ${line}`)
    }
  }

  function entryOf({ key, value }: Pair<Node, Node | null>, path: ConfigPath): Entry | undefined {
    const name = textOf(follow(key, path))
    if (name === undefined) return fault(key, path, 'has a key that is no text')
    // What is merged in could be `disabled: true`: to ignore it would let a disabled user in.
    if (name === '<<' && isScalar(key) && key.type === 'PLAIN')
      return fault(key, path, 'merges (<<) another map; write its keys out')
    return { name, key, value }
  }

  function unknownKey(key: Node, path: ConfigPath, name: string, known: readonly string[]): void {
    const near = nearest(name, known)
    // A slip in this one key must not let a disabled user in.
    if (near === 'disabled') fault(key, path, 'unknown key', 'disabled')
    else warn(key, path, `unknown key${near === undefined ? '' : `; did you mean ${near}?`}`)
  }

  return { entries, entriesIn, pairs, unknownKey }
}

function scalarsIn({ fault, follow }: Report) {
  /** A text; '' when there is none. */
  function text(node: Node | null, path: ConfigPath, problemOf: TextField): string {
    const value = follow(node, path)
    if (value === undefined || isNothing(value)) return ''
    const read = textOf(value)
    const problem = read === undefined ? 'is not a text' : problemOf(read)
    if (problem !== undefined) fault(node, path, problem)
    return read ?? ''
  }

  function flag(node: Node | null, path: ConfigPath): boolean {
    const value = follow(node, path)
    if (value === undefined || isNothing(value)) return false
    if (isScalar(value) && typeof value.value === 'boolean') return value.value
    fault(node, path, 'is neither true nor false', 'true, false')
    return false
  }

  return { text, flag }
}
