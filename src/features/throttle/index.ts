/**
 * Throttle: what a wrong password costs.
 *
 * Owns the delay of answers that depend on a name or a password (delay.ts, its Fastify plugin in delay-plugin.ts), the
 * limit on failures (limits.ts, windows.ts, counters/) and what it promises (reservations/), regulation and bans
 * (regulation.ts, bans.ts), the browsers that are known to be somebody's (devices.ts), and what the audit trail is told of
 * both (audit.ts). SQL is in regulation-store.ts and device-store.ts alone. Does not own whose password something is
 * (users), how much of the machine hashing may take (passwords), or what is answered (login, verify).
 *
 * Data path of an attempt: its turn to begin → is the browser known? → at its limit? 429 → its turn to be hashed →
 * counted → banned? checked for nothing : checked → given back if it was right → its place is free when the costliest
 * check would be over → held back until nothing can be read from the time it took. Whatever fails on the way is 503,
 * never a yes. Wherever attempts wait, a browser that is known does not wait for those of strangers.
 */
import type { BaseLogger } from 'pino'
import type { Clock, EpochMs } from '../../kernel/clock.ts'
import type { AppError } from '../../kernel/errors.ts'
import type { Storage } from '../../storage/index.ts'
import { startSweeper } from '../../storage/index.ts'
import type { RedisConnection } from '../../storage/redis/index.ts'
import type { Passwords } from '../passwords/index.ts'
import type { CookieDomain } from '../sessions/index.ts'
import type { Users } from '../users/index.ts'
import { type AttemptGuard, guardAttempt, SignInLimited } from './attempt.ts'
import { type BanDesk, type BanListeners, createBanDesk } from './ban-desk.ts'
import { openCounter } from './counters/index.ts'
import { createDearest } from './dearest.ts'
import { createDelay, type Delay } from './delay.ts'
import { createDeviceStore, type KnownDevice } from './device-store.ts'
import { createDevices, type Devices } from './devices.ts'
import { createFailureLimit, type FailureLimit } from './failure-limit.ts'
import { createGate } from './gate.ts'
import type { Windows } from './limits.ts'
import { inForce } from './manifest.ts'
import { createRegulation, type RegulationConfig } from './regulation.ts'
import { createRegulationStore } from './regulation-store.ts'
import { heldReservations, reservationCookie } from './reservation-cookie.ts'
import { openReservations, termsOf } from './reservations/index.ts'
import { clientKey } from './subject.ts'
import { createTurns, type Turns } from './turns.ts'

export { throttleNotes } from './audit.ts'
export type { BanDesk, NewBan } from './ban-desk.ts'
export type { Ban } from './bans.ts'
export type { Delay } from './delay.ts'
export { type Checked, delayPlugin } from './delay-plugin.ts'
export type { KnownDevice } from './device-store.ts'
export { bringsDeviceCookie, type Devices, deviceCookieName } from './devices.ts'
export type { FailureLimit } from './failure-limit.ts'
export { reservationCookieName } from './reservation-cookie.ts'

export interface Throttle {
  /** Of everything that looks at passwords: one mean for all of it. */
  readonly delay: Delay
  /** In which attempts begin. */
  readonly turns: Turns
  /**
   * The guard of one attempt to sign in, for `users.authenticate`.
   * @throws AppError SIGN_IN_LIMITED at once when nothing but waiting helps; STORE_UNAVAILABLE
   */
  attempt(who: {
    readonly address: string
    /** Values of the device cookie. */
    readonly devices: readonly string[]
    /** Values of the cookie that a limited browser was given; undefined for what is no browser and would keep none. */
    readonly reservations: readonly string[] | undefined
  }): Promise<AttemptGuard>
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
  readonly bans: BanDesk
  close(): Promise<void>
}

export interface ThrottleOptions extends BanListeners {
  /** Shares what is counted with other instances. */
  readonly redis: RedisConnection | undefined
  /** `failed_login_rate_limit` */
  readonly limits: Windows
  readonly regulation: RegulationConfig
  readonly storage: Storage
  readonly users: Pick<Users, 'dearest' | 'onRemoved'>
  readonly passwords: Pick<Passwords, 'measure' | 'span'>
  readonly clock: Clock
  readonly log: Pick<BaseLogger, 'error' | 'warn'>
  /** Told of each known device that is one no more. */
  readonly onRevoke?: (device: Pick<KnownDevice, 'id' | 'user'>) => void
}

/** Bans and known devices of a database, for who looks after them while no server runs. */
export function openDesks({
  storage,
  clock,
}: {
  readonly storage: Storage
  readonly clock: Clock
}): Pick<Throttle, 'bans' | 'devices'> {
  return {
    bans: createBanDesk({ store: createRegulationStore(storage), clock }),
    devices: createDevices({ store: createDeviceStore(storage), clock, log: { error() {} } }),
  }
}

export async function createThrottle(options: ThrottleOptions): Promise<Throttle> {
  const { limits, storage, users, passwords, clock, log, redis } = options
  const { onBan, onLift, onRevoke } = options
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
  const lookUp = createGate<readonly KnownDevice[]>()
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
  // Whoever got a new password because somebody knew the old one does not want their browser to be a known one.
  const underWay = new Set<Promise<void>>()
  users.onRemoved((names) => {
    const work = Promise.all(names.map((user) => devices.revokeUser(user)))
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
  const dearest = createDearest({ users, passwords })
  return {
    delay: createDelay({ clock, dearest }),
    turns: createTurns(),
    async attempt({ address, devices: values, reservations: held }) {
      // Before it takes a place in which the costliest check is measured.
      await dearest()
      const known = values.length === 0 ? [] : await lookUp(() => devices.recognise(values), [])
      return guardAttempt(
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
    retryAfter: (address) => limit.retryAfter(clientKey(address)),
    limit: limitOf,
    devices,
    bans: createBanDesk({ store, clock, onBan, onLift }),
    async close() {
      stopSweeper()
      await Promise.all(underWay)
    },
  }
}
