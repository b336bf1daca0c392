import type { BaseLogger } from 'pino'
import type { Clock, EpochMs } from '../../kernel/clock.ts'
import type { AppError } from '../../kernel/errors.ts'
import type { Storage } from '../../storage/index.ts'
import { startSweeper } from '../../storage/index.ts'
import type { RedisConnection } from '../../storage/redis/index.ts'
import type { Passwords } from '../passwords/index.ts'
import type { CookieDomain } from '../sessions/index.ts'
import type { Users } from '../users/index.ts'
import { addressKey } from './address-key.ts'
import { type LimitedAttempt, limitAttempt, SignInLimited } from './attempt.ts'
import { type AttemptQueue, createAttemptQueue } from './attempt-queue.ts'
import { type BanListeners, type BanRegistry, createBanRegistry } from './ban-registry.ts'
import { createConcurrencyLimit } from './concurrency-limit.ts'
import { createCostliest } from './costliest.ts'
import { openCounter } from './counters/open.ts'
import { createDelay, type Delay } from './delay.ts'
import { createDeviceStore, type KnownDevice } from './device-store.ts'
import { createDevices, type Devices, type OnRevoke } from './devices.ts'
import { createFailureLimit, type FailureLimit } from './failure-limit.ts'
import type { Windows } from './limits.ts'
import { inForce } from './manifest.ts'
import { createRegulation, type RegulationConfig } from './regulation.ts'
import { createRegulationStore } from './regulation-store.ts'
import { termsOf } from './reservation.ts'
import { heldReservations, reservationCookie } from './reservation-cookie.ts'
import { openReservations } from './reservations/open.ts'

export interface Throttle {
  /** Of every check of a password: one mean for all of them. */
  readonly delay: Delay
  /** In which attempts begin. */
  readonly queue: AttemptQueue
  /**
   * The limits on one attempt to sign in, for `users.authenticate`.
   * @throws AppError SIGN_IN_LIMITED at once when nothing but waiting helps; STORE_UNAVAILABLE
   */
  attempt(from: {
    readonly address: string
    /** Values of the device cookie. */
    readonly devices: readonly string[]
    /** Values of the cookie that a limited browser was given; undefined for a client that is no browser and would keep none. */
    readonly reservations: readonly string[] | undefined
  }): Promise<LimitedAttempt>
  /**
   * The `Set-Cookie` header with the reservation that a SIGN_IN_LIMITED came with, a credential. Its `retryAfter` is when
   * the browser gets one attempt, whatever others do meanwhile.
   */
  reservationCookie(error: AppError, domain: CookieDomain): string | undefined
  /** Whole seconds, at least one, until a failure of this address would not be one too many. */
  retryAfter(address: string): Promise<number>
  /**
   * Another limit of the same kind: for resets, second factors, one-time codes.
   * @param name its own: limits of one name count together, on all instances
   */
  limit(name: string, windows: Windows): Promise<FailureLimit>
  readonly devices: Devices
  readonly bans: BanRegistry
  close(): Promise<void>
}

export interface ThrottleOptions extends BanListeners {
  /** Shares what is counted with other instances. */
  readonly redis: RedisConnection | undefined
  /** `failed_login_rate_limit` */
  readonly limits: Windows
  readonly regulation: RegulationConfig
  readonly storage: Storage
  readonly users: Pick<Users, 'costliest' | 'onInvalidated'>
  readonly passwords: Pick<Passwords, 'measure' | 'span'>
  readonly clock: Clock
  readonly log: Pick<BaseLogger, 'error' | 'warn'>
  /** Told of each known device that is one no more. */
  readonly onRevoke?: OnRevoke
}

/** Bans and known devices of a database, for operations while no server runs. */
export function openRegistries({
  storage,
  clock,
  onRevoke,
  ...listeners
}: {
  readonly storage: Storage
  readonly clock: Clock
  readonly onRevoke?: OnRevoke
} & BanListeners): Pick<Throttle, 'bans' | 'devices'> {
  const store = createDeviceStore(storage)
  return {
    bans: createBanRegistry({ store: createRegulationStore(storage), clock, ...listeners }),
    devices: createDevices({ store, clock, log: { error() {} }, onRevoke }),
  }
}

export async function createThrottle(options: ThrottleOptions): Promise<Throttle> {
  const { limits, storage, users, passwords, clock, log, redis } = options
  const { onBan, onLift, afterLift, onRevoke } = options
  const config = inForce(options.regulation)
  const limitOf = async (name: string, windows: Windows) =>
    createFailureLimit(await openCounter({ name, windows, redis, clock }))
  const limit = await limitOf('first-factor', limits)
  const reservations = await openReservations({
    name: 'first-factor',
    windows: limits,
    redis,
    clock,
  })
  const lookUp = createConcurrencyLimit<readonly KnownDevice[]>()
  const store = createRegulationStore(storage)
  const deviceStore = createDeviceStore(storage)
  const devices = createDevices({ store: deviceStore, clock, log, onRevoke })
  const regulation = createRegulation({
    config,
    store,
    clock,
    onBan(ban) {
      const { id, kind, name, expiresAt = 0 } = ban
      log.warn(
        { ban: id, [kind]: name, until: new Date(expiresAt).toISOString() },
        'too many wrong passwords: banned',
      )
      onBan?.(ban)
    },
  })
  // After a new password, a browser that signed in with the old one is no known device: it may be another person's.
  const underWay = new Set<Promise<void>>()
  users.onInvalidated((names) => {
    const work = Promise.all(names.map((user) => devices.revokeUser(user, 'system')))
      .then(() => {})
      .catch((error: unknown) => log.error({ err: error }, 'known devices are not removed yet'))
      .finally(() => underWay.delete(work))
    underWay.add(work)
  })
  const stopSweeper = startSweeper({
    async sweep(size) {
      const now = clock.now()
      // A time less a duration is a time; arithmetic drops the brand.
      const counted = (now - config.find_time) as EpochMs
      return Math.max(await store.sweep(now, counted, size), await deviceStore.sweep(now, size))
    },
    failed: (error) => log.error({ err: error }, 'what is over of bans could not be removed'),
  })
  const costliest = createCostliest({ users, passwords })
  return {
    delay: createDelay({ clock, costliest }),
    queue: createAttemptQueue(),
    async attempt({ address, devices: values, reservations: held }) {
      // Before it takes a slot in which the costliest check is measured.
      await costliest()
      const known = values.length === 0 ? [] : await lookUp(() => devices.recognise(values), [])
      return limitAttempt(
        {
          ...{ address, devices: known },
          held: heldReservations(held ?? []),
          mayReserve: held !== undefined,
        },
        { limit, reservations, regulation, clock },
      )
    },
    reservationCookie: (error, domain) =>
      error instanceof SignInLimited && error.reservation !== undefined
        ? reservationCookie(domain, error.reservation, termsOf(limits).spacing)
        : undefined,
    retryAfter: (address) => limit.retryAfter(addressKey(address)),
    limit: limitOf,
    devices,
    bans: createBanRegistry({ store, clock, onBan, onLift, afterLift }),
    async close() {
      stopSweeper()
      await Promise.all(underWay)
    },
  }
}
