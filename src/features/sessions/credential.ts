import { keyOf } from './record.ts'

/** What names a session: unguessable, and new for each one. */
export interface Credential {
  /** The cookie's value. Whoever has it is signed in: never to be stored or logged. */
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
