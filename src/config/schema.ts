/** The whole tree as JSON Schema: for editors, for `vestibule config schema`, and for the reference. */
import { z } from 'zod'
import { scalarMeta } from '../kernel/scalars.ts'
import { ALSO } from './authelia/old-names.ts'
import { addUnsupported, REFUSED } from './authelia/unsupported/index.ts'
import { type Known, knownOf } from './known.ts'
import { SECTIONS } from './sections.ts'
import { type Features, slicesOf } from './slices.ts'

/** The part of JSON Schema (draft 7, which editors read) that comes out. */
export interface JsonSchema {
  readonly $schema?: string
  readonly $ref?: string
  readonly definitions?: Readonly<Record<string, JsonSchema>>
  readonly title?: string
  readonly description?: string
  readonly deprecated?: boolean
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly examples?: readonly unknown[]
  readonly default?: unknown
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | JsonSchema
  readonly items?: boolean | JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly allOf?: readonly JsonSchema[]
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  /** A secret: may also be given as `…_FILE`. */
  readonly writeOnly?: boolean
  /** The form of a value in the words of the reference. */
  readonly 'x-form'?: string
  /** What the key does when it is not what it says: nothing yet, or it keeps the server from starting. */
  readonly 'x-effect'?: 'none' | 'refused'
  /** What a value would be, of a key below one that is refused: its value does not count. */
  readonly 'x-value'?: JsonSchema
  /** The key of today that this is another name of. */
  readonly 'x-name-of'?: string
}

type Building = { -readonly [K in keyof JsonSchema]: JsonSchema[K] }

/**
 * What may be written, keys without effect and old names included: it accepts what the loader accepts, but for a key
 * without a value, which the loader passes over, and for what it reads as it was meant (as-meant.ts).
 */
export function configSchema(features: Features): JsonSchema {
  const slices = slicesOf(features)
  const root: Building = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Vestibule',
    type: 'object',
    properties: {},
    // They hold anchors, and whatever else their owner likes.
    patternProperties: { '^x-': {} },
    additionalProperties: false,
    definitions: { nothing: NOTHING },
  }
  // Outer slices first: what lies inside them is then put into their properties.
  for (const path of Object.keys(slices).sort((a, b) => a.length - b.length)) {
    const slice = slices[path]
    if (slice !== undefined) place(root, path.split('.'), sliceSchema(slice))
  }
  const known = knownOf(slices)
  addUnsupported(known)
  describeSections(root)
  addUnsupportedTo(root, known, '')
  addNames(root, root, known)
  return root
}

/** What a refused key may still hold: Authelia's old templates are full of `key: ''`. */
const NOTHING: JsonSchema = {
  anyOf: [
    { type: 'null' },
    { const: '' },
    { type: 'array', maxItems: 0 },
    { type: 'object', additionalProperties: { $ref: '#/definitions/nothing' } },
  ],
}

function sliceSchema(slice: z.ZodType): Building {
  const { $schema: _, ...schema } = z.toJSONSchema(slice, {
    target: 'draft-7',
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      const schema: z.core.$ZodType = zodSchema
      const meta = scalarMeta.get(schema as z.ZodType) // the registry takes any schema
      if (meta?.form !== undefined) jsonSchema['x-form'] = meta.form
      if (meta?.pattern !== undefined) jsonSchema.pattern = `^$|${meta.pattern}`
      if (meta?.secret) jsonSchema.writeOnly = true
      if (meta?.form?.startsWith('duration')) jsonSchema.minimum = meta.form === 'duration' ? 0 : -1
      const { def } = zodSchema._zod
      // zod leaves the default of a transformed value out: it is one of the output. For the eye it will do.
      if (def.type === 'default' && jsonSchema.default === undefined)
        jsonSchema.default = printable(def.defaultValue, String(jsonSchema['x-form'] ?? ''))
      // A word in any case: which words there are, only the way out says.
      const out: z.core.$ZodTypes | undefined =
        def.type === 'pipe' ? (def.out as z.core.$ZodTypes) : undefined // as zod's docs advise
      if (out?._zod.def.type === 'enum') jsonSchema.examples = Object.values(out._zod.def.entries)
      // A whole-number limit is a limit of the machine, not of the key.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
      if (/^Old form\b/.test(jsonSchema.description ?? '')) jsonSchema['deprecated'] = true
    },
  })
  return schema as Building // the part of it that our slices lead to
}

function printable(value: unknown, form: string): unknown {
  if (typeof value === 'number' && form.startsWith('duration')) return shortDuration(value)
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value))
}

/** Milliseconds as one would write them: `5m`, `1h`, `90s`. */
export function shortDuration(ms: number): string {
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
  ] as const
  const unit = units.find(([, size]) => ms >= size && ms % size === 0)
  return unit === undefined ? `${ms}ms` : `${ms / unit[1]}${unit[0]}`
}

function place(root: Building, path: readonly string[], schema: Building): void {
  let node = root
  for (const [i, key] of path.entries()) {
    const there: Building | undefined = node.properties?.[key]
    const next: Building =
      i === path.length - 1
        ? { ...there, ...schema }
        : (there ?? { type: 'object', additionalProperties: false })
    node.properties = { ...node.properties, [key]: next }
    node = next
  }
}

function describeSections(root: JsonSchema): void {
  for (const [path, words] of Object.entries(SECTIONS)) {
    const section: Building | undefined = schemaAt(root, path)
    if (section !== undefined) section.description ??= words
  }
}

