/** Splits a template into texts and actions, and an action into its words. */

/** What is wrong with a template, at a line of it. From 1. */
export class TemplateFault extends Error {
  override readonly name = 'TemplateFault'
  readonly line: number
  constructor(line: number, message: string) {
    super(message)
    this.line = line
  }
}

export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly words: readonly Word[]; readonly line: number }

export type Word =
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'number'; readonly value: number }
  /** `.A.B`, `$x.A`, `.`: what it begins at, and the fields from there. */
  | { readonly kind: 'path'; readonly from: string; readonly fields: readonly string[] }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'sign'; readonly sign: string }

const ACTION = /\{\{(-\s)?([\s\S]*?)(\s-)?\}\}/g

/** @throws TemplateFault */
export function lex(source: string): readonly Piece[] {
  const pieces: Piece[] = []
  let end = 0
  let trimNext = false
  let line = 1
  const pushText = (raw: string, trimEnd: boolean): void => {
    let text = trimNext ? raw.trimStart() : raw
    if (trimEnd) text = text.trimEnd()
    if (text !== '') pieces.push({ kind: 'text', text })
  }
  const normal = source.replaceAll('\r\n', '\n')
  for (const match of normal.matchAll(ACTION)) {
    const [whole, left, inner = '', right] = match
    const before = normal.slice(end, match.index)
    refuseStray(before, line)
    line += newlines(before)
    pushText(before, left !== undefined)
    if (!/^\s*\/\*[\s\S]*\*\/\s*$/.test(inner))
      pieces.push({ kind: 'action', words: wordsOf(inner, line), line })
    line += newlines(whole)
    trimNext = right !== undefined
    end = match.index + whole.length
  }
  const rest = normal.slice(end)
  refuseStray(rest, line)
  pushText(rest, false)
  return pieces
}

const newlines = (text: string): number => text.split('\n').length - 1

function refuseStray(text: string, line: number): void {
  const at = text.indexOf('{{')
  if (at !== -1)
    throw new TemplateFault(line + newlines(text.slice(0, at)), 'an action {{ is not closed')
}

const WORD =
  /\s*(?:"((?:[^"\\\n]|\\.)*)"|`([^`]*)`|(-?\d+)(?![\w.])|(\$\w*)((?:\.[A-Za-z_]\w*)*)|((?:\.[A-Za-z_]\w*)+|\.)|([A-Za-z_]\w*)|(:=|[()|,]))/y

function wordsOf(inner: string, line: number): Word[] {
  const words: Word[] = []
  const text = inner.trim()
  WORD.lastIndex = 0
  while (WORD.lastIndex < text.length) {
    const at = WORD.lastIndex
    const match = WORD.exec(text)
    if (match === null)
      throw new TemplateFault(line, `{{ ${text} }} cannot be read from ${text.slice(at).trim()}`)
    words.push(wordOf(match))
  }
  return words
}

const fieldsOf = (path: string): string[] => path.split('.').filter((field) => field !== '')

function wordOf(match: RegExpExecArray): Word {
  const [, quoted, raw, digits, variable, fields = '', path, name, sign = ''] = match
  if (quoted !== undefined) return { kind: 'string', text: quoted.replace(/\\(.)/g, unescaped) }
  if (raw !== undefined) return { kind: 'string', text: raw }
  if (digits !== undefined) return { kind: 'number', value: Number(digits) }
  if (variable !== undefined) return { kind: 'path', from: variable, fields: fieldsOf(fields) }
  if (path !== undefined) return { kind: 'path', from: '.', fields: fieldsOf(path) }
  if (name !== undefined) return { kind: 'name', name }
  return { kind: 'sign', sign }
}

const unescaped = (_: string, character: string): string =>
  ({ n: '\n', t: '\t' })[character] ?? character
