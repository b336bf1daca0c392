import { hash, randomBytes } from 'node:crypto'
import { z } from 'zod'
import type { Clock, EpochMs } from '../../../../kernel/clock.ts'
import { AppError } from '../../../../kernel/errors.ts'
import { createSealer } from '../../../../kernel/seal.ts'
import type { Secret } from '../../../../kernel/secret.ts'
import type { OnceStore } from '../../../sessions/index.ts'

export type Purpose = 'register' | 'assert' | 'passkey'

/** For what a challenge is good. */
export interface Bond {
  readonly purpose: Purpose
  /** Cookie domain. */
  readonly domain: string
  /** The sign-in of the user, or the cookie of a browser that is not signed in. */
  readonly holder: string
}

/** A browser may bring several cookies of one name: other hosts of the domain can plant some. One of them counts. */
export type Claim = Omit<Bond, 'holder'> & { readonly holders: readonly string[] }

export interface Challenges {
  /**
   * @param note kept with it
   * @param lifetime milliseconds
   * @returns 256 bits, base64url
   * @throws AppError STORE_UNAVAILABLE
   */
  issue(bond: Bond, lifetime: number, note?: string): Promise<string>
  /**
   * Uses a challenge up, whatever comes of it.
   * @returns its note; undefined for every challenge but one that was issued for this, in time, and is asked for the
   *   first time
   * @throws AppError STORE_UNAVAILABLE
   */
  redeem(claim: Claim, challenge: string): Promise<string | undefined>
  /** Takes back what is pending; registrations only: of these a sign-in has one at the most. @throws as redeem */
  cancel(bond: Bond & { readonly purpose: 'register' }): Promise<void>
}

const VERSION = 1
const WELL_FORMED = /^[A-Za-z0-9_-]{43}$/

const record = z.tuple([
  z.literal(VERSION),
  z.string(), // bond
  z.string(), // challenge
  z.string(), // note
  z.int().nonnegative(), // expiresAt
])

/**
 * Challenges in the once-store of the sessions, so that every node finds them. Stored under a hash and sealed: a reader of the
 * store learns none, and a writer can make none.
 * @param secrets the ring: the first seals, all of them open
 */
export function createChallenges({
  secrets,
  once,
  clock,
}: {
  readonly secrets: readonly Secret[]
  readonly once: OnceStore
  readonly clock: Clock
}): Challenges {
  const sealer = createSealer(secrets, 'webauthn-challenge')
  const take = async (key: string): Promise<Buffer | undefined> => {
    const sealed = await ask('take', () => once.take(key, clock.now()))
    return sealed && sealer.open(sealed, key)
  }
  return {
    async issue(bond, lifetime, note = '') {
      const challenge = randomBytes(32).toString('base64url')
      const key = keyOf(bond, challenge)
      // A registration replaces the one that was pending.
      if (bond.purpose === 'register') await take(key)
      const now = clock.now()
      // A time plus a duration is a time; arithmetic drops the brand.
      const expiresAt = (now + lifetime) as EpochMs
      const plain = JSON.stringify([VERSION, textOf(bond), challenge, note, expiresAt])
      const sealed = sealer.seal(Buffer.from(plain), key)
      await ask('put', () => once.put(key, sealed, expiresAt, now))
      return challenge
    },
    async redeem({ holders, ...rest }, challenge) {
      if (!WELL_FORMED.test(challenge)) return undefined
      const plain = await take(keyOf({ ...rest, holder: holders[0] ?? '' }, challenge))
      if (plain === undefined) return undefined
      // We sealed it; a record of a later version is refused.
      const parsed = record.safeParse(JSON.parse(plain.toString()))
      if (!parsed.success) return undefined
      const [, bondText, issued, note, expiresAt] = parsed.data
      const isBound = holders.some((holder) => bondText === textOf({ ...rest, holder }))
      const isGood = isBound && issued === challenge && clock.now() < expiresAt
      return isGood ? note : undefined
    },
    async cancel(bond) {
      await take(keyOf(bond, ''))
    },
  }
}

const textOf = ({ purpose, domain, holder }: Bond): string =>
  JSON.stringify([purpose, domain, holder])

/** One registration is pending for a sign-in; of the others there may be several, in several tabs. */
const keyOf = (bond: Bond, challenge: string): string =>
  hash(
    'sha256',
    bond.purpose === 'register' ? `webauthn ${textOf(bond)}` : `webauthn ${challenge}`,
    'base64url',
  )

/** Every failure of a store is the same refusal. */
async function ask<T>(operation: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw new AppError('STORE_UNAVAILABLE', { operation: `once.${operation}` }, { cause })
  }
}
