/** The parts of a user that are more than one text: groups, address, declared attributes. */
import { isScalar, isSeq, type Node } from 'yaml'
import type { ConfigPath } from '../../../../kernel/feature.ts'
import type { Attributes } from '../../backend.ts'
import {
  ADDRESS_FIELDS,
  type ExtraAttribute,
  type ExtraAttributes,
  problemOfName,
  type TextField,
} from './fields.ts'
import type { Reader } from './reader.ts'
import { isNothing, textOf } from './yaml.ts'

/** @param separator what joins groups in the identity header; '' allows everything */
export function readGroups(
  { fault, follow }: Reader,
  node: Node | null,
  path: ConfigPath,
  separator: string,
): readonly string[] {
  const list = follow(node, path)
  if (list === undefined || isNothing(list)) return []
  if (!isSeq<Node | null>(list)) {
    fault(node, path, 'is not a list of groups', '[admins, dev]')
    return []
  }
  const groups = new Set<string>()
  for (const [i, item] of list.items.entries()) {
    const value = follow(item, [...path, i])
    if (value === undefined) break
    const group = textOf(value)
    const problem =
      group === undefined ? 'is not the name of a group' : problemOfGroup(group, separator)
    if (problem !== undefined) fault(item ?? node, [...path, i], problem)
    else if (group !== undefined) groups.add(group)
  }
  return [...groups]
}

function problemOfGroup(group: string, separator: string): string | undefined {
  if (separator !== '' && group.includes(separator))
    return `holds ${JSON.stringify(separator)}, which separates groups in the identity header`
  return problemOfName(group)
}

/** What is written under `address`. */
export function readAddress(reader: Reader, node: Node | null, path: ConfigPath): Attributes {
  const pairs = reader.entries(node, path, 'an address').flatMap(({ name, key, value }) => {
    const here = [...path, name]
    const field = own<TextField>(ADDRESS_FIELDS, name)
    if (field !== undefined) return [[name, reader.text(value, here, field)]]
    reader.unknownKey(key, here, name, Object.keys(ADDRESS_FIELDS))
    return []
  })
  return Object.fromEntries(pairs)
}

/** What is written under `extra`; of what the configuration does not declare, texts, numbers, flags and lists of them. */
export function readExtra(
  reader: Reader,
  node: Node | null,
  path: ConfigPath,
  attributes: ExtraAttributes,
): Attributes {
  const pairs = reader
    .entries(node, path, 'a map of attributes')
    .flatMap(({ name, key, value }) => {
      const here = [...path, name]
      const declared = own(attributes, name)
      if (declared !== undefined) {
        const values = readAttribute(reader, value, here, declared)
        return [[name, declared.multi_valued ? values : values[0]]]
      }
      reader.warn(key, here, 'is not declared in authentication_backend.file.extra_attributes')
      const plain = plainValue(reader, value, here)
      return plain === undefined ? [] : [[name, plain]]
    })
  return Object.fromEntries(pairs)
}

function plainValue({ follow }: Reader, node: Node | null, path: ConfigPath): unknown {
  const value = follow(node, path)
  if (isSeq<Node | null>(value))
    return value.items.flatMap((item) => {
      const scalar = follow(item, path)
      return isScalar(scalar) ? [scalar.value] : []
    })
  return isScalar(value) ? (value.value ?? undefined) : undefined
}

function readAttribute(
  { fault, follow }: Reader,
  node: Node | null,
  path: ConfigPath,
  declared: ExtraAttribute,
): unknown[] {
  const value = follow(node, path)
  if (value === undefined) return []
  if (declared.multi_valued !== isSeq(value)) {
    const wanted = declared.multi_valued ? 'a list' : 'a single value'
    fault(node, path, `is not ${wanted}, as extra_attributes declares it`)
    return []
  }
  const values: unknown[] = []
  for (const item of isSeq<Node | null>(value) ? value.items : [value]) {
    const scalar = follow(item, path)
    if (scalar === undefined) break
    if (isScalar(scalar) && isOfType(scalar.value, declared.value_type)) values.push(scalar.value)
    else fault(item ?? node, path, `is not of the type ${declared.value_type}`)
  }
  return values
}

function isOfType(value: unknown, type: ExtraAttribute['value_type']): boolean {
  switch (type) {
    case 'string':
      return typeof value === 'string'
    case 'integer':
      return Number.isSafeInteger(value)
    case 'boolean':
      return typeof value === 'boolean'
    default:
      return type satisfies never
  }
}

/** What a table says under a name that came from outside: never what it inherits. */
export const own = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined
