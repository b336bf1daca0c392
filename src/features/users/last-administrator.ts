import { AppError } from '../../kernel/errors.ts'

/** Of an account, what tells whether it can administer for good. */
export interface Standing {
  readonly groups: readonly string[]
  readonly disabled: boolean
  /** Whether it ends some day. */
  readonly expires: boolean
}

/** Whether the user is an administrator who stays one: an enabled member of one of the groups, without an end. */
export const isLasting = (
  { groups, disabled, expires }: Standing,
  administrators: readonly string[],
): boolean => !disabled && !expires && groups.some((group) => administrators.includes(group))

/** Whether a change takes an administrator away, so that another one has to be there. @param after undefined: removed */
export const takesAdministrator = (
  before: Standing,
  after: Standing | undefined,
  administrators: readonly string[],
): boolean =>
  isLasting(before, administrators) && !(after !== undefined && isLasting(after, administrators))

export const lastAdministrator = (): AppError => new AppError('USER_LAST_ADMINISTRATOR')
