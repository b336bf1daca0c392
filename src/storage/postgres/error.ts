/** What PostgreSQL and the way to it can say, as a feature and as an operator read it. */
import { AppError } from '../../kernel/errors.ts'
import { OperatorError, systemCode } from '../../kernel/operator-error.ts'

/** Seconds. */
const RETRY_AFTER = 5

/**
 * Classes and codes of https://www.postgresql.org/docs/current/errcodes-appendix.html that say nothing about the
 * question: connection, authorisation, resources, deadlock and lost races, cancelled by a time limit, shutdown, a server
 * that may not be written to, IO, corruption.
 */
const FAILURES = /^(08|28|3D|40|53|55P03|57|58|25006|F0|XX)/

/** The five characters that PostgreSQL gives each of its errors; undefined: it did not come from the server. */
export function sqlState(error: unknown): string | undefined {
  const code = systemCode(error)
  // Node's own have an `errno` or begin with ERR_; SELF_SIGNED_CERT_IN_CHAIN is longer.
  return /^[0-9A-Z]{5}$/.test(code) && error instanceof Error && 'severity' in error
    ? code
    : undefined
}

/** Whether the connection that it came over may be used again. */
export function breaksConnection(error: unknown): boolean {
  const state = sqlState(error)
  return state === undefined || /^(08|57P|58|XX)/.test(state)
}

/** Who is meant is a standby: it reads, but takes nothing. */
export class Standby extends Error {
  override readonly name = 'Standby'
}

/** What a feature gets of an error: the refusal when the database failed, else the error itself. */
export function unavailable(error: unknown): unknown {
  if (error instanceof AppError || error instanceof TypeError || error instanceof RangeError)
    return error
  const state = sqlState(error)
  if (state !== undefined && !FAILURES.test(state)) return error
  const problem = error instanceof Error ? error.message : String(error)
  return new AppError(
    'STORE_UNAVAILABLE',
    { store: 'postgres', problem, code: state ?? systemCode(error) },
    { cause: error, retryAfter: RETRY_AFTER },
  )
}

/** Whether the server is there but has not started up yet. */
export const isStarting = (error: unknown): boolean => sqlState(rootOf(error)) === '57P03'

interface Target {
  /** `localhost:5432`. */
  readonly server: string
  readonly database: string
  readonly username: string
  readonly schema: string
  readonly hasPassword: boolean
}

/** Says in a sentence why the database cannot be used at start; what is no failure of it is handed back as it is. */
export function explain(error: unknown, target: Target): unknown {
  const cause = rootOf(error)
  if (cause instanceof OperatorError || !(cause instanceof Error)) return cause
  const { server, database, username, schema, hasPassword } = target
  const refusal = (message: string, hint?: string) => new OperatorError(message, hint, { cause })
  const said = cause.message
  const password = hasPassword
    ? 'see storage.postgres.username and storage.postgres.password'
    : 'storage.postgres.password is not set'
  switch (sqlState(cause)) {
    case '28P01':
      return refusal(`PostgreSQL at ${server} refuses the user "${username}": ${said}`, password)
    case '28000':
      return refusal(
        `PostgreSQL at ${server} refuses the user "${username}": ${said}`,
        "see storage.postgres.username and storage.postgres.tls, and the server's pg_hba.conf",
      )
    case '3D000':
      return refusal(
        `PostgreSQL at ${server} has no database "${database}"`,
        `make it (createdb --owner=${username} ${database}), or see storage.postgres.database`,
      )
    case '42501':
      return refusal(
        `the user "${username}" may not use the schema "${schema}" of PostgreSQL at ${server}: ${said}`,
        `grant it: GRANT USAGE, CREATE ON SCHEMA "${schema}" TO "${username}"`,
      )
    case undefined:
      break
    default:
      return unavailable(cause) === cause
        ? cause
        : refusal(`PostgreSQL at ${server} cannot be used: ${said}`)
  }
  if (cause instanceof TypeError || cause instanceof RangeError) return cause
  if (cause instanceof Standby)
    return refusal(
      `PostgreSQL at ${server} is a standby, which cannot be written to`,
      'name the primary in storage.postgres.address, or both (storage.postgres.servers)',
    )
  if (/^SASL|password must be/.test(said))
    return refusal(`PostgreSQL at ${server} asks for a password`, password)
  if (/does not support SSL/.test(said))
    return refusal(
      `PostgreSQL at ${server} does not speak TLS`,
      'turn it on there, or leave storage.postgres.tls out',
    )
  const code = systemCode(cause)
  if (CERTIFICATE.test(code))
    return refusal(
      `the certificate of PostgreSQL at ${server} is not trusted: ${said}`,
      'see certificates_directory and storage.postgres.tls.server_name',
    )
  // A host with several addresses gives an AggregateError without a message.
  return refusal(
    `PostgreSQL at ${server} cannot be reached (${code || said})`,
    'see storage.postgres.address, and whether the server runs',
  )
}

const CERTIFICATE = /CERT|SIGNATURE|UNABLE_TO_(GET|VERIFY)|ERR_SSL|ERR_TLS|EPROTO/

/** Under the refusal for clients lies what happened. */
function rootOf(error: unknown): unknown {
  return error instanceof AppError &&
    error.code === 'STORE_UNAVAILABLE' &&
    error.cause !== undefined
    ? error.cause
    : error
}
