import type { Repository } from './repository.ts'
import type { Session } from './session.ts'

/** If sessions of a sign-in still appear after so many rounds, there is a bug. */
const ROUNDS = 8

/**
 * Sessions that came from one sign-in, on several domains. They end together: one that stays would start the others anew
 * at the next request (docs/decisions/026-one-login-for-several-domains.md).
 */
export interface Linked {
  /**
   * Ends sessions and all that came from the same sign-ins. When it resolves, all of them are over.
   * @returns those that ended, the given ones first
   */
  end(sessions: readonly Session[]): Promise<readonly Session[]>
  /**
   * Ends what became of sessions that were replaced: whatever is left of their sign-ins. @returns those that ended
   */
  endHeirs(replaced: readonly Session[]): Promise<readonly Session[]>
  /** Ends all other sessions of a sign-in, and leaves this one. @returns those that ended */
  endOthers(session: Session): Promise<readonly Session[]>
}

export function createLinked({
  repository,
  isSingle,
}: {
  readonly repository: Pick<Repository, 'findOfUser' | 'drop'>
  /** There is one domain, so that a sign-in has one session. */
  readonly isSingle: boolean
}): Linked {
  /** Ends the other sessions of these sign-ins of one user. */
  const endRest = async (user: string, own: readonly Session[]): Promise<readonly Session[]> => {
    const logins = new Set(own.map(({ login }) => login))
    const keys = new Set(own.map(({ key }) => key))
    const ended: Session[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const others = (await repository.findOfUser(user)).filter(
        ({ login, key }) => logins.has(login) && !keys.has(key),
      )
      if (others.length === 0) return ended
      await repository.drop(others.map(({ key }) => key))
      ended.push(...others)
    }
    throw new TypeError('sessions of one sign-in kept coming while it was ended')
  }

  return {
    async end(sessions) {
      // These first, then the others until there are none. A link that starts from one of these looks afterwards whether its
      // source is still there (start.ts): one that starts too late to be found here ends itself.
      const count = await repository.drop(sessions.map(({ key }) => key))
      const ended = [...sessions]
      // One that was gone already may have become another one meanwhile (raise.ts), which is of the same sign-in.
      if (isSingle && count === sessions.length) return ended
      for (const user of new Set(sessions.map((session) => session.user))) {
        const own = sessions.filter((session) => session.user === user)
        ended.push(...(await endRest(user, own)))
      }
      return ended
    },
    async endHeirs(replaced) {
      const ended: Session[] = []
      for (const user of new Set(replaced.map((session) => session.user))) {
        const own = replaced.filter((session) => session.user === user)
        ended.push(...(await endRest(user, own)))
      }
      return ended
    },
    endOthers: async (session) => (isSingle ? [] : endRest(session.user, [session])),
  }
}
