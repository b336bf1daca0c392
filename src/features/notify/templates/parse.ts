/**
 * The part of Go's text/template that mails need: fields, `if`, `range`, `with`, variables, pipes and a few functions.
 * What a template may name is known, so that a misspelt field is found at the start and not in a mail.
 */
import { lex, type Piece, TemplateFault, type Word } from './lex.ts'

export type Expression =
  | { readonly kind: 'value'; readonly value: string | number | boolean }
  | { readonly kind: 'path'; readonly from: string; readonly fields: readonly string[] }
  | { readonly kind: 'call'; readonly name: FunctionName; readonly args: readonly Expression[] }

export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'output'; readonly value: Expression }
  | { readonly kind: 'set'; readonly name: string; readonly value: Expression }
  | {
      readonly kind: 'if'
      readonly value: Expression
      readonly body: readonly Node[]
      readonly otherwise: readonly Node[]
    }
  | {
      readonly kind: 'with'
      readonly value: Expression
      readonly body: readonly Node[]
      readonly otherwise: readonly Node[]
    }
  | {
      readonly kind: 'range'
      readonly value: Expression
      /** Names of variables; empty: none. */
      readonly key: string
      readonly item: string
      readonly body: readonly Node[]
      readonly otherwise: readonly Node[]
    }

/** How many arguments each takes. */
export const FUNCTIONS = {
  eq: [2, 9],
  ne: [2, 2],
  and: [1, 9],
  or: [1, 9],
  not: [1, 1],
  len: [1, 1],
  lower: [1, 1],
  upper: [1, 1],
  trim: [1, 1],
} as const satisfies Readonly<Record<string, readonly [number, number]>>
export type FunctionName = keyof typeof FUNCTIONS
const isFunction = (name: string): name is FunctionName => Object.hasOwn(FUNCTIONS, name)

/** Templates are small; deeper ones are a mistake. */
const MOST_NESTED = 20

/**
 * @param fields that `.` has at the top
 * @throws TemplateFault
 */
export function parseTemplate(source: string, fields: readonly string[]): readonly Node[] {
  return new Parser(lex(source), new Set(fields)).all()
}

class Parser {
  readonly #pieces: readonly Piece[]
  readonly #fields: ReadonlySet<string>
  #at = 0
  #depth = 0
  /** Inside `range` and `with` the dot is another value. */
  #rebound = 0
  #line = 1

  constructor(pieces: readonly Piece[], fields: ReadonlySet<string>) {
    this.#pieces = pieces
    this.#fields = fields
  }

  all(): readonly Node[] {
    const { nodes, end } = this.#nodes()
    if (end !== undefined) throw this.#fault(`{{ ${end.word} }} belongs to nothing`)
    return nodes
  }

  #fault(message: string): TemplateFault {
    return new TemplateFault(this.#line, message)
  }

  /** Up to `end` or `else`, which is handed back. */
  #nodes(): { nodes: Node[]; end: { word: string; rest: readonly Word[] } | undefined } {
    const nodes: Node[] = []
    for (;;) {
      const piece = this.#pieces[this.#at++]
      if (piece === undefined) return { nodes, end: undefined }
      if (piece.kind === 'text') {
        nodes.push(piece)
        continue
      }
      this.#line = piece.line
      const [first, ...rest] = piece.words
      if (first === undefined) throw this.#fault('an action is empty')
      const word = first.kind === 'name' ? first.name : ''
      if (word === 'end' || word === 'else') return { nodes, end: { word, rest } }
      nodes.push(this.#action(word, piece.words, rest))
    }
  }

  #action(word: string, words: readonly Word[], rest: readonly Word[]): Node {
    if (word === 'if' || word === 'with')
      return this.#branches(word, this.#expression(rest), word === 'with')
    if (word === 'range') return this.#range(rest)
    const [first, second, ...value] = words
    if (first?.kind === 'path' && first.from !== '.' && isSign(second, ':='))
      return { kind: 'set', name: first.from, value: this.#expression(value) }
    return { kind: 'output', value: this.#expression(words) }
  }

  #range(words: readonly Word[]): Node {
    const sign = words.findIndex((word) => isSign(word, ':='))
    const names = words.slice(0, Math.max(0, sign)).flatMap((word) => {
      if (isSign(word, ',')) return []
      if (word.kind !== 'path' || word.from === '.') throw this.#fault('range needs variables')
      return word.from
    })
    const value = this.#expression(words.slice(sign + 1))
    const [key = '', item = ''] = names.length === 1 ? ['', ...names] : names
    const { body, otherwise } = this.#bodies(true)
    return { kind: 'range', value, key, item, body, otherwise }
  }

