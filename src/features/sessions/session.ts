import type { EpochMs } from '../../kernel/clock.ts'
import type { Profile } from '../users/index.ts'
import type { CookieDomain } from './cookie-domain.ts'
import type { Factor } from './factors.ts'

export interface Session {
  /** Public: names it in lists and for revocation; random, and not derived from the cookie's value. */
  readonly id: string
  /** The store's key: SHA-256 of the cookie's value, base64url. */
  readonly key: string
  readonly domain: string
  /**
   * The sign-in that it came from: the id of the session which that one started. Sessions of one browser on several
   * domains share it, and end together.
   */
  readonly login: string
  /** Canonical name. */
  readonly user: string
  /** What the user showed, each kind once. At least one. */
  readonly factors: readonly Factor[]
  /** When its owner signed in. */
  readonly createdAt: EpochMs
  /** Absolute: use does not move it. */
  readonly expiresAt: EpochMs
  /** Without inactivity limit. */
  readonly remembered: boolean
  /** Where it was started from. */
  readonly address: string
  readonly userAgent: string
  /**
   * Until when its owner may change security settings without showing a factor again. Of this session alone: a linked one
   * does not get it. Undefined when it never was elevated; a time that has passed counts as that.
   */
  readonly elevatedUntil: EpochMs | undefined
  /** Moved in memory at every use, written now and then (last-seen.ts). */
  lastSeen: EpochMs
}

export interface Identity {
  readonly session: Session
  readonly profile: Profile
}

/**
 * Whether a session may still be used (requirement 19): within its absolute end, and within the inactivity limit of its
 * domain unless it is remembered. Decided at every use from the record itself, whatever a store or a cache still holds.
 */
export function isAlive(session: Session, domain: CookieDomain, now: EpochMs): boolean {
  if (now >= session.expiresAt) return false
  if (session.remembered || domain.inactivity === 0) return true
  return now - session.lastSeen <= domain.inactivity
}

/**
 * From when on a store may forget a session by itself. Never earlier than `isAlive`: what is stored of the last use may
 * be a tenth of the inactivity limit old (last-seen.ts), so that much is added.
 */
export function forgettableAt(session: Session, domain: CookieDomain): EpochMs {
  if (session.remembered || domain.inactivity === 0) return session.expiresAt
  const idle = session.lastSeen + Math.ceil(domain.inactivity * 1.1)
  // Both are times; arithmetic drops the brand.
  return Math.min(session.expiresAt, idle) as EpochMs
}
