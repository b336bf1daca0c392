import type { Clock, EpochMs } from '../../kernel/clock.ts'
import { detach } from '../../kernel/detach.ts'
import { AppError } from '../../kernel/errors.ts'
import type { Profile, Users } from '../users/index.ts'
import { sessionCookie } from './cookie.ts'
import type { CookieDomain } from './cookie-domain.ts'
import { createCredential, keysOf } from './credential.ts'
import type { Endings } from './endings.ts'
import { type Factor, type FactorKind, hasFactor } from './factors.ts'
import type { Linked } from './linked.ts'
import type { Repository } from './repository.ts'
import { isAlive, type Session } from './session.ts'

/** Where a session begins, and for which browser. */
interface Place {
  readonly domain: CookieDomain
  readonly address: string
  readonly userAgent: string
  /** Values of the session cookies that came with the request, however many: their sessions end with this start. */
  readonly replaces: readonly string[]
}

export interface StartOptions extends Place {
  readonly profile: Profile
  /** What was shown just now. At least one, each once. */
  readonly factors: readonly FactorKind[]
  /** Without effect where the domain remembers nobody. */
  readonly remember: boolean
}

export interface LinkOptions extends Place {
  /** Store key of the session that vouches. */
  readonly source: string
  /** When its owner was last seen with it. */
  readonly seenAt: EpochMs
}

export interface Started {
  readonly session: Session
  /** A `Set-Cookie` header and a credential: never to be logged. */
  readonly cookie: string
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

interface Former {
  readonly live: readonly Session[]
  readonly keys: readonly string[]
}

/** What is kept of a browser's name. */
const MAX_USER_AGENT = 256
const MAX_ADDRESS = 64

/** How sessions begin; what `Sessions.start` and `Sessions.link` promise. */
export function createStart(dependencies: StartDependencies) {
  const { repository, domainNamed, endings, linked, users, clock, random } = dependencies

  /** What came along: live sessions of this domain, and the store keys of all that the store has. */
  async function formerOf({ domain, replaces }: Place, now: EpochMs): Promise<Former> {
    const { sessions, unreadable } = await repository.findMany(keysOf(replaces))
    return {
      live: sessions.filter(
        (session) => session.domain === domain.domain && isAlive(session, domain, now),
      ),
      keys: [...sessions.map(({ key }) => key), ...unreadable],
    }
  }

  /**
   * Stores the session under a new id.
   * @returns undefined when the user's sessions were ended meanwhile: then it is over as well
   */
  async function begin(
    { domain, address, userAgent }: Place,
    replaced: readonly string[],
    about: Pick<Session, 'user' | 'factors' | 'createdAt' | 'expiresAt' | 'remembered'>,
    now: EpochMs,
    login?: string,
  ): Promise<Started | undefined> {
    const { value, id, key } = createCredential(random)
    const session: Session = {
      id,
      key,
      domain: domain.domain,
      login: login ?? id,
      user: about.user,
      factors: [...about.factors],
      createdAt: about.createdAt,
      expiresAt: about.expiresAt,
      remembered: about.remembered,
      address: detach(address.slice(0, MAX_ADDRESS)),
      userAgent: detach(userAgent.slice(0, MAX_USER_AGENT)),
      elevatedUntil: undefined,
      lastSeen: now,
    }
    const ended = await endings.watch(session.user, () => repository.put(session, replaced))
    if (ended) {
      await repository.drop([session.key])
      return undefined
    }
    return { session, cookie: sessionCookie(domain, value, session.expiresAt, now) }
  }

  return {
    async start({ profile, factors, remember, ...place }: StartOptions): Promise<Started> {
      const { domain } = place
      // What a failing store kept of this user is ended first: when it is ended later, this session would go with it.
      if (endings.isPending(profile.name)) await dependencies.revokeUser(profile.name)
      const now = clock.now()
      const remembered = remember && domain.rememberMe > 0
      const about = {
        user: profile.name,
        factors: factors.map((kind): Factor => ({ kind, at: now })),
        createdAt: now,
        expiresAt: endOf(now, remembered, domain),
        remembered,
      }
      let started: Started | undefined
      // From before the store is asked for the first time: the password was right, and may have been changed since.
      const ended = await endings.watch(profile.name, async () => {
        const former = await formerOf(place, now)
        // Somebody else signs in: whoever it was before is signed out everywhere. The same person goes on: what their
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
      // Ended while this began: whoever ended it may have looked for the others before this one was there.
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
