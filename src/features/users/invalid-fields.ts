import { AppError } from '../../kernel/errors.ts'

export interface FieldFault {
  /** As the admin API calls it. */
  readonly field: string
  readonly message: string
}

/** The refusal of a user that cannot be as it was asked for. The caller reads the faults. */
export const invalidFields = (faults: readonly FieldFault[]): AppError =>
  new AppError('BODY_INVALID', { faults }, { data: { faults } })
