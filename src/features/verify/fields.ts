import { readHost } from '../access/index.ts'

/**
 * The headers of one verify request that mean something to us, read in one pass over the raw header list.
 *
 * The raw list and not `request.headers`: a repeated header must be seen as repeated (advisories 8, 42), and building
 * that object costs more than the rest of a verify. Values are the bytes as sent, one character a byte.
 */
export interface Fields {
  originalUrl: string | undefined
  originalMethod: string | undefined
  forwardedProto: string | undefined
  forwardedHost: string | undefined
  forwardedUri: string | undefined
  forwardedMethod: string | undefined
  forwardedFor: string[]
  cookies: string[]
  host: string | undefined
  /** X-Authelia-URL: the portal, as an Envoy's configuration names it. */
  portal: string | undefined
  authorization: string | undefined
  proxyAuthorization: string | undefined
  accept: string | undefined
  requestedWith: string | undefined
  fetchMode: string | undefined
  /** Fields that came more than once and may not. */
  repeated: number
  /** A header that folds to one we read (`X_Forwarded_Host`, `X.Original.URL`), as it was spelled. */
  alias: string | undefined
}

/** One bit a field, for `repeated`. */
export const FIELD = {
  originalUrl: 1,
  originalMethod: 2,
  forwardedProto: 4,
  forwardedHost: 8,
  forwardedUri: 16,
  forwardedMethod: 32,
  host: 64,
  portal: 128,
  authorization: 256,
  proxyAuthorization: 512,
} as const

type Single = keyof typeof FIELD
type Field = Single | 'forwardedFor' | 'cookies' | 'accept' | 'requestedWith' | 'fetchMode'

const NAMES: Readonly<Record<string, Field>> = {
  'x-original-url': 'originalUrl',
  'x-original-method': 'originalMethod',
  'x-forwarded-proto': 'forwardedProto',
  'x-forwarded-host': 'forwardedHost',
  'x-forwarded-uri': 'forwardedUri',
  'x-forwarded-method': 'forwardedMethod',
  'x-forwarded-for': 'forwardedFor',
  host: 'host',
  'x-authelia-url': 'portal',
  authorization: 'authorization',
  'proxy-authorization': 'proxyAuthorization',
  cookie: 'cookies',
  accept: 'accept',
  'x-requested-with': 'requestedWith',
  'sec-fetch-mode': 'fetchMode',
}
/** Most headers of a browser are none of ours: their length and first letter say so without folding the name. */
const BY_LENGTH: readonly (readonly { readonly name: string; readonly field: Field }[])[] = (() => {
  const table: { name: string; field: Field }[][] = []
  for (const [name, field] of Object.entries(NAMES)) {
    table[name.length] = [...(table[name.length] ?? []), { name, field }]
  }
  return Array.from(table, (entry) => entry ?? [])
})()
const NONE: readonly { readonly name: string; readonly field: Field }[] = []

const HYPHEN = 0x2d
const DOT = 0x2e
const UNDERSCORE = 0x5f

export function readFields(rawHeaders: readonly string[]): Fields {
  const fields: Fields = {
    originalUrl: undefined,
    originalMethod: undefined,
    forwardedProto: undefined,
    forwardedHost: undefined,
    forwardedUri: undefined,
    forwardedMethod: undefined,
    forwardedFor: [],
    cookies: [],
    host: undefined,
    portal: undefined,
    authorization: undefined,
    proxyAuthorization: undefined,
    accept: undefined,
    requestedWith: undefined,
    fetchMode: undefined,
    repeated: 0,
    alias: undefined,
  }
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const raw = rawHeaders[i] ?? ''
    const candidates = BY_LENGTH[raw.length] ?? NONE
    if (candidates.length === 0) continue
    const first = raw.charCodeAt(0) | 0x20
    for (const { name, field } of candidates) {
      if (first !== name.charCodeAt(0)) continue
      const likeness = compare(raw, name)
      if (likeness === 'other') continue
      if (likeness === 'same') keep(fields, field, rawHeaders[i + 1] ?? '')
      else fields.alias ??= raw
      break
    }
  }
  return fields
}

/**
 * Compares a header's name with one of ours of the same length, whatever its case; an alias has `_` or `.` in place of a
 * hyphen. Letter by letter: most names of that length and first letter (Sec-Fetch-Site) differ in the middle.
 */
function compare(raw: string, name: string): 'same' | 'alias' | 'other' {
  let isAlias = false
  for (let i = 0; i < name.length; i++) {
    const code = raw.charCodeAt(i)
    const wanted = name.charCodeAt(i)
    if (code === wanted || (code >= 0x41 && code <= 0x5a && (code | 0x20) === wanted)) continue
    if (wanted !== HYPHEN || (code !== UNDERSCORE && code !== DOT)) return 'other'
    isAlias = true
  }
  return isAlias ? 'alias' : 'same'
}

function keep(fields: Fields, field: Field, value: string): void {
  switch (field) {
    case 'forwardedFor':
      fields.forwardedFor.push(value)
      return
    case 'cookies':
      fields.cookies.push(value)
      return
    case 'accept':
    case 'requestedWith':
    case 'fetchMode':
      fields[field] = fields[field] === undefined ? value : `${fields[field]}, ${value}`
      return
    default:
      if (fields[field] !== undefined) fields.repeated |= FIELD[field]
      fields[field] = value
  }
}

/** A header that is there but blank is absent: proxies send blanks for what they don't know. */
export const isPresent = (value: string | undefined): value is string =>
  value !== undefined && value !== ''

/** The portals that X-Authelia-URL names: none, one, or more than one, which no proxy's configuration does. */
export function portalHeaders({ portal = '', repeated }: Fields): readonly string[] {
  if ((repeated & FIELD.portal) !== 0) return [portal, portal]
  return isPresent(portal) ? [portal] : []
}

/** Whether two authorities of the same scheme name the same host and port. */
export function sameAuthority(a: string, b: string, scheme: string): boolean {
  if (a === b) return true
  const [left, right] = [readHost(a, scheme), readHost(b, scheme)]
  return left !== null && right !== null && left.name === right.name && left.port === right.port
}
