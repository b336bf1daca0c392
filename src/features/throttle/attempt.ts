import type { Clock } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import type { AttemptLimiter } from '../users/index.ts'
import { addressKey } from './address-key.ts'
import type { Ban } from './bans.ts'
import type { KnownDevice } from './device-store.ts'
import type { FailureLimit } from './failure-limit.ts'
import type { Admission, Regulation } from './regulation.ts'
import type { Reservation, Reservations } from './reservation.ts'

/** Where an attempt comes from. */
export interface Attempt {
  /** The client's, canonical. */
  readonly address: string
  /** What the browser is known as. */
  readonly devices: readonly KnownDevice[]
  /** Well-formed ids of reservations that the browser says it holds. */
  readonly held: readonly string[]
  /** Whether it is a browser, which keeps a reservation and comes back with it. */
  readonly mayReserve: boolean
}

export interface LimitedAttempt extends AttemptLimiter {
  /** When its check began, by the monotonic clock; until then, when it was made. */
  readonly began: number
  /** The ban that refused the attempt, once it was refused by one. */
  readonly ban: Ban | undefined
}

/** The limit of an address refused an attempt. */
export class SignInLimited extends AppError<'SIGN_IN_LIMITED'> {
  /** For the browser to keep. */
  readonly reservation: Reservation | undefined

  /** @param otherwise seconds to wait where nothing is reserved */
  constructor(reservation: Reservation | undefined, otherwise: number) {
    const retryAfter =
      reservation === undefined ? otherwise : Math.max(1, Math.ceil(reservation.wait / 1000))
    super('SIGN_IN_LIMITED', {}, { retryAfter })
    this.reservation = reservation
  }
}

/**
 * Limits one attempt to sign in: the limit on failures first, then regulation; both count before the password is
 * looked at and take it back when it was right.
 * @throws AppError SIGN_IN_LIMITED at once, when nothing but waiting helps; STORE_UNAVAILABLE
 */
export async function limitAttempt(
  { address, devices, held, mayReserve }: Attempt,
  {
    limit,
    reservations,
    regulation,
    clock,
  }: {
    readonly limit: FailureLimit
    readonly reservations: Reservations
    readonly regulation: Regulation
    readonly clock: Clock
  },
): Promise<LimitedAttempt> {
  const key = addressKey(address)

  /** @throws what `work` throws; where that is SIGN_IN_LIMITED and a reservation counts, nothing */
  async function unlessReserved(work: Promise<void>, isReserved: () => Promise<boolean>) {
    try {
      await work
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'SIGN_IN_LIMITED') throw error
      if (await isReserved()) return
      const { retryAfter = 1 } = error
      const reservation = mayReserve
        ? await reservations.reserve(key, held, retryAfter * 1000)
        : undefined
      throw new SignInLimited(reservation, retryAfter)
    }
  }

  const deviceOf = (name: string) => devices.find(({ user }) => user === name)?.id
  // In the queue for a check they would only keep others waiting. A known device may be nowhere near its own limit.
  if (devices.length === 0)
    await unlessReserved(limit.refuseFull(key), () => reservations.isDue(key, held))
  let began = clock.monotonic()
  let settleLimit = async (_right: boolean) => {}
  let admission: Admission | undefined

  /** Counts the attempt, or uses the reservation up: such an attempt is on top of what the limit allows. */
  async function take(device: string | undefined): Promise<void> {
    if (device !== undefined) settleLimit = await limit.take(`device ${device}`)
    else
      await unlessReserved(
        limit.take(key).then((settle) => {
          settleLimit = settle
        }),
        () => reservations.use(key, held),
      )
  }

  return {
    get began() {
      return began
    },
    get ban() {
      return admission?.kind === 'banned' ? admission.ban : undefined
    },
    place(name, spelling) {
      const device = deviceOf(name)
      // The owner of a name does not wait for the attempts of clients without a known device.
      if (device !== undefined)
        return { alone: [`device ${device}`], reserved: { user: name, device } }
      return { alone: [`address ${key}`, `user ${spelling}`] }
    },
    async admit(name) {
      began = clock.monotonic()
      const device = deviceOf(name)
      await take(device)
      admission = await regulation.admit({ user: name, address: key, device })
      return admission.kind === 'go'
    },
    async settle(right) {
      await settleLimit(right)
      if (admission?.kind === 'go') await admission.settle(right)
    },
  }
}
