/** docs/reference/config.md: one table a section, from the features' own descriptions. */
import { REFUSED } from './authelia-keys.ts'
import { variableOf } from './environment.ts'
import { configSchema, type JsonSchema } from './schema.ts'
import type { Features } from './slices.ts'

interface Row {
  readonly path: string
  readonly schema: JsonSchema
  /** Empty when no variable can give it. */
  readonly variable: string
  readonly required: boolean
}

const NO_EFFECT = 'No effect yet.'

/** @returns Markdown; the same features give the same text */
export function configReference(features: Features): string {
  const schema = configSchema(features)
  const parts = [HEAD]
  for (const [key, section] of Object.entries(schema.properties ?? {}).sort(byName)) {
    const rows = [...rowsOf(section, [key], key, false)]
    if (rows.length === 0) continue
    parts.push(`## ${key}\n`)
    if (section.description !== undefined && isSection(section))
      parts.push(`${section.description}\n`)
    parts.push('| Key | Type | Default | |\n|---|---|---|---|')
    for (const row of rows) parts.push(lineOf(row))
    parts.push('')
  }
  const later = withoutEffect(schema)
    .filter((path) => REFUSED[path] === undefined)
    .sort()
  parts.push(TAIL, later.map((path) => `\`${path}\``).join(', '), '')
  return parts.join('\n')
}

const byName = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : 1)
const isSection = (schema: JsonSchema): boolean => schema.properties !== undefined
const isSecret = (schema: JsonSchema): boolean =>
  schema.writeOnly === true || schema.anyOf?.some(isSecret) === true
const isLater = (schema: JsonSchema): boolean => schema.description === NO_EFFECT

function* rowsOf(
  schema: JsonSchema,
  path: readonly string[] | undefined,
  text: string,
  required: boolean,
): Generator<Row> {
  if (isLater(schema)) return
  if (schema.properties !== undefined) {
    for (const [key, child] of Object.entries(schema.properties)) {
      const needed = schema.required?.includes(key) === true
      yield* rowsOf(child, path && [...path, key], `${text}.${key}`, needed)
    }
    return
  }
  const inner = objectItem(schema)
  const free = schema.additionalProperties
  const isMap = typeof free === 'object' && Object.keys(free).length > 0
  const single = path !== undefined && inner === undefined && !isMap
  yield { path: text, schema, variable: single ? variableOf(path) : '', required }
  if (inner !== undefined) yield* rowsOf(inner.item, undefined, text + inner.suffix, false)
  if (isMap && (free.properties !== undefined || free.additionalProperties !== undefined))
    yield* rowsOf(free, undefined, `${text}.*`, false)
}

/** The schema of an item that is a map, and how deep it lies: `[]`, `[][]`. */
function objectItem(schema: JsonSchema): { item: JsonSchema; suffix: string } | undefined {
  for (const option of schema.anyOf ?? [schema]) {
    const { items } = option
    if (typeof items !== 'object') continue
    if (items.properties !== undefined) return { item: items, suffix: '[]' }
    const inner = objectItem(items)
    if (inner !== undefined) return { item: inner.item, suffix: `[]${inner.suffix}` }
  }
  return undefined
}

function lineOf({ path, schema, variable, required }: Row): string {
  const notes = [schema.description ?? '']
  if (variable !== '')
    notes.push(isSecret(schema) ? `\`${variable}\`, \`${variable}_FILE\`` : `\`${variable}\``)
  const cells = [
    `\`${path}\``,
    typeOf(schema),
    required ? '**required**' : defaultOf(schema),
    notes.filter((note) => note !== '').join('<br>'),
  ]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`
}

function typeOf(schema: JsonSchema): string {
  const words = schema.enum ?? (schema.const === undefined ? undefined : [schema.const])
  if (schema['x-form'] !== undefined) return schema['x-form']
  if (words !== undefined) return words.map((word) => `\`${String(word)}\``).join(', ')
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(typeOf))].join(' or ')
  if (schema.type === 'array') {
    const { items } = schema
    return typeof items === 'object' && objectItem(schema) === undefined
      ? `list of ${bracketed(typeOf(items))}`
      : 'list'
  }
  if (schema.type === 'object') {
    const free = schema.additionalProperties
    return typeof free === 'object' && free.properties === undefined
      ? `map of ${typeOf(free)}`
      : 'map'
  }
  const range = [
    ...(schema.minimum === undefined ? [] : [`≥ ${schema.minimum}`]),
    ...(schema.maximum === undefined ? [] : [`≤ ${schema.maximum}`]),
  ].join(', ')
  const name = [schema.type ?? 'any'].flat().join(' or ')
  return range === '' ? name : `${name} ${range}`
}

const bracketed = (text: string): string => (text.includes(' or ') ? `(${text})` : text)

function defaultOf(schema: JsonSchema): string {
  const { default: value } = schema
  if (value === undefined || value === '') return ''
  if (Array.isArray(value) && value.length === 0) return '`[]`'
  if (typeof value === 'object' && value !== null && Object.keys(value).length === 0) return '`{}`'
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``
}

function withoutEffect(schema: JsonSchema, path = ''): string[] {
  const below = Object.entries(schema.properties ?? {}).flatMap(([key, child]) => {
    const text = path === '' ? key : `${path}.${key}`
    return isLater(child) ? [text] : withoutEffect(child, text)
  })
  const inner = objectItem(schema)
  return inner === undefined ? below : [...below, ...withoutEffect(inner.item, path + inner.suffix)]
}

const HEAD = `# Configuration

<!-- Generated by .ci/docs.ts from the features' own descriptions: do not edit. -->

Sources, later ones win: the defaults below, YAML files in the order in which they are named (\`--config\`, repeatable, a
folder gives its \`*.yml\` and \`*.yaml\` in the order of their names; maps are merged, lists replaced), environment
variables, files named by \`…_FILE\` variables (for secrets; given together with another source they are refused). A
variable's name is the key's path in capitals with \`_\`, behind \`VESTIBULE_\`; a list is separated by commas. What
stands in a list of maps, or under a free name (\`*\`), can only be given by a file.

\`VESTIBULE_CONFIG\` names the files themselves. Without a file Vestibule listens on 127.0.0.1 and ::1 and serves
\`vestibule.localhost\`.

A duration is a number of seconds, or numbers with units: \`y M w d h m s ms\` (a year has 365 days, a month 30), also in
words: \`1h30m\`, \`2 weeks and 1 day\`. A network is an address, a CIDR, or where rules take them a name under
\`definitions.network\`. Patterns are RE2.

\`vestibule config validate\` says everything that is wrong, with file, line and column; \`vestibule config schema\`
prints this page as JSON Schema, for editors.
`
const TAIL = `## Without effect yet

These keys (and what lies below them) are accepted so that a configuration of Authelia can be used as it is; each is named
once at start. Refused, because what they ask for must not silently be left out: ${Object.keys(
  REFUSED,
)
  .map((path) => `\`${path}\``)
  .join(', ')}.
`
