import { hash } from 'node:crypto'
import { z } from 'zod'
import type { Clock, EpochMs } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import { createSealer } from '../../kernel/seal.ts'
import type { Secret } from '../../kernel/secret.ts'
import type { OnceStore } from '../sessions/index.ts'

/** What a code stands for. It is worth nothing without the cookie that has the state. */
export interface Voucher {
  /** SHA-256 of the state with which the browser set out. */
  readonly stateHash: string
  /** Store key of the session that vouches. */
  readonly source: string
  /** Its owner, canonical. */
  readonly user: string
  /** Cookie domain of that session. */
  readonly from: string
  /** Cookie domain that it is for, and the origin of its portal. */
  readonly to: string
  readonly origin: string
  /** When the owner was last seen with that session. */
  readonly seenAt: EpochMs
  /** The browser that comes back with it has asked whether it may. */
  readonly asked: boolean
}

export interface Codes {
  /**
   * @returns 256 bits, good once and for 30 s, or for five minutes while the user is asked; a credential: never to be logged
   * @throws AppError STORE_UNAVAILABLE
   */
  issue(voucher: Voucher): Promise<string>
  /** @returns undefined for every code but one that was issued, in time, and is asked for the first time. @throws as issue */
  redeem(code: string): Promise<Voucher | undefined>
}

/** Milliseconds: the way through a browser takes one redirect. */
const LIFETIME = 30_000
/** Milliseconds: the user reads a page. */
const ASKED_LIFETIME = 300_000
const WELL_FORMED = /^[A-Za-z0-9_-]{43}$/
const VERSION = 2

const record = z.tuple([
  z.literal(VERSION),
  z.string(), // stateHash
  z.string(), // source
  z.string(), // user
  z.string(), // from
  z.string(), // to
  z.string(), // origin
  z.int().nonnegative(), // seenAt
  z.literal([0, 1]), // asked
  z.int().nonnegative(), // issuedAt
])

/**
 * Codes as advisory 33 asks for them: bound to the browser, to the portal they are for and to what they stand for, used once.
 * Stored under their hash and sealed: a reader of the store learns none, and a writer can make none.
 * @param secrets the ring: the first seals, all of them open
 */
export function createCodes({
  secrets,
  once,
  clock,
  random,
}: {
  readonly secrets: readonly Secret[]
  readonly once: OnceStore
  readonly clock: Clock
  readonly random: (size: number) => Buffer
}): Codes {
  const sealer = createSealer(secrets, 'hub-code')
  return {
    async issue({ stateHash, source, user, from, to, origin, seenAt, asked }) {
      const code = random(32).toString('base64url')
      const key = hash('sha256', code, 'base64url')
      const now = clock.now()
      const about = [stateHash, source, user, from, to, origin, seenAt, asked ? 1 : 0]
      const plain = JSON.stringify([VERSION, ...about, now])
      // A time plus a duration is a time; arithmetic drops the brand.
      const expiresAt = (now + lifetimeOf(asked)) as EpochMs
      const sealed = sealer.seal(Buffer.from(plain), key)
      await ask('put', () => once.put(key, sealed, expiresAt, now))
      return code
    },
    async redeem(code) {
      if (!WELL_FORMED.test(code)) return undefined
      const key = hash('sha256', code, 'base64url')
      const now = clock.now()
      const sealed = await ask('take', () => once.take(key, now))
      const plain = sealed === undefined ? undefined : sealer.open(sealed, key)
      if (plain === undefined) return undefined
      // We sealed it; a record of a later version is refused.
      const parsed = record.safeParse(JSON.parse(plain.toString()))
      if (!parsed.success) return undefined
      const [, stateHash, source, user, from, to, origin, seenAt, wasAsked, issuedAt] = parsed.data
      const asked = wasAsked === 1
      // The record itself says until when, whatever a store still holds.
      if (now >= issuedAt + lifetimeOf(asked) || now < issuedAt - LIFETIME) return undefined
      // We sealed this as a time; JSON has no brands.
      return { stateHash, source, user, from, to, origin, asked, seenAt: seenAt as EpochMs }
    },
  }
}

const lifetimeOf = (asked: boolean): number => (asked ? ASKED_LIFETIME : LIFETIME)

/** Every failure of a store is the same refusal. */
async function ask<T>(operation: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw new AppError('STORE_UNAVAILABLE', { operation: `once.${operation}` }, { cause })
  }
}
