import type { EpochMs } from '../../kernel/clock.ts'
import type { Profile } from '../users/index.ts'
import type { CookieDomain } from './cookie-domain.ts'

/** What somebody showed when signing in. */
export const FACTORS = ['password'] as const
export type Factor = (typeof FACTORS)[number]

/** What kind of thing a factor is; two factors of one kind are still one. */
const KINDS: Readonly<Record<Factor, 'knowledge' | 'possession'>> = { password: 'knowledge' }

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
  /** Moved in memory at every use, written now and then (last-seen.ts). */
  lastSeen: EpochMs
}

export interface Identity {
  readonly session: Session
  readonly profile: Profile
}

/** 2 when factors of two kinds were shown, else 1. */
export function levelOf({ factors }: Session): 1 | 2 {
  const [first] = factors
  for (const factor of factors) {
    if (first !== undefined && KINDS[factor] !== KINDS[first]) return 2
  }
  return 1
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
