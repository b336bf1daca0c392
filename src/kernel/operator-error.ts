/**
 * An error whose text is for the operator: what was asked for, on the command line or by starting the server, cannot be
 * done, and it is no bug. The message is one sentence without a full stop; `hint` says what to do. Neither holds a secret.
 */
export class OperatorError extends Error {
  override readonly name = 'OperatorError'
  readonly hint: string | undefined

  constructor(message: string, hint?: string, options?: ErrorOptions) {
    super(message, options)
    this.hint = hint
  }
}

/** The system's short word for a failure of IO (`ENOENT`), or an empty text when it is none. */
export function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : ''
}
