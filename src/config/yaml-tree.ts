/** The nodes of a parsed YAML document → a tree that knows its places, with what is wrong in it. */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type Scalar,
  type YAMLMap,
} from 'yaml'
import type { ConfigPath } from '../kernel/feature.ts'
import { type Fault, placeOf } from './faults.ts'
import { type Entry, formatPath, type Origin, type ScalarTree, type Tree } from './tree.ts'

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

const unread = (at: Origin): ScalarTree => ({ kind: 'scalar', value: null, at, unread: true })

export class Conversion {
  readonly faults: Fault[] = []
  readonly templates: Template[] = []
  /** Set when there is too much: the rest of the file is not looked at. */
  exhausted: Fault | undefined
  readonly #text: string
  readonly #place: (offset: number) => Origin
  readonly #filters: readonly string[]
  readonly #anchors = new Map<string, Node>()
  #budget = MAX_NODES
  /** How many aliases are being expanded. */
  #expanding = 0

  /** @param text what was parsed */
  constructor(text: string, place: (offset: number) => Origin, filters: readonly string[]) {
    this.#text = text
    this.#place = place
    this.#filters = filters
  }

  fault(at: Origin, path: ConfigPath, message: string): void {
    this.faults.push({ ...placeOf(at), path: formatPath(path), message })
  }

  value(node: Node | null, path: ConfigPath, at: Origin, depth: number): Tree {
    if (this.exhausted !== undefined) return unread(at)
    if (--this.#budget < 0 || depth > MAX_DEPTH) {
      const message = depth > MAX_DEPTH ? 'is nested too deeply' : 'has too many values'
      this.exhausted = { ...placeOf(at), path: '', message }
      return unread(at)
    }
    if (node === null) return { kind: 'scalar', value: null, at }
    if (isAlias(node)) return this.#alias(node.source, path, at, depth)
    // What is inside an alias was defined where its anchor stands, not here.
    if (this.#expanding === 0 && 'anchor' in node && node.anchor !== undefined)
      this.#anchors.set(node.anchor, node)
    if (isMap(node)) return this.#map(node, path, at, depth)
    if (isSeq(node)) {
      const items = node.items.map((item, index) => {
        // Sequences hold nodes once a document was parsed; the type allows plain values for documents made by hand.
        const child = item as Node | null
        const childAt = child?.range ? this.#place(child.range[0]) : at
        return this.value(child, [...path, index], childAt, depth + 1)
      })
      return { kind: 'list', items, at }
    }
    return isScalar(node) ? this.#scalar(node, path, at) : unread(at)
  }

  #alias(name: string, path: ConfigPath, at: Origin, depth: number): Tree {
    const target = this.#anchors.get(name)
    if (target === undefined) {
      this.fault(
        at,
        path,
        'names an anchor that is not defined above it; quote a value that begins with *',
      )
      return unread(at)
    }
    this.#expanding++
    const copy = this.value(target, path, at, depth + 1)
    this.#expanding--
    return copy
  }

  #scalar(node: Scalar, path: ConfigPath, at: Origin): Tree {
    const { value: plain } = node
    if (typeof plain === 'string') return this.#string(plain, path, at)
    if (plain === null) {
      // `secret: &abc` is an anchor on nothing, and was meant as a text.
      if (this.#expanding === 0 && node.anchor !== undefined)
        this.fault(at, path, 'is an anchor and has no value; quote a value that begins with &')
      return { kind: 'scalar', value: plain, at }
    }
    if (typeof plain === 'number' || typeof plain === 'boolean')
      return { kind: 'scalar', value: plain, at, source: node.source ?? String(plain) }
    this.fault(at, path, 'has a tag (!…) that has no meaning here')
    return unread(at)
  }

  #string(plain: string, path: ConfigPath, at: Origin): Tree {
    const isTemplate = /\{\{.*\}\}/s.test(plain)
    if (isTemplate && this.#filters.includes('template')) return this.#template(at, path)
    const isVariable = !isTemplate && VARIABLE.test(plain)
    const isText = !isVariable || !this.#filters.includes('expand-env')
    if (isTemplate || isVariable)
      this.templates.push({
        path,
        at,
        ...(isVariable && { isVariable: true }),
        ...(isText && { isText: true }),
      })
    return isText ? { kind: 'scalar', value: plain, at } : unread(at)
  }

  #template(at: Origin, path: ConfigPath): Tree {
    this.templates.push({ path, at })
    return unread(at)
  }

  #map(node: YAMLMap, path: ConfigPath, at: Origin, depth: number): Tree {
    // `key: {{ env "X" }}` is a map with a map as its key, to YAML.
    if (node.flow && node.range && this.#text.startsWith('{{', node.range[0]))
      return this.#template(at, path)
    const own = new Map<string, Entry>()
    const merged = new Map<string, Entry>()
    for (const pair of node.items) {
      // As above: parsed pairs hold nodes.
      const { key, value: child } = pair as Pair<Node, Node | null>
      const keyAt = key?.range ? this.#place(key.range[0]) : at
      if (!isScalar(key) || key.value === null) {
        this.fault(keyAt, path, 'has a key that is no plain word')
        continue
      }
      const name = typeof key.value === 'string' ? key.value : (key.source ?? String(key.value))
      const childPath = [...path, name]
      if (name === '<<' && key.type === 'PLAIN') {
        this.#mergeInto(merged, child, path, keyAt, depth)
        continue
      }
      if (name === '__proto__') {
        this.fault(keyAt, childPath, 'unknown key')
        continue
      }
      const first = own.get(name)
      if (first !== undefined) {
        this.fault(keyAt, childPath, `is given twice; first in line ${first.at.line}`)
        continue
      }
      own.set(name, { at: keyAt, value: this.value(child, childPath, keyAt, depth + 1) })
    }
    for (const [name, entry] of merged) if (!own.has(name)) own.set(name, entry)
    return { kind: 'map', entries: own, at }
  }

  /** YAML 1.1's merge key: the map's own keys win, then the first of the merged maps. */
  #mergeInto(
    into: Map<string, Entry>,
    node: Node | null,
    path: ConfigPath,
    at: Origin,
    depth: number,
  ): void {
    const tree = this.value(node, path, at, depth + 1)
    for (const part of tree.kind === 'list' ? tree.items : [tree]) {
      if (part.kind === 'map') {
        for (const [name, entry] of part.entries) if (!into.has(name)) into.set(name, entry)
      } else if (part.kind === 'list' || part.unread === undefined)
        this.fault(at, path, 'merges (<<) something that is no map')
    }
  }
}
