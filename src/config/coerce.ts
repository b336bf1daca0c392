import type { Known, Leaf } from './known.ts'
import type { Origin, Scalar, Tree } from './tree.ts'

/**
 * The text of a variable → the value that its key takes.
 * @returns undefined when the text is none of what the key takes
 */
export function coerce(node: Known, text: string, at: Origin): Tree | undefined {
  const { leaf, item } = node
  if (leaf === undefined && item === undefined) return { kind: 'scalar', value: text, at }
  const list = item?.leaf
  const empty = text.trim() === ''
  // A comma in a secret is a part of it.
  if (
    list !== undefined &&
    leaf?.secret !== true &&
    (leaf === undefined || empty || text.includes(','))
  ) {
    const parts = empty ? [] : text.split(',').map((part) => part.trim())
    const items: Tree[] = []
    for (const part of parts) {
      const value = coerceScalar(list, part)
      if (value === undefined) return undefined
      items.push({ kind: 'scalar', value, at })
    }
    return { kind: 'list', items, at }
  }
  const value = leaf === undefined ? undefined : coerceScalar(leaf, text)
  return value === undefined ? undefined : { kind: 'scalar', value, at }
}

/** By the type of the key, never by the look of the text: the password 12345 is no number. */
function coerceScalar({ types }: Leaf, text: string): Scalar | undefined {
  const trimmed = text.trim()
  if (types.has('boolean') && /^(true|false)$/i.test(trimmed))
    return trimmed.toLowerCase() === 'true'
  if (types.has('string')) return text
  if (types.has('number') && /^-?\d{1,15}(\.\d{1,15})?$/.test(trimmed)) return Number(trimmed)
  return undefined
}
