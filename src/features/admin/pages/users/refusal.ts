import type { Translate } from '../../../../http/messages.ts'
import { AppError, type ErrorCode } from '../../../../kernel/errors.ts'
import { fieldFaultsOf } from '../../../../kernel/operation.ts'
import { faultsIn, faultText } from '../../../password-policy/index.ts'
import type { AdminServices } from '../../services.ts'
import type { FieldFaults } from './fields.ts'

/** Why an operation was refused, for the page with the form. */
export interface Refusal {
  readonly status: number
  /** '' where the fields say all. */
  readonly text: string
  readonly faults: FieldFaults
}

const TEXTS: Readonly<Partial<Record<ErrorCode, string>>> = {
  BODY_INVALID: 'admin.users.error.invalid',
  USER_CHANGED: 'admin.users.error.changed',
  USER_EXISTS: 'admin.users.error.exists',
  USER_LAST_ADMINISTRATOR: 'admin.users.error.last',
  USER_OWN: 'admin.users.error.own',
  USERS_UNWRITABLE: 'admin.users.error.unwritable',
}
/** In which field the fault is. */
const FIELDS: Readonly<Partial<Record<ErrorCode, readonly [field: string, key: string]>>> = {
  USER_EXISTS: ['username', 'admin.users.error.exists'],
  PASSWORD_UNUSABLE: ['password', 'settings.password.unusable'],
}

/** @throws what is no refusal of this kind */
export function refusalOf(
  t: Translate,
  error: unknown,
  { policy }: Pick<AdminServices, 'policy'>,
): Refusal {
  if (!(error instanceof AppError)) throw error
  const { code, statusCode: status }: AppError = error
  const faults = new Map(fieldFaultsOf(error).map(({ field, message }) => [field, message]))
  const [field, key] = FIELDS[code] ?? []
  if (field !== undefined && key !== undefined) faults.set(field, t(key))
  if (code === 'PASSWORD_WEAK') {
    const texts = faultsIn(error).map((fault) => faultText(t, fault, policy.config))
    faults.set('password', texts.join(' '))
  }
  const text = TEXTS[code]
  if (text === undefined && faults.size === 0) throw error
  return { status, faults, text: faults.size > 0 ? t('admin.users.error.invalid') : t(text ?? '') }
}