/** The schema of a key by its pattern: `a.b`, `list[]` for an item, `*` for a free key. */
export function schemaAt(root: JsonSchema, pattern: string): JsonSchema | undefined {
  let schema: JsonSchema | undefined = root
  for (const step of pattern.replaceAll('[]', '.[]').split('.')) {
    const option: JsonSchema | undefined = step === '[]' ? arrayOf(schema) : schema
    const next: boolean | JsonSchema | undefined =
      step === '[]'
        ? option?.items
        : step === '*'
          ? option?.additionalProperties
          : option?.properties?.[step]
    schema = typeof next === 'object' ? next : undefined
  }
  return schema
}

const arrayOf = (schema: JsonSchema | undefined): JsonSchema | undefined =>
  schema?.anyOf?.find(({ items }) => items !== undefined) ?? schema

function addUnsupportedTo(schema: Building, known: Known, path: string): void {
  if (known.open) return
  for (const [key, child] of known.keys) {
    const there = schema.properties?.[key]
    const text = path === '' ? key : `${path}.${key}`
    if (there !== undefined) addUnsupportedTo(there, child, text)
    else if (!child.built && child.nameOf === undefined && schema.type === 'object')
      schema.properties = { ...schema.properties, [key]: unsupportedSchema(child, text) }
  }
  const { items } = schema
  if (known.item !== undefined && typeof items === 'object')
    addUnsupportedTo(items, known.item, `${path}[]`)
}

/** The schema of a key that no feature reads yet. */
function unsupportedSchema(node: Known, path: string, inRefused = false): Building {
  const reason = REFUSED[path]
  const shape = unsupportedShape(node, path, inRefused || reason !== undefined)
  const schema = inRefused || reason !== undefined ? annotated(shape, node) : shape
  // What an item is says what the list is for.
  const about = node.about ?? (node.unread ? undefined : (node.item ?? node.any)?.about)
  if (reason !== undefined) {
    schema.allOf = [{ $ref: '#/definitions/nothing' }]
    schema.description = `Refused at start: ${reason}.`
    schema['x-effect'] = 'refused'
  } else if (inRefused) schema.description = about ?? ''
  else {
    schema.description = about === undefined ? 'No effect yet.' : `No effect yet. ${about}`
    schema['x-effect'] = 'none'
  }
  if (schema.description === '') delete schema.description
  return schema
}

function unsupportedShape(node: Known, path: string, inRefused: boolean): Building {
  const { unread, item, any } = node
  if (unread !== undefined) {
    const schema = sliceSchema(unread.schema())
    if (unread.standard !== undefined) schema.default = unread.standard
    if (unread.mayBeEmpty) orEmpty(schema)
    return schema
  }
  if (item !== undefined)
    return { type: 'array', items: unsupportedSchema(item, `${path}[]`, inRefused) }
  if (node.open) return { type: 'object' }
  const keys = [...node.keys].filter(([, { nameOf }]) => nameOf === undefined)
  const required = keys.filter(([, child]) => child.unread?.required).map(([key]) => key)
  return {
    type: 'object',
    properties: Object.fromEntries(
      keys.map(([key, child]) => [key, unsupportedSchema(child, `${path}.${key}`, inRefused)]),
    ),
    additionalProperties:
      any === undefined ? false : unsupportedSchema(any, `${path}.*`, inRefused),
    ...(required.length > 0 && { required }),
  }
}

/** Of what is refused, only what is for the eye: whatever is in it, it must not be there. */
function annotated(shape: JsonSchema, { unread, open }: Known): Building {
  const { default: standard, writeOnly, properties, items, additionalProperties, ...value } = shape
  if (unread === undefined && !open)
    return {
      ...(properties !== undefined && { properties }),
      ...(items !== undefined && { items }),
      ...(typeof additionalProperties === 'object' && { additionalProperties }),
      type: ['object', 'array', 'string', 'null'],
      'x-value': { ...(value.type !== undefined && { type: value.type }) },
    }
  return {
    ...(standard !== undefined && { default: standard }),
    ...(writeOnly && { writeOnly }),
    'x-value': { ...value, ...(items !== undefined && { items }) },
  }
}

/** An empty text counts as not written. */
function orEmpty(schema: Building): void {
  const isText = ({ type = [] }: JsonSchema) => [type].flat().includes('string')
  const text: Building | undefined = isText(schema) ? schema : schema.anyOf?.find(isText)
  if (text === undefined) return
  if (text.enum !== undefined) text.enum = [...text.enum, '']
  if (text.pattern !== undefined) text.pattern = `^$|${text.pattern}`
  delete text.minLength
}

/** Adds old and other names: each is what its key of today is, and may stand where that one must. */
function addNames(root: JsonSchema, schema: Building, known: Known): void {
  for (const [key, child] of known.keys) {
    if (child.nameOf !== undefined && !child.built) addName(root, schema, key, child, child.nameOf)
    else {
      const there = schema.properties?.[key]
      if (there !== undefined) addNames(root, there, child)
    }
  }
  const { items } = schema
  if (known.item !== undefined && typeof items === 'object') addNames(root, items, known.item)
}

function addName(root: JsonSchema, schema: Building, key: string, node: Known, to: string): void {
  const { unread, keys, item } = node
  const isOwn = unread !== undefined || keys.size > 0 || (item?.keys.size ?? 0) > 0
  const shape = isOwn ? unsupportedShape(node, key, true) : (schemaAt(root, to) ?? {})
  const { default: _, ...target } = schema['x-value'] === undefined ? shape : annotated(shape, node)
  const name: JsonSchema = {
    ...target,
    ...(node.about !== undefined && { description: node.about }),
    ...(!Object.values(ALSO).includes(to) && { deprecated: true }),
    'x-name-of': to,
  }
  schema.properties = { ...schema.properties, [key]: name }
  const today = to.slice(to.lastIndexOf('.') + 1)
  if (schema.required?.includes(today)) {
    schema.required = schema.required.filter((required) => required !== today)
    schema.anyOf = [{ required: [today] }, { required: [key] }]
  }
}
