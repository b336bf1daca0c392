/** What a user in the database may be: the same as in a users file, said by the names of the admin API. */
import type { Attributes, NewFields } from '../../backend.ts'
import { invalidFields } from '../../invalid-fields.ts'
import { ADDRESS_FIELDS, problemOfName, TEXT_FIELDS } from '../file/fields.ts'

export interface Rules {
  /** `identity_headers.separator`: no group may hold it; '' allows everything. */
  readonly separator: string
  readonly caseInsensitive: boolean
}

/** @throws AppError BODY_INVALID with all faults */
export function requireValid(
  name: string,
  { displayName, email = '', groups, attributes = {} }: NewFields,
  { separator, caseInsensitive }: Rules,
): void {
  const faults: { field: string; message: string }[] = []
  const say = (field: string, message: string | undefined) => {
    if (message !== undefined) faults.push({ field, message })
  }
  say('username', problemOfName(name))
  if (caseInsensitive && name !== name.toLowerCase()) say('username', 'is not lower case')
  if (displayName.trim() === '') say('display_name', 'is missing')
  else say('display_name', TEXT_FIELDS['displayname']?.(displayName))
  say('email', TEXT_FIELDS['email']?.(email))
  for (const group of groups) {
    say('groups', problemOfName(group))
    if (separator !== '' && group.includes(separator))
      say('groups', `holds ${JSON.stringify(separator)}, which separates groups in a header`)
  }
  for (const [key, value] of Object.entries(attributes)) say(key, problemOfAttribute(key, value))
  if (faults.length > 0) throw invalidFields(faults)
}

function problemOfAttribute(key: string, value: unknown): string | undefined {
  if (key === 'extra') return isMap(value) ? undefined : 'is no map'
  if (key === 'address') {
    if (!isMap(value)) return 'is no map'
    for (const [part, text] of Object.entries(value)) {
      const problemOf = Object.hasOwn(ADDRESS_FIELDS, part) ? ADDRESS_FIELDS[part] : undefined
      if (problemOf === undefined) return `has no ${part}`
      const problem = typeof text === 'string' ? problemOf(text) : 'is not a text'
      if (problem !== undefined) return `${part} ${problem}`
    }
    return undefined
  }
  const problemOf = Object.hasOwn(TEXT_FIELDS, key) ? TEXT_FIELDS[key] : undefined
  if (problemOf === undefined) return 'is no attribute of users'
  return typeof value === 'string' ? problemOf(value) : 'is not a text'
}

const isMap = (value: unknown): value is Attributes =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
