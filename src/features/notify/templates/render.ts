import type { Expression, FunctionName, Node } from './parse.ts'

/** What a template can name. */
export type Value = string | number | boolean | undefined | { readonly [field: string]: Value }

export type Escape = (text: string) => string

export const asText: Escape = (text) => text

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
/** For HTML text and for attributes in quotation marks. */
export const asHtml: Escape = (text) => text.replace(/[&<>"']/g, (one) => ENTITIES[one] ?? '')

/** Fills in a template. Every value goes through `encode`. */
export function render(
  nodes: readonly Node[],
  data: Readonly<Record<string, Value>>,
  encode: Escape,
): string {
  return renderAll(nodes, { dot: data, variables: new Map([['$', data]]), encode })
}

interface Scope {
  readonly dot: Value
  readonly variables: ReadonlyMap<string, Value>
  readonly encode: Escape
}

function renderAll(nodes: readonly Node[], outer: Scope): string {
  const variables = new Map(outer.variables)
  const scope: Scope = { ...outer, variables }
  let text = ''
  for (const node of nodes) {
    if (node.kind === 'text') text += node.text
    else if (node.kind === 'output') text += scope.encode(textOf(evaluate(node.value, scope)))
    else if (node.kind === 'set') variables.set(node.name, evaluate(node.value, scope))
    else text += block(node, scope)
  }
  return text
}

function block(node: Extract<Node, { body: unknown }>, scope: Scope): string {
  const value = evaluate(node.value, scope)
  if (!isTrue(value)) return renderAll(node.otherwise, scope)
  if (node.kind === 'if') return renderAll(node.body, scope)
  if (node.kind === 'with') return renderAll(node.body, { ...scope, dot: value })
  return Object.entries(typeof value === 'object' ? value : {})
    .map(([key, item]) => {
      const variables = new Map(scope.variables)
      if (node.key !== '') variables.set(node.key, key)
      if (node.item !== '') variables.set(node.item, item)
      return renderAll(node.body, { ...scope, dot: item, variables })
    })
    .join('')
}

const textOf = (value: Value): string =>
  typeof value === 'object' || value === undefined ? '' : String(value)

/** As Go: empty texts, zero, and maps without entries are false. */
const isTrue = (value: Value): boolean =>
  typeof value === 'object' ? Object.keys(value).length > 0 : Boolean(value)

function evaluate(expression: Expression, scope: Scope): Value {
  if (expression.kind === 'value') return expression.value
  if (expression.kind === 'call')
    return CALLS[expression.name](expression.args.map((arg) => evaluate(arg, scope)))
  let value = expression.from === '.' ? scope.dot : scope.variables.get(expression.from)
  for (const field of expression.fields)
    value = typeof value === 'object' && Object.hasOwn(value, field) ? value[field] : undefined
  return value
}

type Call = (args: readonly Value[]) => Value
const same = (a: Value, b: Value): boolean => (a ?? '') === (b ?? '')

const CALLS: Readonly<Record<FunctionName, Call>> = {
  eq: ([first, ...others]) => others.some((other) => same(first, other)),
  ne: ([a, b]) => !same(a, b),
  and: (args) => args.find((arg) => !isTrue(arg)) ?? args.at(-1),
  or: (args) => args.find(isTrue) ?? args.at(-1),
  not: ([value]) => !isTrue(value),
  len: ([value]) => (typeof value === 'object' ? Object.keys(value) : textOf(value)).length,
  lower: ([value]) => textOf(value).toLowerCase(),
  upper: ([value]) => textOf(value).toUpperCase(),
  trim: ([value]) => textOf(value).trim(),
}
