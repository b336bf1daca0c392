/** The whole tree as JSON Schema: for editors, for `vestibule config schema`, and for the reference. */
import { z } from 'zod'
import { scalarMeta } from '../kernel/scalars.ts'
import { unbuiltPatterns } from './authelia-keys.ts'
import { addUnbuilt, type Known, knownOf } from './known.ts'
import { type Features, slicesOf } from './slices.ts'

/** The part of JSON Schema (draft 7, which editors read) that comes out. */
export interface JsonSchema {
  readonly $schema?: string
  readonly title?: string
  readonly description?: string
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly default?: unknown
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | JsonSchema
  readonly items?: boolean | JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  /** A secret: may also be given as `…_FILE`. */
  readonly writeOnly?: boolean
  /** The form of a value in the words of the reference. */
  readonly 'x-form'?: string
}

interface Building {
  properties?: Record<string, Building>
  additionalProperties?: unknown
  type?: unknown
  [key: string]: unknown
}

/** What may be written, keys without effect included: it accepts what the loader accepts. */
export function configSchema(features: Features): JsonSchema {
  const slices = slicesOf(features)
  const root: Building = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Vestibule',
    type: 'object',
    properties: {},
    additionalProperties: false,
  }
  // Outer slices first: what lies inside them is then put into their properties.
  for (const path of Object.keys(slices).sort((a, b) => a.length - b.length)) {
    const slice = slices[path]
    if (slice !== undefined) place(root, path.split('.'), sliceSchema(slice))
  }
  const known = knownOf(slices)
  addUnbuilt(known, unbuiltPatterns())
  addUnbuiltTo(root, known)
  // Built by this file from zod's own output.
  return root as JsonSchema
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
      if (meta?.secret) jsonSchema.writeOnly = true
      const { def } = zodSchema._zod
      // zod leaves the default of a transformed value out: it is one of the output. For the eye it will do.
      if (def.type === 'default' && jsonSchema.default === undefined)
        jsonSchema.default = printable(def.defaultValue, String(jsonSchema['x-form'] ?? ''))
      // A whole-number limit is a limit of the machine, not of the key.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
    },
  })
  return schema as Building // an open record, as zod's type is
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
    node.properties ??= {}
    if (i === path.length - 1) node.properties[key] = { ...node.properties[key], ...schema }
    else {
      node.properties[key] ??= { type: 'object', additionalProperties: false }
      node = node.properties[key]
    }
  }
}

function addUnbuiltTo(schema: Building, known: Known): void {
  if (known.open) return
  for (const [key, child] of known.keys) {
    const properties = schema.properties
    const there = properties?.[key]
    if (there !== undefined) addUnbuiltTo(there, child)
    else if (!child.built && schema.type === 'object')
      schema.properties = { ...properties, [key]: { description: 'No effect yet.' } }
  }
  const items = schema['items']
  if (known.item !== undefined && typeof items === 'object' && items !== null)
    addUnbuiltTo(items as Building, known.item) // the schema of an item
}
