import { hash } from 'node:crypto'
import { isWellFormed } from './cookie.ts'

/** What names a session: unguessable, and new for each one. */
export interface Credential {
  /** The cookie's value. Whatever sends it is signed in: never to be stored or logged. */
  readonly value: string
  /** Under which the store keeps the session. */
  readonly key: string
  /** Public. */
  readonly id: string
}

/** @param random gives unguessable bytes */
export function createCredential(random: (size: number) => Buffer): Credential {
  const value = random(32).toString('base64url')
  return { value, key: keyOf(value), id: random(16).toString('base64url') }
}

/**
 * The store's key for a cookie's value. Only this hash is kept in stores, records and lists: what leaks from them cannot be
 * sent as a cookie. In memory, values in use are remembered too (known-values.ts). No salt: 256 random bits are not
 * guessed.
 */
export function keyOf(value: string): string {
  return hash('sha256', value, 'base64url')
}

/** The keys of those values that may be ours, each once. */
export function keysOf(values: readonly string[]): ReadonlySet<string> {
  return new Set(values.filter(isWellFormed).map(keyOf))
}
