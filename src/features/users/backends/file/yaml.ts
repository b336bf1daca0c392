/** YAML with places: the parser's nodes, aliases followed, its complaints in our words. */
import {
  type Document,
  isAlias,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from 'yaml'
import { syntaxFault } from '../../../../config/yaml-faults.ts'

export interface Place {
  readonly line: number
  readonly column: number
}

export interface YamlText {
  readonly text: string
  readonly contents: Node | null
  /** Where a node begins: behind its anchor and tag, if it has any. */
  placeOf(node: Node | null): Place
  /** What an alias stands for, one step; undefined when it stands for nothing. Other nodes are themselves. */
  follow(node: Node | null): Node | null | undefined
}

export interface Complaint extends Place {
  readonly message: string
}

/** @returns the text with its places, or what keeps it from being YAML */
export function parseYaml(text: string): YamlText | readonly Complaint[] {
  const lines = new LineCounter()
  const place = placesIn(lines)
  let document: Document.Parsed
  try {
    // Whether a key is there twice is asked later: the parser's own check costs the square of the number of users.
    document = parseDocument(text, { prettyErrors: false, uniqueKeys: false, lineCounter: lines })
  } catch (error) {
    // The parser recurses: a stack that ran out says something about the file. Anything else is a bug.
    if (!(error instanceof RangeError)) throw error
    return [{ line: 1, column: 1, message: 'is nested too deeply' }]
  }
  const fault = syntaxFault(document, text)
  if (fault !== undefined) return [{ ...place(fault.offset), message: fault.message }]
  const follow = createFollow(document, text)
  return {
    text,
    contents: document.contents,
    placeOf: (node) => place(startOf(node)),
    follow,
  }
}

const placesIn =
  (lines: LineCounter) =>
  (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }

/** A text whose nodes come from elsewhere, and none of which is an alias. Its lines are counted when a place is asked for. */
export function textWithPlaces(text: string): YamlText {
  let place: ((offset: number) => Place) | undefined
  const count = () => {
    const lines = new LineCounter()
    lines.addNewLine(0)
    for (let at = text.indexOf('\n') + 1; at > 0; at = text.indexOf('\n', at) + 1)
      lines.addNewLine(at)
    return placesIn(lines)
  }
  return {
    text,
    contents: null,
    placeOf(node) {
      place ??= count()
      return place(startOf(node))
    },
    follow: (node) => node,
  }
}

export const startOf = (node: Node | null): number => node?.range?.[0] ?? 0

/** The parser's own `resolve` walks the whole document for every alias. */
function createFollow(document: Document.Parsed, text: string): YamlText['follow'] {
  const anchors = new Map<string, Node[]>()
  if (text.includes('&')) {
    visit(document, {
      Node(_, node) {
        if (isAlias(node) || node.anchor === undefined) return
        const named = anchors.get(node.anchor)
        if (named === undefined) anchors.set(node.anchor, [node])
        else named.push(node)
      },
    })
  }
  return (node) => {
    if (!isAlias(node)) return node
    // YAML 1.2 §7.1: the last anchor of that name before the alias.
    return anchors.get(node.source)?.findLast((target) => startOf(target) < startOf(node))
  }
}

/**
 * The text of a scalar as it was written, where YAML would make a number or a truth of it: `0123`, `+49301234` and
 * `true` are names and telephone numbers here. Undefined for what is no text: nothing, lists, maps.
 */
export function textOf(node: Node | null | undefined): string | undefined {
  if (!isScalar(node)) return undefined
  if (typeof node.value === 'string') return node.value
  return typeof node.value === 'number' || typeof node.value === 'boolean'
    ? (node.source ?? String(node.value))
    : undefined
}

export const isNothing = (node: Node | null | undefined): boolean =>
  node === null || (isScalar(node) && node.value === null)
