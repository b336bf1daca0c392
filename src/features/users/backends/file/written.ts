/** A user's fields as a users file has them: its keys, and values that are written as JSON. */
import type { AccountFields, Attributes } from '../../backend.ts'
import type { FieldValues } from './edit.ts'
import { TEXT_FIELDS } from './fields.ts'

const ATTRIBUTES = [
  ...Object.keys(TEXT_FIELDS).filter((key) => key !== 'displayname' && key !== 'email'),
  'address',
  'extra',
]

/** undefined takes a key out: what is empty, false or never needs no line. */
export function written(fields: Partial<AccountFields>): FieldValues {
  const { displayName, email, groups, disabled, expiresAt, mustChangePassword, attributes } = fields
  return {
    ...(displayName !== undefined && { displayname: displayName }),
    ...(email !== undefined && { email: email === '' ? undefined : email }),
    ...(groups !== undefined && { groups: [...new Set(groups)] }),
    ...(disabled !== undefined && { disabled: disabled || undefined }),
    ...(expiresAt !== undefined && { expires_at: momentOf(expiresAt) }),
    ...(mustChangePassword !== undefined && {
      must_change_password: mustChangePassword || undefined,
    }),
    ...(attributes !== undefined && writtenAttributes(attributes)),
  }
}

const momentOf = (at: number | null): string | undefined =>
  at === null ? undefined : new Date(at).toISOString()

const writtenAttributes = (attributes: Attributes): FieldValues =>
  Object.fromEntries(ATTRIBUTES.map((key) => [key, attributes[key]]))
