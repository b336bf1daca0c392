import type { Clock, EpochMs } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import type { Profile, Users } from '../users/index.ts'
import { createBegin, type Place, type Started } from './begin.ts'
import type { CookieDomain } from './cookie-domain.ts'
import type { Endings } from './endings.ts'
import { type Factor, type FactorKind, hasFactor } from './factors.ts'
import type { Linked } from './linked.ts'
import type { Repository } from './repository.ts'
import { isAlive, type Session } from './session.ts'

export interface StartOptions extends Place {
  readonly profile: Profile
  /** What was shown: just now, or when it says. At least one, each once. */
  readonly factors: readonly (FactorKind | Factor)[]
  /** Without effect where the domain does not remember sign-ins. */
  readonly remember: boolean
}

export interface LinkOptions extends Place {
  /** Store key of the session that vouches. */
  readonly source: string
  /** When its owner was last seen with it. */
  readonly seenAt: EpochMs
}

export interface StartDependencies {
  readonly domainNamed: (name: string) => CookieDomain | undefined
  readonly repository: Pick<Repository, 'find' | 'findMany' | 'read' | 'put' | 'drop'>
  readonly revokeUser: (user: string) => Promise<unknown>
  readonly endings: Endings
  readonly linked: Linked
  readonly users: Pick<Users, 'profile'>
  readonly clock: Clock
  readonly random: (size: number) => Buffer
}

/** How sessions begin; what `Sessions.start` and `Sessions.link` promise. */
export function createStart(dependencies: StartDependencies) {
  const { repository, domainNamed, endings, linked, users, clock } = dependencies

  const { formerOf, begin } = createBegin(dependencies)

  return {
    async start({ profile, factors, remember, ...place }: StartOptions): Promise<Started> {
      const { domain } = place
      // What a failing store kept of this user is ended first: when it is ended later, this session would go with it.
      if (endings.isPending(profile.name)) await dependencies.revokeUser(profile.name)
      const now = clock.now()
      const remembered = remember && domain.rememberMe > 0
      const about = {
        user: profile.name,
        factors: factors.map(
          (one): Factor => (typeof one === 'string' ? { kind: one, at: now } : one),
        ),
        createdAt: now,
        expiresAt: endOf(now, remembered, domain),
        remembered,
      }
      let started: Started | undefined
      // From before the store is asked for the first time: the password was right, and may have been changed since.
      const ended = await endings.watch(profile.name, async () => {
        const former = await formerOf(place, now)
        // Another user signs in: the one before is signed out everywhere. The same user goes on: what their
        // other domains have stays linked with this one.
        await linked.end(former.live.filter(({ user }) => user !== profile.name))
        const continued = former.live.find(({ user }) => user === profile.name)
        started = await begin(place, former.keys, about, now, continued?.login)
      })
      if (started !== undefined && !ended) return started
      if (started !== undefined) await repository.drop([started.session.key])
      throw new AppError('AUTHENTICATION_FAILED', { reason: 'sessions were ended meanwhile' })
    },

    async link({ source, seenAt, ...place }: LinkOptions): Promise<Started | 'kept' | undefined> {
      const { domain } = place
      const now = clock.now()
      const origin = await repository.find(source)
      const from = origin === undefined ? undefined : domainNamed(origin.domain)
      if (origin === undefined || from === undefined) return undefined
      // What another node knows of its last use may not be stored yet.
      const seen = { ...origin, lastSeen: origin.lastSeen > seenAt ? origin.lastSeen : seenAt }
      if (!isAlive(seen, from, now)) return undefined
      if (endings.isPending(origin.user) || (await users.profile(origin.user)) === undefined)
        return undefined
      const remembered = origin.remembered && domain.rememberMe > 0
      // It began when its owner signed in, wherever that was: sessions that start each other must not live for ever.
      const expiresAt = endOf(origin.createdAt, remembered, domain)
      if (expiresAt <= now) return undefined
      const former = await formerOf(place, now)
      if (former.live.some((one) => isSameProof(one, origin))) return 'kept'
      await linked.end(former.live.filter(({ login }) => login !== origin.login))
      const { user, factors, createdAt, login } = origin
      const started = await begin(
        place,
        former.keys,
        { user, factors, createdAt, expiresAt, remembered },
        now,
        login,
      )
      // Ended while this began: what ended it may have looked for the others before this one was there.
      if (started === undefined || (await repository.read(source)) !== undefined) return started
      await repository.drop([started.session.key])
      return undefined
    },
  }
}

const endOf = (from: EpochMs, remembered: boolean, domain: CookieDomain): EpochMs =>
  // A time plus a duration is a time; arithmetic drops the brand.
  (from + (remembered ? domain.rememberMe : domain.expiration)) as EpochMs

const isSameProof = (a: Session, b: Session): boolean =>
  a.login === b.login && b.factors.every(({ kind }) => hasFactor(a, kind))
