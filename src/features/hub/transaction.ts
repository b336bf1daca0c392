import { hash, randomBytes } from 'node:crypto'
import { stringifySetCookie } from 'cookie'
import type { EpochMs } from '../../kernel/clock.ts'
import { equalBytes } from '../../kernel/secret.ts'

/**
 * A hub transaction: a browser is sent to another portal and comes back. A random value in a cookie of this host alone ties
 * the way back to the way out; every other party sees its hash alone. One cookie a transaction: tabs that leave at the same
 * time come back one by one.
 */

/** `__Host-`: from this host and for it, whatever hosts beside it try to set. */
const PREFIX = '__Host-vestibule_hub_'
/** A name of ours, and not merely one that begins so: it is sent back. */
const NAME = /^__Host-vestibule_hub_[A-Za-z0-9_-]{8}$/
/** SHA-256 in base64url, RFC 4648 §5. */
const HASH = /^[A-Za-z0-9_-]{43}$/
/** Of the hash, in the cookie's name. */
const NAME_LENGTH = 8
/**
 * Seconds. For this long, a browser that did not come back (that portal cannot be reached) is shown the form here and is not
 * sent again. Browsers try for some minutes to reach a host that is silent.
 */
const MAX_AGE = 600
/**
 * Milliseconds: redirects take seconds. Another person may have seen the hash of a state (in an address, a log), and can have
 * a code made for it with their own sign-in: later than this, such a code begins no session.
 */
const RETURNS_WITHIN = 60_000
/** The tabs of one browser do not begin more. */
const MAX_TRANSACTIONS = 16

export interface NewTransaction {
  /** What the other portal is told. */
  readonly stateHash: string
  /** A `Set-Cookie` header; never to be logged. */
  readonly cookie: string
}

/** @param now is part of the state, and so of its hash */
export function beginTransaction(
  now: EpochMs,
  random: (size: number) => Buffer = randomBytes,
): NewTransaction {
  const state = `${now.toString(36)}.${random(32).toString('base64url')}`
  const stateHash = hash('sha256', state, 'base64url')
  return { stateHash, cookie: setCookie(cookieNameOf(stateHash), state, MAX_AGE) }
}

/** Transactions that have not come back yet: their states by the names of their cookies. At most sixteen. */
export function pendingTransactions(header: string | undefined): ReadonlyMap<string, string> {
  const pending = new Map<string, string>()
  if (header === undefined) return pending
  // From one name to the next, and no list of all pairs: the header may hold thousands that are none of ours.
  for (let at = header.indexOf(PREFIX); at !== -1; at = header.indexOf(PREFIX, at + 1)) {
    if (!beginsPair(header, at)) continue
    const semicolon = header.indexOf(';', at)
    const pair = header.slice(at, semicolon === -1 ? undefined : semicolon)
    const equals = pair.indexOf('=')
    const name = pair.slice(0, equals).trim()
    if (equals === -1 || !NAME.test(name)) continue
    pending.set(name, pair.slice(equals + 1).trim())
    if (pending.size === MAX_TRANSACTIONS) break
  }
  return pending
}

/** Whether a cookie's name begins here: in the value of another one, a sibling host may have written anything. */
function beginsPair(header: string, at: number): boolean {
  let before = at - 1
  while (before >= 0 && header[before] === ' ') before--
  return before < 0 || header[before] === ';'
}

/**
 * Whether this browser began a transaction with this state, not long ago.
 * @param asked its user was asked meanwhile, which takes time: the cookie's own age is the limit
 */
export function isPending(
  stateHash: string,
  pending: ReadonlyMap<string, string>,
  now: EpochMs,
  asked: boolean,
): boolean {
  const state = pending.get(cookieNameOf(stateHash))
  if (state === undefined) return false
  const age = now - Number.parseInt(state, 36)
  // The other node that wrote it may be a little ahead.
  if (!(age >= -RETURNS_WITHIN && age < (asked ? MAX_AGE * 1000 : RETURNS_WITHIN))) return false
  return equalBytes(hash('sha256', state, 'buffer'), Buffer.from(stateHash, 'base64url'))
}

export const isStateHash = (text: string): boolean => HASH.test(text)

/** `Set-Cookie` headers that remove the cookies of these transactions. */
export const endTransactions = (names: Iterable<string>): string[] =>
  [...names].map((name) => setCookie(name, '', 0))

/** The one cookie that belongs to this state. */
export const cookieNameOf = (stateHash: string): string =>
  `${PREFIX}${stateHash.slice(0, NAME_LENGTH)}`

/** Lax: it has to come along when the other portal sends the browser back. */
const setCookie = (name: string, value: string, maxAge: number): string =>
  stringifySetCookie({
    name,
    value,
    path: '/',
    maxAge,
    httpOnly: true,
    secure: true,
    sameSite: 'lax',
  })
