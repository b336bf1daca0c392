import { html } from 'ghtml'
import type { Translate } from '../../../../http/messages.ts'
import { textFields } from '../../../portal/index.ts'
import type { UserRow } from '../../../users/index.ts'

/** What stands in the form of a user. */
export interface Typed {
  readonly display_name: string
  readonly email: string
  /** One a line. */
  readonly groups: string
  /** Minutes, in UTC, as a browser's field for a moment has them; '' for never. */
  readonly expires_at: string
  readonly disabled: boolean
  readonly must_change_password: boolean
}

export const EMPTY: Typed = {
  ...{ display_name: '', email: '', groups: '', expires_at: '' },
  ...{ disabled: false, must_change_password: false },
}

export const typedOf = (row: UserRow): Typed => ({
  ...{ display_name: row.display_name, email: row.email, groups: row.groups.join('\n') },
  expires_at: row.expires_at === null ? '' : row.expires_at.slice(0, 16),
  ...{ disabled: row.disabled, must_change_password: row.must_change_password },
})

export function readTyped(body: unknown): Typed {
  const form = textFields(body)
  const { display_name = '', email = '', groups = '', expires_at = '' } = form
  return {
    ...{ display_name: display_name.trim(), email: email.trim() },
    groups: [...new Set(groups.split('\n').map((line) => line.trim()))].filter(Boolean).join('\n'),
    expires_at: expires_at.trim(),
    disabled: form['disabled'] !== undefined,
    must_change_password: form['must_change_password'] !== undefined,
  }
}

const MINUTES = /^\d{4}-\d\d-\d\dT\d\d:\d\d$/

/** As the operations take it. */
export const inputOf = ({ groups, expires_at: until, ...fields }: Typed) => ({
  ...fields,
  groups: groups === '' ? [] : groups.split('\n'),
  expires_at: until === '' ? null : MINUTES.test(until) ? `${until}:00Z` : until,
})

type Input = ReturnType<typeof inputOf>

/** The fields that the form has otherwise than the user: what was not touched is not written. */
export function changesOf(typed: Typed, row: UserRow): Partial<Input> {
  const now = typedOf(row)
  const keys = new Set(FIELDS.filter((key) => typed[key] !== now[key]))
  const entries = Object.entries(inputOf(typed)).filter(([key]) =>
    [...keys].some((one) => one === key),
  )
  // As: these are entries of that object.
  return Object.fromEntries(entries) as Partial<Input>
}

export const FIELDS = [
  'display_name',
  'email',
  'groups',
  'expires_at',
  'disabled',
  'must_change_password',
] as const satisfies readonly (keyof Typed)[]

/** What is wrong with fields, by their names. */
export type FieldFaults = ReadonlyMap<string, string>
export const NO_FAULTS: FieldFaults = new Map()

interface TextField {
  readonly value: string
  readonly faults: FieldFaults
  /** Attributes. */
  readonly more?: string
  readonly hint?: string
}

/** A labelled field, and below it what it is for and what is wrong with it. */
export function textField(
  t: Translate,
  name: string,
  { value, faults, more = '', hint }: TextField,
): string {
  const attributes = html`id="${name}" name="${name}" !${more} !${described(name, faults, hint)}`
  return html`<div class="field"><label for="${name}">${t(`admin.users.${name}`)}</label>
!${
    name === 'groups'
      ? html`<textarea rows="3" !${attributes}>${value}</textarea>`
      : html`<input value="${value}" !${attributes}>`
  }
!${below(name, faults, hint)}</div>`
}

/** The first fault has the focus. */
function described(name: string, faults: FieldFaults, hint: string | undefined): string {
  const isWrong = faults.has(name)
  const ids = [
    ...(hint === undefined ? [] : [`${name}-hint`]),
    ...(isWrong ? [`${name}-wrong`] : []),
  ]
  const [first] = faults.keys()
  return html`!${ids.length === 0 ? '' : html`aria-describedby="${ids.join(' ')}"`} !${isWrong ? 'aria-invalid="true"' : ''} !${first === name ? 'autofocus' : ''}`
}

function below(name: string, faults: FieldFaults, hint: string | undefined): string {
  const fault = faults.get(name)
  return html`!${hint === undefined ? '' : html`<p class="hint" id="${name}-hint">${hint}</p>`}
!${fault === undefined ? '' : html`<p class="hint alarming" id="${name}-wrong">${fault}</p>`}`
}

export const check = (t: Translate, name: string, on: boolean): string =>
  html`<label class="check"><input type="checkbox" name="${name}" !${on ? 'checked' : ''}> ${t(`admin.users.${name}`)}</label>`

const PLAIN = 'type="text" autocomplete="off"'

export const fieldsOf = (t: Translate, typed: Typed, faults: FieldFaults): string =>
  html`!${textField(t, 'display_name', { value: typed.display_name, faults, more: `${PLAIN} maxlength="1024" required` })}
!${textField(t, 'email', { value: typed.email, faults, more: `${PLAIN} inputmode="email" autocapitalize="none" spellcheck="false" dir="ltr" maxlength="320"` })}
!${textField(t, 'groups', { value: typed.groups, faults, more: 'autocapitalize="none" spellcheck="false"', hint: t('admin.users.groupsHint') })}
!${textField(t, 'expires_at', { value: typed.expires_at, faults, more: 'type="datetime-local"', hint: t('admin.users.expiresHint') })}
!${check(t, 'disabled', typed.disabled)}
!${check(t, 'must_change_password', typed.must_change_password)}`
