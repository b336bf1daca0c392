import { createRequire } from 'node:module'
import { type Automaton, buildAutomaton } from './automaton.ts'
import { buildCaptureFinder, type CaptureFinder, type Captures } from './captures.ts'
import { buildProgram } from './program.ts'
import { type GroupName, type Node, parseSyntax } from './syntax.ts'

/**
 * A regular expression of a rule: RE2's syntax and meaning, unanchored, in time linear in the text.
 * Two engines (docs/decisions/010-the-pattern-engine.md): our automaton, whose cost for a character is the same
 * whatever the text, for nearly every pattern that people write, and re2js for the rest, loaded when first needed.
 */
export interface Pattern {
  readonly source: string
  readonly engine: 'automaton' | 're2js'
  /** Holds a named group User or Group: whether it matches depends on who asks. */
  readonly named: { readonly user: boolean; readonly group: boolean } | undefined
  /** Spells out a `?` (`\?`, `[?]`): written with a query in mind. */
  readonly namesQuery: boolean
  test(text: string): boolean
  /** What User and Group hold in the leftmost-first match; undefined when nothing matches. */
  captures(text: string): Captures | undefined
}

export interface PatternFault {
  /** In RE2's words: `missing closing )`. */
  readonly problem: string
  /** Where the offending piece begins, from 1. */
  readonly character: number
}

export type ParsedPattern =
  | { readonly ok: true; readonly pattern: Pattern }
  | { readonly ok: false; readonly fault: PatternFault }

/**
 * Plain characters, `\.`, `\/`, `\-` and dots that may be repeated: `^/api/v1\.0/.*$`. parseSyntax takes all of these, and
 * none has a group, so that a long list of them is not parsed before one is asked.
 */
const SIMPLE = /^\^?(?:[\w/ :,=&%#@!~<>;'"-]|\\[./-]|\.[*+?]?){0,255}\$?$/

/** Reads a pattern; what RE2 would refuse is a fault. */
export function parsePattern(source: string): ParsedPattern {
  if (SIMPLE.test(source)) return { ok: true, pattern: ours(source) }
  const node = parseSyntax(source)
  if (node !== undefined) return { ok: true, pattern: ours(source, node) }
  return theirs(source)
}

/** @param node undefined: one without groups */
function ours(source: string, node?: Node): Pattern {
  const named = {
    user: node !== undefined && captures(node, 'User'),
    group: node !== undefined && captures(node, 'Group'),
  }
  let automaton: Automaton | undefined
  let finder: CaptureFinder | undefined
  // Most patterns of a long list are never asked by themselves: nothing but the source is kept until one is.
  const program = () => {
    const again = parseSyntax(source)
    if (again === undefined) throw new TypeError(`not a pattern: ${source}`)
    return buildProgram(again)
  }
  const test = (text: string): boolean => {
    automaton ??= buildAutomaton(program())
    return automaton.test(text)
  }
  return {
    source,
    engine: 'automaton',
    named: named.user || named.group ? named : undefined,
    namesQuery: namesQuery(source),
    test,
    captures(text) {
      if (!test(text)) return undefined
      finder ??= buildCaptureFinder(program())
      return finder.find(text)
    },
  }
}

/** Whether a group of this name stands in the pattern. */
function captures(node: Node, name: GroupName): boolean {
  switch (node.kind) {
    case 'class':
    case 'begin':
    case 'end':
      return false
    case 'concat':
    case 'either':
      return node.items.some((item) => captures(item, name))
    case 'repeat':
      return captures(node.item, name)
    case 'capture':
      return node.name === name || captures(node.item, name)
    default:
      return node satisfies never
  }
}

/** Thirty milliseconds and ten megabytes that a configuration without unusual patterns does not pay. */
let re2js: typeof import('re2js') | undefined
function loadRe2js(): typeof import('re2js') {
  // A require is typed as any; the package's own types say what it gives.
  re2js ??= createRequire(import.meta.url)('re2js') as typeof import('re2js')
  return re2js
}

function theirs(source: string): ParsedPattern {
  const { RE2JS, RE2JSException, RE2JSSyntaxException } = loadRe2js()
  try {
    const compiled = RE2JS.compile(source)
    const names = compiled.namedGroups()
    const [user, group] = [Object.hasOwn(names, 'User'), Object.hasOwn(names, 'Group')]
    return {
      ok: true,
      pattern: {
        source,
        engine: 're2js',
        named: user || group ? { user, group } : undefined,
        namesQuery: namesQuery(source),
        test: (text) => compiled.test(text),
        captures(text) {
          if (!compiled.test(text)) return undefined
          const matcher = compiled.matcher(text)
          if (!matcher.find()) return undefined
          return {
            user: user ? (matcher.group('User') ?? undefined) : undefined,
            group: group ? (matcher.group('Group') ?? undefined) : undefined,
          }
        },
      },
    }
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error
    if (!(error instanceof RE2JSSyntaxException))
      return { ok: false, fault: { problem: error.message, character: 1 } }
    const { error: problem, input: piece } = error
    // Of two equal names, the second is the one too many
    const at =
      piece === null
        ? source.length - 1
        : problem.startsWith('duplicate')
          ? source.lastIndexOf(`<${piece}>`) + 1
          : source.indexOf(piece)
    return { ok: false, fault: { problem, character: Math.max(0, at) + 1 } }
  }
}

/** Whether a pattern spells out a question mark: escaped, in a class, quoted, or by number. */
function namesQuery(source: string): boolean {
  if (!/[\\[]/.test(source)) return false
  let inClass = false
  for (let i = 0; i < source.length; i++) {
    const char = source[i]
    if (char === '\\') {
      const rest = source.slice(i + 1, i + 10)
      if (/^(?:\?|x3[fF]|x\{0*3[fF]\}|0?77)/.test(rest)) return true
      if (rest.startsWith('Q') && !inClass) {
        const end = source.indexOf('\\E', i + 2)
        if (source.slice(i + 2, end === -1 ? undefined : end).includes('?')) return true
        if (end === -1) return false
        i = end
      }
      i++
    } else if (inClass) {
      if (char === '?') return true
      if (char === '[' && source[i + 1] === ':') i = Math.max(i, source.indexOf(':]', i) + 1)
      else if (char === ']') inClass = false
    } else if (char === '[') {
      inClass = true
      // A bracket that comes first is a character, not the end
      if (source[i + 1] === '^') i++
      if (source[i + 1] === ']') i++
    }
  }
  return false
}
