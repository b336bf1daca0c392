/** What is wrong with a text that is no YAML, in our own words: the parser's may quote the text, and with it a secret. */
import { type Document, visit, type YAMLError } from 'yaml'

export interface SyntaxFault {
  /** Where in the text. */
  readonly offset: number
  readonly message: string
}

const SYNTAX: Readonly<Record<string, string>> = {
  BAD_ALIAS: 'has a * or & with no name behind it (quote the value)',
  BAD_DQ_ESCAPE: 'has an escape sequence that YAML does not know (use single quotes?)',
  BAD_SCALAR_START: 'begins with a character that YAML reserves (quote the value)',
  BLOCK_AS_IMPLICIT_KEY: 'has a second ":" on the line (quote the value?)',
  KEY_OVER_1024_CHARS: 'has a key of more than 1024 characters',
  MISSING_CHAR: 'lacks a closing quote, bracket or comma',
  MULTILINE_IMPLICIT_KEY: 'lacks a ":" after the key',
  MULTIPLE_DOCS: 'begins a second document; a file is one document',
  RESOURCE_EXHAUSTION: 'is nested too deeply',
  TAB_AS_INDENT: 'is indented with a tab; YAML indents with spaces',
  TAG_RESOLVE_FAILED: 'has a tag (!…) that has no meaning here (quote the value?)',
}

/** Says what the first of the errors, or of the warnings, is about; undefined when there is neither. */
export function syntaxFault(document: Document.Parsed, text: string): SyntaxFault | undefined {
  const [error, second] = [...document.errors, ...document.warnings]
  if (error === undefined) return undefined
  const [offset] = error.pos
  const at = (message: string): SyntaxFault => ({ offset, message })
  const line = lineAt(text, offset)
  const before = text.slice(line.start, offset)
  const isFirst = before.trim() === '' || before.trim() === '-'
  switch (error.code) {
    case 'BAD_INDENT':
      return indentation(text, line.start)
    case 'MISSING_CHAR':
      // The parser's word for a key that stands left of the item it belongs to.
      if (error.message.startsWith('Sequence item')) return indentation(text, line.start)
      return { offset: openedAt(document, offset), message: SYNTAX['MISSING_CHAR'] ?? '' }
    case 'BLOCK_AS_IMPLICIT_KEY':
      return second?.code === 'MULTILINE_IMPLICIT_KEY'
        ? tooFarRight(text, line)
        : at(wordsOf(error))
    case 'UNEXPECTED_TOKEN':
      if (error.message.startsWith('Block scalar'))
        return at('begins with | or >, which begin a text of several lines (quote the value)')
      if (/['"\]}]\s*$/.test(before))
        return at('goes on after a closing quote or bracket (quote the whole value)')
      return isFirst ? indentation(text, line.start) : at(wordsOf(error))
    default:
      return at(wordsOf(error))
  }
}

const wordsOf = ({ code }: YAMLError): string => SYNTAX[code] ?? 'is not YAML'

interface Line {
  readonly start: number
  readonly text: string
}

function lineAt(text: string, offset: number): Line {
  const start = text.lastIndexOf('\n', offset - 1) + 1
  const end = text.indexOf('\n', offset)
  return { start, text: text.slice(start, end === -1 ? undefined : end) }
}

const indentOf = (line: string): number => /^ */.exec(line)?.[0].length ?? 0
const isEmpty = (line: string): boolean => /^\s*(#|$)/.test(line)

/** A line whose indentation is none that is open above it. */
function indentation(text: string, start: number): SyntaxFault {
  const { text: line } = lineAt(text, start)
  const indent = indentOf(line)
  const open = new Set<number>()
  let least = Number.POSITIVE_INFINITY
  for (const above of text.slice(0, start).split('\n').reverse()) {
    if (isEmpty(above) || indentOf(above) >= least) continue
    least = indentOf(above)
    open.add(least)
    // What stands behind a dash is indented by the dash as well.
    const item = /^ *(- +)+(?=\S)/.exec(above)?.[0].length
    if (item !== undefined) open.add(item)
    if (least === 0) break
  }
  const others = [...open].filter((one) => one !== indent).sort((a, b) => a - b)
  const offset = start + indent
  const bracket = openBracket(text.slice(0, start))
  if (bracket !== undefined) return bracket
  return others.length === 0 || open.has(indent)
    ? { offset, message: 'is not indented like what it belongs to' }
    : {
        offset,
        message: `is indented by ${spaces(indent)}; what it could belong to above it, by ${others.join(' or ')}`,
      }
}

/** The last bracket that is not closed. Quotes and comments are passed over as far as one line shows them. */
function openBracket(text: string): SyntaxFault | undefined {
  const open: number[] = []
  let hidden = false
  for (const { 0: found, index } of text.matchAll(
    /"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|(?<=\s)#.*|[[\]{}]/g,
  )) {
    if (found === '{' || found === '[') {
      open.push(index)
      hidden = false
    } else if (found === '}' || found === ']') open.pop()
    else if (found.startsWith('#') && /[}\]]/.test(found)) hidden = open.length > 0
  }
  const offset = open.at(-1)
  if (offset === undefined) return undefined
  const why = hidden ? ': what closes it is in a comment (quote a value that begins with #)' : ''
  return { offset, message: `opens a bracket that is not closed${why}` }
}

/** The line below a value that is indented as if it were a part of it. */
function tooFarRight(text: string, line: Line): SyntaxFault {
  if (/^ *-[^\s-]/.test(line.text))
    return { offset: line.start + indentOf(line.text), message: 'lacks a space after the "-"' }
  const from = line.start + line.text.length + 1
  const below = text.slice(from).split('\n')
  const index = below.findIndex((one) => !isEmpty(one))
  const next = below[index] ?? ''
  const own = /^ *(?:- +)*/.exec(line.text)?.[0].length ?? 0
  return {
    offset: from + below.slice(0, index).join('\n').length + (index > 0 ? 1 : 0) + indentOf(next),
    message: `is indented by ${spaces(indentOf(next))}, as if it were part of the value above; ${own} would be beside it`,
  }
}

const spaces = (count: number): string => `${count} space${count === 1 ? '' : 's'}`

/** A quote that is not closed is missed at the end of the file; what helps is where it was opened. */
function openedAt(document: Document.Parsed, end: number): number {
  let start = end
  visit(document, {
    Scalar(_, { type, range }) {
      if (type?.startsWith('QUOTE') && range && range[0] < end && range[1] >= end) start = range[0]
    },
  })
  return start
}
