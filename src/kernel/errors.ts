/**
 * Every refusal that can reach a client, a log line or a metric label: its status, and the one sentence the client may
 * read. A code is never reused for another meaning. `docs/reference/errors.md` is generated from this table.
 */
export const ERRORS = {
  ADMIN_REQUIRED: { status: 403, message: 'Only administrators may do this.' },
  AUTHENTICATION_FAILED: {
    status: 401,
    message: 'Authentication failed. Check your credentials.',
  },
  BAN_INVALID: { status: 400, message: 'This ban cannot be made.' },
  BODY_INVALID: { status: 400, message: 'The request body is not valid.' },
  BODY_TOO_LARGE: { status: 413, message: 'The request body is too large.' },
  COOKIE_DOMAIN_UNKNOWN: {
    status: 403,
    message: 'No cookie domain is configured for this host.',
  },
  CROSS_ORIGIN: { status: 403, message: 'This request did not come from the portal itself.' },
  ELEVATION_REQUIRED: { status: 403, message: "Confirm first that it's you." },
  ENROLMENT_CLOSED: {
    status: 403,
    message: 'Your administrator has to let you set up a second factor first.',
  },
  FACTOR_MISSING: { status: 409, message: 'Set up a second factor first.' },
  HASHING_BUSY: { status: 503, message: 'Too many sign-ins at once. Try again in a moment.' },
  INTERNAL: { status: 500, message: 'Something went wrong on our side.' },
  MEDIA_TYPE_UNSUPPORTED: { status: 415, message: 'This content type is not supported.' },
  METHOD_NOT_ALLOWED: { status: 405, message: 'This method is not allowed here.' },
  MAILED_CODES_LIMITED: { status: 429, message: 'Too many codes. Try again later.' },
  NOT_FOUND: { status: 404, message: 'There is nothing here.' },
  PASSWORD_UNUSABLE: { status: 400, message: 'This password cannot be used.' },
  PASSWORD_WEAK: {
    status: 400,
    message: 'Your supplied password does not meet the password policy requirements.',
  },
  SECOND_FACTOR_LIMITED: { status: 429, message: 'Too many wrong codes. Try again later.' },
  SIGN_IN_LIMITED: { status: 429, message: 'Too many failed sign-ins. Try again later.' },
  SIGN_IN_REQUIRED: { status: 403, message: 'Sign in first.' },
  STORE_UNAVAILABLE: { status: 503, message: 'Sign-in is unavailable. Try again in a moment.' },
  URL_INVALID: { status: 400, message: 'The address of this request is not valid.' },
  USER_CHANGED: { status: 412, message: 'This user was changed meanwhile. Look again first.' },
  USER_EXISTS: { status: 409, message: 'There is a user with this name already.' },
  USER_LAST_ADMINISTRATOR: { status: 409, message: 'This is the last administrator.' },
  USER_OWN: { status: 409, message: 'You cannot do this to yourself.' },
  USER_UNKNOWN: { status: 404, message: 'There is no such user.' },
  USERS_UNWRITABLE: { status: 503, message: 'The users cannot be changed right now.' },
  VERIFY_MALFORMED: { status: 400, message: 'The request that the proxy asks about is malformed.' },
  VERIFY_MALFORMED_LEGACY: {
    status: 401,
    message: 'The request that the proxy asks about is malformed.',
  },
  VERIFY_PEER_UNTRUSTED: { status: 403, message: 'This peer is not a trusted proxy.' },
} as const satisfies Record<string, { readonly status: number; readonly message: string }>

export type ErrorCode = keyof typeof ERRORS

/**
 * A refusal. The client reads the code's sentence and nothing else; `details` are for the log.
 *
 * `details` must hold no secret, cookie, token or password.
 */
export class AppError<C extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'AppError'
  readonly code: C
  readonly statusCode: number
  readonly details: Readonly<Record<string, unknown>>
  /** Whole seconds after which trying again makes sense; sent as `Retry-After`. */
  readonly retryAfter: number | undefined
  /** What a client of the JSON API reads besides the sentence: what is wrong with what it sent. */
  readonly data: Readonly<Record<string, unknown>> | undefined

  constructor(
    code: C,
    details: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions & {
      readonly retryAfter?: number
      readonly data?: Readonly<Record<string, unknown>>
    },
  ) {
    super(ERRORS[code].message, options)
    this.code = code
    this.statusCode = ERRORS[code].status
    this.details = details
    this.retryAfter = options?.retryAfter
    this.data = options?.data
  }
}
