import { OperatorError } from '../../kernel/operator-error.ts'

/**
 * What went wrong with Redis, without what was sent: the library's errors carry the command and its arguments, the
 * password among them, and must neither be logged nor kept.
 */
export class RedisFault extends Error {
  override readonly name = 'RedisFault'
  /** The system's word (`ECONNREFUSED`), the first word of what Redis said (`WRONGPASS`), or `LATE`. */
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

const MAX_MESSAGE = 300

/** @param error whatever the library threw */
export function toFault(error: unknown): RedisFault {
  if (error instanceof RedisFault) return error
  if (!(error instanceof Error)) return new RedisFault('', 'something that is no error was thrown')
  // What a connection refused a caller with (STORE_UNAVAILABLE).
  if (error.cause instanceof RedisFault) return error.cause
  const last = 'lastNodeError' in error ? error.lastNodeError : undefined
  if (last instanceof Error) return toFault(last)
  // "…, with args beginning with: …" says what was sent.
  const message = error.message.replace(/,? with args beginning with[\s\S]*$/, '')
  return new RedisFault(codeOf(error, message), message.slice(0, MAX_MESSAGE))
}

function codeOf(error: Error, message: string): string {
  if ('code' in error && typeof error.code === 'string') return error.code
  // The sentinel connector puts the cause into its sentence.
  const inner = /\b(E[A-Z]{4,}|WRONGPASS|NOAUTH|NOPERM)\b/.exec(message)?.[1]
  return /^([A-Z]{3,})\b/.exec(message)?.[1] ?? inner ?? ''
}

/** What may pass by itself: worth another try while starting. */
const PASSING: ReadonlySet<string> = new Set([
  'LATE',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'ENOENT',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'LOADING',
  'MASTERDOWN',
  'CLUSTERDOWN',
  'READONLY',
  'NOREPLICAS',
])

export const isPassing = ({ code }: RedisFault): boolean => PASSING.has(code)

/** By code: what to say of it, and what to do about it. */
const KNOWN: readonly (readonly [codes: RegExp, says: string, hint: string])[] = [
  [
    /^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ENOENT)$/,
    'cannot be reached',
    'is it running, and are session.redis.host and session.redis.port right?',
  ],
  [/^(ENOTFOUND|EAI_AGAIN)$/, 'has a name that is not known', 'see session.redis.host'],
  [/^EACCES$/, 'may not be opened by this user', 'who may use the socket? (unixsocketperm)'],
  [/^(LATE|ETIMEDOUT)$/, 'does not answer in time', 'is it overloaded, or is a firewall between?'],
  [
    /^WRONGPASS$/,
    'refuses the password',
    'see session.redis.username and session.redis.password; without a username it is that of the user default',
  ],
  [/^NOAUTH$/, 'asks for a password', 'set session.redis.password'],
  [
    /^NOPERM$/,
    'does not let us do what has to be done',
    'docs/guides/scaling.md has the ACL that is needed',
  ],
  [/^LOADING$/, 'is still loading its data', 'wait until it is done'],
  [
    /^(READONLY|MASTERDOWN)$/,
    'is a replica that takes no writes',
    'name the master, or use session.redis.high_availability',
  ],
  [
    /^(MOVED|ASK)$/,
    'is a node of a cluster',
    'use session.redis.cluster (an empty section is enough)',
  ],
  [/^CLUSTERDOWN$/, 'is a cluster that is down', 'see what redis-cli cluster info says'],
  [
    /^NOREPLICAS$/,
    'takes no writes for want of replicas',
    'min-replicas-to-write asks for more than there are',
  ],
  [/^(MISCONF|OOM)$/, 'takes no writes', 'see its log'],
  [
    /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|CERT_\w+)$/,
    'has a certificate that is not trusted',
    'put the certificate that signed it into certificates_directory',
  ],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    'has a certificate for another name',
    'see session.redis.tls.server_name',
  ],
  [
    /^ERR_SSL_\w*CERTIFICATE\w*$/,
    'asks for a certificate of ours, or does not take it',
    'see session.redis.tls.certificate_chain and private_key',
  ],
  [
    /^(EPROTO|ERR_SSL_\w+|ECONNRESET|EPIPE)$/,
    'broke the connection off',
    'does one side speak TLS and the other not? See session.redis.tls',
  ],
]

/** The fault as a sentence for a person. */
export function explainFault(fault: RedisFault, address: string): OperatorError {
  const subject = `Redis at ${address}`
  const known = KNOWN.find(([codes]) => codes.test(fault.code))
  if (known !== undefined) {
    const [, says, hint] = known
    return new OperatorError(`${subject} ${says} (${fault.message})`, hint, { cause: fault })
  }
  if (/sentinel/.test(fault.message))
    return new OperatorError(
      `${subject} cannot be found (${fault.message})`,
      'host and nodes have to be sentinels, and sentinel_name a group that they watch',
      { cause: fault },
    )
  if (/cluster support disabled/.test(fault.message))
    return new OperatorError(`${subject} is no cluster`, 'take session.redis.cluster away', {
      cause: fault,
    })
  return new OperatorError(`${subject} cannot be used (${fault.message})`, undefined, {
    cause: fault,
  })
}
