import { hash } from 'node:crypto'
import type { z } from 'zod'
import type { Clock, EpochMs } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import { type Sealer, sealedPlace } from '../../kernel/seal.ts'
import type { OnceStore } from '../sessions/index.ts'
import type { EnrolmentSession } from './method.ts'

/** What a session has begun and not ended: one of a kind. */
export interface Pending<T> {
  /** Replaces what is pending. @throws AppError STORE_UNAVAILABLE */
  put(session: EnrolmentSession, user: string, value: T): Promise<void>
  /**
   * Takes it out: of several calls at once, one gets it.
   * @returns undefined: there is none of this session and this user, or its time is over. @throws as put
   */
  take(session: EnrolmentSession, user: string): Promise<Taken<T> | undefined>
}

export interface Taken<T> {
  readonly value: T
  /** Until the time that it had. @throws AppError STORE_UNAVAILABLE */
  putBack(): Promise<void>
}

/**
 * Kept in the sessions' store of what is taken once, sealed for its session and user, so that any number of them costs no
 * memory. They survive a raise or an elevation of the session: `login` stays the same.
 */
export function createPending<T>({
  kind,
  shape,
  lifetime,
  once,
  sealer,
  clock,
}: {
  readonly kind: string
  readonly shape: z.ZodType<T>
  /** Milliseconds. */
  readonly lifetime: number
  readonly once: OnceStore
  readonly sealer: Sealer
  readonly clock: Clock
}): Pending<T> {
  const placeOf = ({ login, domain }: EnrolmentSession, user: string): string =>
    sealedPlace('pending', kind, [login, domain, user])
  const keyOf = (place: string): string => hash('sha256', place, 'base64url')

  async function write(place: string, value: T, until: EpochMs): Promise<void> {
    const sealed = sealer.seal(Buffer.from(JSON.stringify({ until, value })), place)
    const key = keyOf(place)
    const now = clock.now()
    const store = async () => {
      await once.take(key, now)
      await once.put(key, sealed, until, now)
    }
    // Two requests of one session at once: the store takes no key twice, and the later one replaces the earlier.
    await asked(() => store().catch(store))
  }

  return {
    put: (session, user, value) =>
      // A time plus a duration is a time; arithmetic drops the brand.
      write(placeOf(session, user), value, (clock.now() + lifetime) as EpochMs),
    async take(session, user) {
      const place = placeOf(session, user)
      const sealed = await asked(() => once.take(keyOf(place), clock.now()))
      const plain = sealed === undefined ? undefined : sealer.open(sealed, place)
      if (plain === undefined) return undefined
      // We sealed it as an object.
      const record = JSON.parse(plain.toString()) as { readonly until: EpochMs; value: unknown }
      const parsed = shape.safeParse(record.value)
      if (!parsed.success || !(clock.now() < record.until)) return undefined
      return { value: parsed.data, putBack: () => write(place, parsed.data, record.until) }
    },
  }
}

/** Every failure of the store is the same refusal. */
async function asked<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw new AppError('STORE_UNAVAILABLE', { operation: 'second-factor.pending' }, { cause })
  }
}
