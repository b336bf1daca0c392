import type { EpochMs } from '../../kernel/clock.ts'
import { detach } from '../../kernel/detach.ts'
import { sessionCookie } from './cookie.ts'
import type { CookieDomain } from './cookie-domain.ts'
import { createCredential, keysOf } from './credential.ts'
import type { Endings } from './endings.ts'
import type { Repository } from './repository.ts'
import { isAlive, type Session } from './session.ts'

/** Where a session begins, and for which browser. */
export interface Place {
  readonly domain: CookieDomain
  readonly address: string
  readonly userAgent: string
  /** Values of the session cookies that came with the request, however many: their sessions end with this start. */
  readonly replaces: readonly string[]
}

export interface Started {
  readonly session: Session
  /** A `Set-Cookie` header and a credential: never to be logged. */
  readonly cookie: string
}

interface Former {
  readonly live: readonly Session[]
  readonly keys: readonly string[]
}

/** What is kept of a browser's name. */
const MAX_USER_AGENT = 256
const MAX_ADDRESS = 64

export interface BeginDependencies {
  readonly repository: Pick<Repository, 'findMany' | 'put' | 'drop'>
  readonly endings: Endings
  readonly random: (size: number) => Buffer
}

/** What signing in and linking have in common: what the browser had before, and a session under a new id. */
export function createBegin({ repository, endings, random }: BeginDependencies) {
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

  return { formerOf, begin }
}
