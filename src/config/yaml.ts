/** One YAML file → a tree that knows its places, and everything that is wrong with it. Refuses, never throws. */
import { type Document, LineCounter, parseDocument } from 'yaml'
import type { Fault } from './faults.ts'
import { emptyMap, type MapTree, type Origin } from './tree.ts'
import { syntaxFault } from './yaml-faults.ts'
import { Conversion, type Template } from './yaml-tree.ts'

export type { Template }
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
  return convert(document, new Conversion(text, place, filters), place(0))
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

function convert({ contents }: Document.Parsed, conversion: Conversion, start: Origin): YamlFile {
  const root = conversion.value(contents, [], start, 0)
  const { faults, templates, exhausted } = conversion
  if (exhausted !== undefined) return broken(exhausted)
  if (root.kind === 'map') return { tree: root, faults, templates }
  if (root.kind === 'scalar' && (root.value === null || root.unread !== undefined))
    return { tree: emptyMap(start), faults, templates }
  conversion.fault(start, [], 'is not a configuration: a map of keys is expected')
  return { tree: undefined, faults, templates }
}
