/** docs/reference/config.md: one table a section, from the features' own descriptions. */
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

/** @returns Markdown; the same features give the same text */
export function configReference(features: Features): string {
  const schema = configSchema(features)
  const parts = [HEAD]
  for (const [key, section] of Object.entries(schema.properties ?? {}).sort(byName)) {
    if (isOtherName(section)) continue
    parts.push(`## ${key}\n`)
    // Without its first words, a key without effect says what it is for.
    if (isSection(section)) parts.push(...paragraph(aboutOf(section)))
    const rows = [...rowsOf(section, [key], key, false)]
    if (section['x-effect'] === 'none') parts.push('No effect yet.\n', ...tableOf(rows))
    else {
      const [built, unsupported] = [rows.filter(hasEffect), rows.filter((row) => !hasEffect(row))]
      if (built.length > 0) parts.push(...tableOf(built))
      if (unsupported.length > 0) parts.push('No effect yet:\n', ...tableOf(unsupported))
    }
    for (const [path, refused] of refusedIn(section, key)) {
      parts.push(...paragraph(`\`${path}\`: ${lowered(refused.description ?? '')}`))
      const { 'x-effect': _, ...shown } = refused
      parts.push(...tableOf([...rowsOf(shown, path.split('.'), path, false)]))
    }
  }
  const names = [...otherNames(schema, '')].sort(byName)
  parts.push(NAMES, ...names.map(([name, now]) => `| \`${name}\` | \`${now}\` |`), '')
  return parts.join('\n')
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  a < b ? -1 : 1
const isSection = (schema: JsonSchema): boolean => schema.properties !== undefined
const isOtherName = (schema: JsonSchema): boolean => schema['x-name-of'] !== undefined
const isSecret = (schema: JsonSchema): boolean =>
  schema.writeOnly === true || schema.anyOf?.some(isSecret) === true
const hasEffect = ({ schema }: Row): boolean => schema['x-effect'] === undefined
const aboutOf = (schema: JsonSchema): string =>
  (schema.description ?? '').replace(/^No effect yet\. ?/, '')
const lowered = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1)
const paragraph = (text: string): string[] => (text === '' ? [] : [`${text}\n`])
const tableOf = (rows: readonly Row[]): string[] => [
  '| Key | Type | Default | |\n|---|---|---|---|',
  ...rows.map(lineOf),
  '',
]

function* rowsOf(
  schema: JsonSchema,
  path: readonly string[] | undefined,
  text: string,
  required: boolean,
): Generator<Row> {
  if (isOtherName(schema) || schema['x-effect'] === 'refused') return
  if (schema.properties !== undefined) {
    for (const [key, child] of Object.entries(schema.properties)) {
      // Of several that will do, the first is the name of today.
      const needed = [...(schema.required ?? []), schema.anyOf?.[0]?.required?.[0]].includes(key)
      yield* rowsOf(child, path && [...path, key], `${text}.${key}`, needed)
    }
  }
  const inner = objectItem(schema)
  const free = schema.additionalProperties
  const isMap = typeof free === 'object' && Object.keys(free).length > 0
  if (schema.properties !== undefined && !isMap) return
  const single = path !== undefined && inner === undefined && !isMap
  yield { path: text, schema, variable: single ? variableOf(path) : '', required }
  if (inner !== undefined) yield* rowsOf(inner.item, undefined, text + inner.suffix, false)
  if (isMap && (free.properties !== undefined || free.additionalProperties !== undefined))
    yield* rowsOf(free, undefined, `${text}.*`, false)
}

/** The outermost sections that keep the server from starting. */
function* refusedIn(schema: JsonSchema, path: string): Generator<[string, JsonSchema]> {
  if (schema['x-effect'] === 'refused') yield [path, schema]
  else
    for (const [key, child] of Object.entries(schema.properties ?? {}))
      yield* refusedIn(child, `${path}.${key}`)
}

function* otherNames(schema: JsonSchema, path: string): Generator<[string, string]> {
  for (const [key, child] of Object.entries(schema.properties ?? {})) {
    const text = path === '' ? key : `${path}.${key}`
    const now = child['x-name-of']
    if (now !== undefined) yield [text, now]
    else yield* otherNames(child, text)
  }
  const inner = objectItem(schema)
  if (inner !== undefined) yield* otherNames(inner.item, path + inner.suffix)
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
  const notes = [aboutOf(schema)]
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

function typeOf(of: JsonSchema): string {
  const schema = of['x-value'] ?? of
  const { const: only, enum: several = only === undefined ? schema.examples : [only] } = schema
  const words = several?.filter((word) => word !== '')
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

An empty text is the default. A quoted number or boolean, an unquoted number where a text belongs, and one value where a list
belongs are read as they are meant, with a warning. \`{{ … }}\` and \`\${NAME}\` are texts, with a warning; where Authelia's
filters are asked for (\`--config.experimental.filters\`, \`X_AUTHELIA_CONFIG_FILTERS\`), such values are refused, as there are no
filters here. Keys \`x-…\` at the top may hold anchors. \`~\` in a path is refused.

Keys of Authelia whose feature is not built yet are accepted, so that a configuration of Authelia can be used as it is: they
are marked here, checked like all others, and named once at start. Some are refused: what they ask for must not silently
be left out.

\`vestibule config validate\` says everything that is wrong, with file, line and column; \`vestibule config schema\`
prints this page as JSON Schema, for editors.
`
const NAMES = `## Other names

What keys are called in older configurations of Authelia, and what they are called here. Each works, old ones with a
warning; together with the name on the right they are refused.

| Written | Read as |
|---|---|`
