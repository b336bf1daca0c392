/** One YAML file → a tree that knows its places, and everything that is wrong with it. Refuses, never throws. */
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLMap,
} from 'yaml'
import type { ConfigPath } from '../kernel/feature.ts'
import { type Fault, placeOf } from './faults.ts'
import { type Entry, formatPath, type MapTree, type Origin, type Tree } from './tree.ts'
import { syntaxFault } from './yaml-faults.ts'

/** Deeper than any key of ours; an alias that contains itself ends here too. */
const MAX_DEPTH = 64
/** Values after aliases are expanded; ten thousand rules have a tenth as many. */
const MAX_NODES = 1_000_000

export interface Template {
  readonly path: ConfigPath
  readonly at: Origin
  /** A shell's `${NAME}` or `$NAME`, and not `{{ … }}`. */
  readonly isVariable?: true
  /** No filter was asked for that would replace it: it is a text like any other. */
  readonly isText?: true
}
/** `${NAME}` anywhere, `$NAME` as the whole value. Authelia's Content-Security-Policy has a `${NONCE}` of its own. */
const VARIABLE = /\$\{(?!NONCE\})[A-Za-z_]\w*\}|^\$[A-Z_][A-Z0-9_]*$/
export interface YamlFile {
  /** Undefined when the text is no YAML: nothing more can be said about it. */
  readonly tree: MapTree | undefined
  readonly faults: readonly Fault[]
  /** Where `{{ … }}` or `${NAME}` stands as a value; the part of the tree is marked unread. */
  readonly templates: readonly Template[]
}

/**
 * @param source the file as the operator named it: how faults will name it
 * @param filters that were asked for; without `template` `{{ … }}` is text, without `expand-env` `${NAME}` is
 */
export function readYaml(text: string, source: string, filters: readonly string[] = []): YamlFile {
  const lines = new LineCounter()
  const place = (offset: number): Origin => {
    const { line, col } = lines.linePos(offset)
    return { source, line: Math.max(1, line), column: Math.max(1, col) }
  }
  let document: Document.Parsed
  try {
    document = parseDocument(text, {
      prettyErrors: false,
      // Ours is linear, and names both places.
      uniqueKeys: false,
      lineCounter: lines,
    })
  } catch (error) {
    // The parser recurses; a stack that ran out is an answer about the file, anything else is a bug.
    if (!(error instanceof RangeError)) throw error
    return broken({ ...place(0), path: '', message: 'is nested too deeply' })
  }
  const fault = syntaxFault(document, text)
  if (fault !== undefined) {
    const template = document.errors.length > 0 ? templateIn(text) : undefined
    // One: what a parser says after its first error is mostly about the first.
    return template === undefined
      ? broken({ ...place(fault.offset), path: '', message: fault.message })
      : { tree: undefined, faults: [], templates: [{ path: [], at: place(template) }] }
  }
  return convert(document, text, place, filters)
}

const broken = (fault: Fault): YamlFile => ({ tree: undefined, faults: [fault], templates: [] })

