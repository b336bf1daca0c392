import type { Session } from './session.ts'

/** A sign-in whose sessions still come back after so many rounds is a bug somewhere, and no reason to go on for ever. */
const ROUNDS = 8

/**
 * Sessions that came from one sign-in, on several domains. They end together: one that stays would start the others anew
 * at the next visit (docs/decisions/026-one-login-for-several-domains.md).
 */
export interface Linked {
  /**
   * Ends a session and all that came from the same sign-in.
   * @returns those that ended, this one first
   */
  end(session: Session): Promise<readonly Session[]>
}

export function createLinked({
  revoke,
  sessionsOf,
}: {
  readonly revoke: (key: string) => Promise<unknown>
  /** What the store has of a user at this moment. */
  readonly sessionsOf: (user: string) => Promise<readonly Session[]>
}): Linked {
  return {
    async end(session) {
      // First, and then the others until there are none: who starts one from this one looks afterwards whether it is
      // still there (start.ts), so that whatever comes too late to be found here ends itself.
      await revoke(session.key)
      const ended = [session]
      for (let round = 0; round < ROUNDS; round++) {
        const others = (await sessionsOf(session.user)).filter(
          ({ login, key }) => login === session.login && key !== session.key,
        )
        if (others.length === 0) return ended
        for (const other of others) {
          await revoke(other.key)
          ended.push(other)
        }
      }
      throw new TypeError('sessions of one sign-in kept coming while it was ended')
    },
  }
}