  #branches(kind: 'if' | 'with', value: Expression, rebinds: boolean): Node {
    return { kind, value, ...this.#bodies(rebinds) }
  }

  #bodies(rebinds: boolean): { body: Node[]; otherwise: Node[] } {
    if (++this.#depth > MOST_NESTED) throw this.#fault('actions are nested too deeply')
    const opened = this.#line
    this.#rebound += rebinds ? 1 : 0
    const first = this.#nodes()
    this.#rebound -= rebinds ? 1 : 0
    const otherwise = first.end?.word === 'else' ? this.#otherwise(first.end.rest) : []
    if (first.end === undefined) throw new TemplateFault(opened, 'an action has no {{ end }}')
    this.#depth--
    return { body: first.nodes, otherwise }
  }

  #otherwise(rest: readonly Word[]): Node[] {
    const [next, ...condition] = rest
    // `else if` shares the end of its `if`.
    if (next?.kind === 'name' && next.name === 'if')
      return [this.#branches('if', this.#expression(condition), false)]
    if (next !== undefined) throw this.#fault('else takes nothing but if')
    const { nodes, end } = this.#nodes()
    if (end?.word !== 'end') throw this.#fault('an else has no {{ end }}')
    return nodes
  }

  #expression(words: readonly Word[]): Expression {
    const left = [...words]
    const value = this.#pipe(left)
    if (left.length > 0) throw this.#fault('an action has something after its end')
    return value
  }

  #pipe(left: Word[]): Expression {
    let value = this.#command(left, [])
    while (isSign(left[0], '|')) {
      left.shift()
      value = this.#command(left, [value])
    }
    return value
  }

  /** @param last what was piped into it */
  #command(left: Word[], last: readonly Expression[]): Expression {
    const [first] = left
    if (first?.kind !== 'name' || first.name === 'true' || first.name === 'false') {
      if (last.length > 0) throw this.#fault('what follows | is no function')
      return this.#operand(left)
    }
    left.shift()
    const { name } = first
    if (!isFunction(name)) throw this.#fault(`the function ${name} is not known`)
    const args: Expression[] = []
    while (left.length > 0 && !isSign(left[0], '|') && !isSign(left[0], ')'))
      args.push(this.#operand(left))
    args.push(...last)
    const [least, most] = FUNCTIONS[name]
    if (args.length < least || args.length > most)
      throw this.#fault(`${name} takes another number of arguments`)
    return { kind: 'call', name, args }
  }

  #operand(left: Word[]): Expression {
    const word = left.shift()
    if (word === undefined) throw this.#fault('an action ends too early')
    if (word.kind === 'string') return { kind: 'value', value: word.text }
    if (word.kind === 'number') return { kind: 'value', value: word.value }
    if (word.kind === 'name' && (word.name === 'true' || word.name === 'false'))
      return { kind: 'value', value: word.name === 'true' }
    if (word.kind === 'path') return this.#path(word)
    if (!isSign(word, '(')) throw this.#fault('an action cannot be read')
    const value = this.#pipe(left)
    if (!isSign(left.shift(), ')')) throw this.#fault('a parenthesis is not closed')
    return value
  }

  #path({ from, fields }: Extract<Word, { kind: 'path' }>): Expression {
    const [field] = fields
    const isRoot = from === '$' || (from === '.' && this.#rebound === 0)
    if (isRoot && field !== undefined && !this.#fields.has(field))
      throw this.#fault(
        `there is no field .${field}; there are ${[...this.#fields].map((name) => `.${name}`).join(', ')}`,
      )
    return { kind: 'path', from, fields }
  }
}

const isSign = (word: Word | undefined, sign: string): boolean =>
  word?.kind === 'sign' && word.sign === sign
