import { stringifySetCookie } from 'cookie'
import type { EpochMs } from '../../kernel/clock.ts'
import type { CookieDomain } from './cookie-domain.ts'

/** How many cookies of one name a request may carry and still be read. */
export const MAX_VALUES = 4

const TAB = 9
const SPACE = 32
const QUOTE = 34
const SEMICOLON = 59
const EQUALS = 61

/**
 * Reads the values of one cookie from a `Cookie` header, in order. On the verify path: no pattern, no list of pairs,
 * nothing allocated but the values.
 *
 * Pairs end at `;`, quotes or not, as in browsers; spaces and tabs around name and value do not count (RFC 6265 §5.2),
 * nor does one pair of quotes around a value (§4.1.1). Names are compared case-sensitively.
 * @param name a token
 * @param into may hold values of an earlier header of the same request
 * @param limit how many values are read at the most. By default one more than may count: a request with that many has no
 *   session anyway. What ends sessions has to read all of them: `Infinity`
 */
export function cookieValues(
  header: string,
  name: string,
  into: string[],
  limit = MAX_VALUES + 1,
): void {
  for (
    let at = header.indexOf(name);
    at !== -1 && into.length < limit;
    at = header.indexOf(name, at + 1)
  ) {
    let before = at - 1
    while (before >= 0 && isBlank(header.charCodeAt(before))) before--
    if (before >= 0 && header.charCodeAt(before) !== SEMICOLON) continue
    let from = at + name.length
    while (isBlank(header.charCodeAt(from))) from++
    if (header.charCodeAt(from) !== EQUALS) continue
    const semicolon = header.indexOf(';', ++from)
    let to = semicolon === -1 ? header.length : semicolon
    while (from < to && isBlank(header.charCodeAt(from))) from++
    while (to > from && isBlank(header.charCodeAt(to - 1))) to--
    if (to - from > 1 && header.charCodeAt(from) === QUOTE && header.charCodeAt(to - 1) === QUOTE) {
      from++
      to--
    }
    into.push(header.slice(from, to))
  }
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB
}

/** 256 bits in base64url without padding, RFC 4648 §5. */
const WELL_FORMED = /^[A-Za-z0-9_-]{43}$/

/** Whether a cookie's value may be one of ours; nothing else is even hashed. */
export function isWellFormed(value: string): boolean {
  // V8 compiles this to a third of the time of a loop over charCodeAt.
  return WELL_FORMED.test(value)
}

/**
 * The `Set-Cookie` header that gives a session to a browser. Holds the credential: never to be logged.
 * @param now with `expiresAt` it makes `Max-Age`; `Expires` is for browsers whose clock can be trusted more than ours
 */
export function sessionCookie(
  domain: CookieDomain,
  value: string,
  expiresAt: EpochMs,
  now: EpochMs,
): string {
  // Up: storing it took some milliseconds, and what the cookie promises is not what decides.
  return setCookie(domain, value, Math.ceil((expiresAt - now) / 1000), new Date(expiresAt))
}

/** The `Set-Cookie` header that takes it away again; the same name, domain and path, or it would be another cookie. */
export function expiredCookie(domain: CookieDomain): string {
  return setCookie(domain, '', 0, new Date(0))
}

/** `Secure` always: browsers take it on http for localhost names. */
function setCookie(domain: CookieDomain, value: string, maxAge: number, expires: Date): string {
  return stringifySetCookie({
    name: domain.name,
    value,
    path: '/',
    ...(!domain.hostOnly && { domain: domain.domain }),
    maxAge,
    expires,
    httpOnly: true,
    secure: true,
    sameSite: domain.sameSite,
  })
}
