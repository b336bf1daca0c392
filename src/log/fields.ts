/** What may be printed of a value, decided by its type first and by its name second. */
import { AppError } from '../kernel/errors.ts'
import { Secret } from '../kernel/secret.ts'

/** Deeper than anything we log on purpose; a cycle ends here too. */
const MAX_DEPTH = 4
const MAX_ITEMS = 50
const MAX_CAUSES = 5

const SENSITIVE = new Set(
  (
    'authorization bearer cookie cookies credential credentials digest digests hash passphrase passwd password ' +
    'passwords secret secrets token tokens'
  ).split(' '),
)
/** `cookie_domain`, `password_policy`, `token_count` are about a secret, not the secret. */
const HARMLESS_ENDINGS = new Set(['count', 'domain', 'domains', 'file', 'name', 'path', 'policy'])

/**
 * Whether a field of this name holds something that must not be printed: `password`, `set-cookie`, `sessionToken`,
 * `proxy-authorization`.
 */
export function isSensitive(key: string): boolean {
  const words = key
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
  return (
    words.some((word) => SENSITIVE.has(word)) &&
    !HARMLESS_ENDINGS.has(words[words.length - 1] ?? '')
  )
}

/**
 * The fields of one log call as plain data: errors become `error` (and `code`, `stack`), secrets `[secret]`, bytes and
 * living objects their kind. Never throws.
 * @param verbose the log is at debug or trace: every error brings its stack
 * @param severe this line is an error: a bug (anything but an AppError) brings its stack
 */
export function fieldsOf(
  given: object,
  { verbose, severe }: { readonly verbose: boolean; readonly severe: boolean },
): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  const entries: [string, unknown][] =
    given instanceof Error ? [['error', given]] : Object.entries(given)
  for (const [key, value] of entries) {
    if (!(value instanceof Error)) {
      fields[key] = present(value, 0)
      continue
    }
    if (value instanceof AppError) {
      for (const [name, detail] of Object.entries(value.details)) {
        if (!(name in fields)) fields[name] = present(detail, 0)
      }
      fields['code'] = value.code
    }
    fields[key === 'err' ? 'error' : key] = messageOf(value)
    if (verbose || (severe && !(value instanceof AppError))) fields['stack'] = stackOf(value)
  }
  return fields
}

/** An error's message and those of its causes, outermost first: `cannot read users: EACCES: permission denied`. */
export function messageOf(error: unknown): string {
  const messages: string[] = []
  let current: unknown = error
  while (current instanceof Error && messages.length < MAX_CAUSES) {
    messages.push(current.message === '' ? current.name : current.message)
    current = current.cause
  }
  if (messages.length === 0) return typeof error === 'string' ? error : 'unknown'
  return messages.join(': ')
}

function stackOf(error: Error): string {
  const stacks: string[] = []
  let current: unknown = error
  while (current instanceof Error && stacks.length < MAX_CAUSES) {
    stacks.push(current.stack ?? messageOf(current))
    current = current.cause
  }
  return stacks.join('\ncaused by ')
}

function present(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
      return value
    case 'bigint':
      return String(value)
    case 'object':
      return value === null ? null : presentObject(value, depth)
    default:
      return undefined
  }
}

function presentObject(value: object, depth: number): unknown {
  if (value instanceof Secret) return '[secret]'
  if (value instanceof Error) return messageOf(value)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (value instanceof URL) return value.href
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  if (depth >= MAX_DEPTH) return '[…]'
  if (Array.isArray(value)) {
    const items = value.slice(0, MAX_ITEMS).map((item) => present(item, depth + 1) ?? null)
    return value.length > MAX_ITEMS ? [...items, `… ${value.length - MAX_ITEMS} more`] : items
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  // A request, a socket, a map: its content is not for the log, and may be without end.
  if (prototype !== null && prototype !== Object.prototype) return `[${value.constructor.name}]`
  const fields: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value).slice(0, MAX_ITEMS)) {
    fields[key] = isSensitive(key) ? '[redacted]' : present(item, depth + 1)
  }
  return fields
}