/** Offset of the first `{{` that is not behind a `#`; only asked when the text is no YAML anyway. */
function templateIn(text: string): number | undefined {
  let offset = 0
  for (const line of text.split('\n')) {
    const at = line.indexOf('{{')
    const comment = line.search(/(^|\s)#/)
    if (at !== -1 && (comment === -1 || at < comment)) return offset + at
    offset += line.length + 1
  }
  return undefined
}

function convert(
  document: Document.Parsed,
  text: string,
  place: (offset: number) => Origin,
  filters: readonly string[],
): YamlFile {
  const faults: Fault[] = []
  const templates: Template[] = []
  const anchors = new Map<string, Node>()
  let budget = MAX_NODES
  /** The rest of the file is not looked at. */
  let exhausted: Fault | undefined
  let expanding = 0
  const start: Origin = place(0)
  const fault = (at: Origin, path: ConfigPath, message: string) => {
    faults.push({ ...placeOf(at), path: formatPath(path), message })
  }
  const unread = (at: Origin): Tree => ({ kind: 'scalar', value: null, at, unread: true })
  const template = (at: Origin, path: ConfigPath): Tree => {
    templates.push({ path, at })
    return unread(at)
  }

  function value(node: Node | null, path: ConfigPath, at: Origin, depth: number): Tree {
    if (exhausted !== undefined) return unread(at)
    if (--budget < 0 || depth > MAX_DEPTH) {
      const message = depth > MAX_DEPTH ? 'is nested too deeply' : 'has too many values'
      exhausted = { ...placeOf(at), path: '', message }
      return unread(at)
    }
    if (node === null) return { kind: 'scalar', value: null, at }
    if (isAlias(node)) {
      const target = anchors.get(node.source)
      if (target === undefined) {
        fault(
          at,
          path,
          'names an anchor that is not defined above it; quote a value that begins with *',
        )
        return unread(at)
      }
      expanding++
      const copy = value(target, path, at, depth + 1)
      expanding--
      return copy
    }
    // What is inside an alias was defined where its anchor stands, not here.
    if (expanding === 0 && 'anchor' in node && node.anchor !== undefined)
      anchors.set(node.anchor, node)
    if (isMap(node)) return map(node, path, at, depth)
    if (isSeq(node)) {
      const items = node.items.map((item, index) => {
        // Sequences hold nodes once a document was parsed; the type allows plain values for documents made by hand.
        const child = item as Node | null
        const childAt = child?.range ? place(child.range[0]) : at
        return value(child, [...path, index], childAt, depth + 1)
      })
      return { kind: 'list', items, at }
    }
    if (!isScalar(node)) return unread(at)
    const { value: plain } = node
    if (typeof plain === 'string') {
      const isTemplate = /\{\{.*\}\}/s.test(plain)
      if (isTemplate && filters.includes('template')) return template(at, path)
      const isVariable = !isTemplate && VARIABLE.test(plain)
      const isText = !isVariable || !filters.includes('expand-env')
      if (isTemplate || isVariable)
        templates.push({
          path,
          at,
          ...(isVariable && { isVariable: true }),
          ...(isText && { isText: true }),
        })
      return isText ? { kind: 'scalar', value: plain, at } : unread(at)
    }
    if (plain === null) {
      // `secret: &abc` is an anchor on nothing, and was meant as a text.
      if (expanding === 0 && node.anchor !== undefined)
        fault(at, path, 'is an anchor and has no value; quote a value that begins with &')
      return { kind: 'scalar', value: plain, at }
    }
    if (typeof plain === 'number' || typeof plain === 'boolean')
      return { kind: 'scalar', value: plain, at, source: node.source ?? String(plain) }
    fault(at, path, 'has a tag (!…) that has no meaning here')
    return unread(at)
  }

  function map(node: YAMLMap, path: ConfigPath, at: Origin, depth: number): Tree {
    // `key: {{ env "X" }}` is a map with a map as its key, to YAML.
    if (node.flow && node.range && text.startsWith('{{', node.range[0])) return template(at, path)
    const own = new Map<string, Entry>()
    const merged = new Map<string, Entry>()
    for (const pair of node.items) {
      // As above: parsed pairs hold nodes.
      const { key, value: child } = pair as Pair<Node, Node | null>
      const keyAt = key?.range ? place(key.range[0]) : at
      if (!isScalar(key) || key.value === null) {
        fault(keyAt, path, 'has a key that is no plain word')
        continue
      }
      const name = typeof key.value === 'string' ? key.value : (key.source ?? String(key.value))
      const childPath = [...path, name]
      if (name === '<<' && key.type === 'PLAIN') {
        mergeInto(merged, child, path, keyAt, depth)
        continue
      }
      if (name === '__proto__') {
        fault(keyAt, childPath, 'unknown key')
        continue
      }
      const first = own.get(name)
      if (first !== undefined) {
        fault(keyAt, childPath, `is given twice; first in line ${first.at.line}`)
        continue
      }
      own.set(name, { at: keyAt, value: value(child, childPath, keyAt, depth + 1) })
    }
    for (const [name, entry] of merged) if (!own.has(name)) own.set(name, entry)
    return { kind: 'map', entries: own, at }
  }

  /** YAML 1.1's merge key: the map's own keys win, then the first of the merged maps. */
  function mergeInto(
    into: Map<string, Entry>,
    node: Node | null,
    path: ConfigPath,
    at: Origin,
    depth: number,
  ): void {
    const tree = value(node, path, at, depth + 1)
    for (const part of tree.kind === 'list' ? tree.items : [tree]) {
      if (part.kind === 'map') {
        for (const [name, entry] of part.entries) if (!into.has(name)) into.set(name, entry)
      } else if (part.kind === 'list' || part.unread === undefined)
        fault(at, path, 'merges (<<) something that is no map')
    }
  }

  const root = value(document.contents, [], start, 0)
  if (exhausted !== undefined) return broken(exhausted)
  if (root.kind === 'map') return { tree: root, faults, templates }
  const empty: MapTree = { kind: 'map', entries: new Map(), at: start }
  if (root.kind === 'scalar' && (root.value === null || root.unread !== undefined))
    return { tree: empty, faults, templates }
  fault(start, [], 'is not a configuration: a map of keys is expected')
  return { tree: undefined, faults, templates }
}
