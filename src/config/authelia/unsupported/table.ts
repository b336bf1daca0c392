/** How the tables of keys without effect are written, and how they get into the tree of all keys. */
import { addPath, type Known } from '../../known.ts'
import { type Form, schemaOf, takesText } from './forms.ts'

/** What it may hold, its default (`undefined`: none; `REQUIRED`: it must be there), and what it is for. */
export type Row = readonly [form: Form, standard: unknown, about: string]

/** A key that must be there when what is around it is. */
export const REQUIRED: unique symbol = Symbol('required')

/**
 * Keys by path: `a.b`, `list[]` for an item of a list, `*` for a free key, `**` for anything below, `{a,b}` for one of
 * several. The empty key says what the section is for.
 */
export interface Section {
  readonly [path: string]: Row | Section | string
}

/** Adds a table to the tree. What a feature reads stays as it is. */
export function addSection(root: Known, section: Section, base = ''): void {
  for (const [key, value] of Object.entries(section)) {
    const path = base === '' || key === '' ? base + key : `${base}.${key}`
    if (isRow(value)) addRow(root, path, value)
    else if (typeof value === 'string') {
      for (const node of addPath(root, path)) node.about ??= value
    } else addSection(root, value, path)
  }
}

const isRow = (value: Row | Section | string): value is Row => Array.isArray(value)

/** Adds one key. */
export function addRow(root: Known, path: string, [form, standard, about]: Row): void {
  for (const node of addPath(root, path)) {
    if (node.built) continue
    node.about = about
    node.unread = {
      schema: () => schemaOf(form),
      standard: standard === REQUIRED ? undefined : standard,
      required: standard === REQUIRED,
      mayBeEmpty: takesText(form),
    }
  }
}
