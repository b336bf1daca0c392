import { randomBytes } from 'node:crypto'
import type { Clock } from '../../kernel/clock.ts'
import { parseHost } from '../../kernel/host.ts'
import type { Secret } from '../../kernel/secret.ts'
import type { CookieDomain, OnceStore, Session, Sessions, Started } from '../sessions/index.ts'
import { createCodes } from './codes.ts'
import type { HubConfig } from './manifest.ts'
import { isPending, isStateHash } from './transaction.ts'

/** A cookie domain with a portal. */
export interface Member {
  readonly domain: CookieDomain
  readonly portalUrl: URL
}

/** Whether the browser's owner wants to be signed in as this user: other users have signed in with this browser. */
export interface Question {
  readonly user: string
  /** Comes back with the answer; a credential: never to be logged. */
  readonly code: string
}

export interface Hub {
  readonly hub: Member
  /** One of them, by its cookie domain. */
  member(domain: string): Member | undefined
  /** The one whose portal is this very host (canonical): what is host-only must have been set and be read there. */
  memberAt(domain: CookieDomain, host: string): Member | undefined
  /**
   * A code that names the owner of this session.
   * @returns undefined when it may not vouch: neither of the two is the hub, or it is for the hub and the sign-in is not
   *   fresh, or the state is none
   * @throws AppError STORE_UNAVAILABLE
   */
  vouch(session: Session, to: Member, stateHash: string): Promise<string | undefined>
  /**
   * Begins a linked session from a code that came back.
   * @returns as `Sessions.link`; undefined also for a code that is not for this browser, this portal, this moment; a
   *   question, when the browser is known as another user's
   * @throws AppError STORE_UNAVAILABLE
   */
  accept(
    code: string,
    back: {
      readonly stateHash: string
      /** Transactions of this browser that have not come back. */
      readonly pending: ReadonlyMap<string, string>
      readonly at: Member
      /** The browser's owner was asked, and said yes: the code is the question's. */
      readonly confirmed: boolean
      /** Whether the browser is known, and not to be this user's. */
      readonly isForeign: (user: string) => Promise<boolean>
      readonly address: string
      readonly userAgent: string
      readonly replaces: readonly string[]
    },
  ): Promise<Started | 'kept' | Question | undefined>
  /** Whether a sign-in is so fresh that it may be handed on to the hub. */
  isFresh(session: Session): boolean
}

/**
 * Milliseconds from signing in. Handing a session on to the hub replaces the user who was signed in there: only a sign-in
 * that was just made may do that, and no link that sends people through it later.
 */
const FRESH = 120_000

export interface HubOptions {
  readonly config: HubConfig
  readonly sessions: Pick<Sessions, 'domains' | 'link'>
  readonly once: OnceStore
  /** The ring of the sessions. */
  readonly secrets: readonly Secret[]
  readonly clock: Clock
  /** Unguessable bytes. */
  readonly random?: (size: number) => Buffer
}

/** @returns undefined where it is turned off, or fewer than two cookie domains have a portal */
export function createHub({
  config,
  sessions,
  once,
  secrets,
  clock,
  random = randomBytes,
}: HubOptions): Hub | undefined {
  const members = sessions.domains.flatMap((domain): Member[] =>
    domain.portalUrl === undefined ? [] : [{ domain, portalUrl: domain.portalUrl }],
  )
  const [hub] = members
  if (config.enable === false || hub === undefined || members.length < 2) return undefined
  const codes = createCodes({ secrets, once, clock, random })
  const isFresh = ({ createdAt }: Session): boolean => {
    const age = clock.now() - createdAt
    return age >= 0 && age < FRESH
  }
  return {
    hub,
    isFresh,
    member: (name) => members.find(({ domain }) => domain.domain === name),
    memberAt: (domain, host) =>
      members.find((one) => one.domain === domain && hostOf(one.portalUrl) === host),

    async vouch(session, to, stateHash) {
      const from = session.domain
      if (!isStateHash(stateHash) || from === to.domain.domain) return undefined
      if (to === hub ? !isFresh(session) : from !== hub.domain.domain) return undefined
      return codes.issue({
        stateHash,
        source: session.key,
        user: session.user,
        from,
        to: to.domain.domain,
        origin: to.portalUrl.origin,
        seenAt: clock.now(),
        asked: false,
      })
    },

    async accept(code, { stateHash, pending, at, confirmed, isForeign, ...browser }) {
      // Redeemed before any check, so that a code that was sent to the wrong place cannot be used again.
      const voucher = await codes.redeem(code)
      if (voucher === undefined) return undefined
      if (voucher.to !== at.domain.domain || voucher.origin !== at.portalUrl.origin)
        return undefined
      const { asked, user } = voucher
      if (asked !== confirmed || voucher.stateHash !== stateHash) return undefined
      if (!isPending(stateHash, pending, clock.now(), asked)) return undefined
      if (!asked && (await isForeign(user)))
        return { user, code: await codes.issue({ ...voucher, asked: true }) }
      return sessions.link({
        ...browser,
        source: voucher.source,
        seenAt: voucher.seenAt,
        domain: at.domain,
      })
    },
  }
}

const hostOf = ({ host, protocol }: URL): string | undefined =>
  parseHost(host, protocol.slice(0, -1))?.name
