import type { Clock, EpochMs } from '../../kernel/clock.ts'
import type { Users } from '../users/index.ts'
import type { Started } from './begin.ts'
import { sessionCookie } from './cookie.ts'
import type { CookieDomain } from './cookie-domain.ts'
import { createCredential } from './credential.ts'
import type { Endings } from './endings.ts'
import { type FactorKind, withFactor } from './factors.ts'
import type { Linked } from './linked.ts'
import type { Repository } from './repository.ts'
import { isAlive, type Session } from './session.ts'
import { REPLACED_FOR } from './store.ts'

export interface RaiseOptions {
  /** Store key of the session. */
  readonly key: string
  /** What its owner has shown just now. */
  readonly factor: FactorKind
}

export interface ElevateOptions {
  /** Store key of the session. */
  readonly key: string
  /** Not beyond the end of the session, whatever is asked for. */
  readonly until: EpochMs
}

export interface RaiseDependencies {
  readonly domainNamed: (name: string) => CookieDomain | undefined
  readonly repository: Pick<Repository, 'find' | 'replace' | 'drop'>
  readonly endings: Endings
  readonly linked: Linked
  readonly users: Pick<Users, 'profile'>
  readonly clock: Clock
  readonly random: (size: number) => Buffer
}

/**
 * How a session gains rights; what `Sessions.raise` and `Sessions.elevate` promise. Each time a new session with a new id
 * and a new cookie takes its place, and the old one is over: a stolen cookie gains nothing from what its owner shows.
 */
export function createRaise(dependencies: RaiseDependencies) {
  const { repository, domainNamed, endings, linked, users, clock, random } = dependencies

  async function rotate(
    key: string,
    change: (session: Session, now: EpochMs) => Partial<Session>,
  ): Promise<Started | undefined> {
    const session = await repository.find(key)
    const domain = session && domainNamed(session.domain)
    const now = clock.now()
    if (session === undefined || domain === undefined || !isAlive(session, domain, now))
      return undefined
    const { value, ...names } = createCredential(random)
    const next: Session = { ...session, ...change(session, now), ...names, lastSeen: now }
    let replaced = false
    // From before the user is asked for: if they are removed after that, this session goes with the others.
    const ended = await endings.watch(session.user, async () => {
      if (endings.isPending(session.user) || (await users.profile(session.user)) === undefined)
        return
      // A time plus a duration is a time; arithmetic drops the brand.
      replaced = await repository.replace(next, key, (now + REPLACED_FOR) as EpochMs)
    })
    if (!replaced) return undefined
    if (ended) {
      await repository.drop([next.key])
      return undefined
    }
    return { session: next, cookie: sessionCookie(domain, value, next.expiresAt, now) }
  }

  return {
    async raise({ key, factor }: RaiseOptions): Promise<Started | undefined> {
      const raised = await rotate(key, ({ factors }, now) => ({
        factors: withFactor(factors, factor, now),
      }))
      // The browser's cookies of other domains cannot be changed from here. Their sessions end, and the next request there
      // starts new ones over the hub, from this one.
      if (raised === undefined) return undefined
      try {
        await linked.endOthers(raised.session)
      } catch (error) {
        // Its cookie is not given out. If this fails too, it is forgotten in its time.
        await repository.drop([raised.session.key]).catch(() => {})
        throw error
      }
      return raised
    },

    elevate({ key, until }: ElevateOptions): Promise<Started | undefined> {
      // Linked sessions get nothing of it, so that they stay as they are.
      return rotate(key, ({ expiresAt }, now) => ({
        // The earlier of two times is a time; arithmetic drops the brand.
        elevatedUntil: until > now ? (Math.min(until, expiresAt) as EpochMs) : undefined,
      }))
    },
  }
}
