import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Clock, EpochMs } from '../../kernel/clock.ts'
import { contextOf, ownerOf } from '../portal/index.ts'
import { type CookieDomain, type Factor, levelOf, type Sessions } from '../sessions/index.ts'
import type { KnownDevice, Throttle } from '../throttle/index.ts'
import type { Users } from '../users/index.ts'
import type { Report } from './report.ts'
import type { TrustStore } from './trust-store.ts'

/** A known device that shows a second factor by itself, until a time. */
export interface TrustedDevice {
  readonly device: KnownDevice
  readonly trustedAt: EpochMs
  readonly until: EpochMs
}

/** Every call may throw AppError STORE_UNAVAILABLE. */
export interface TrustedDevices {
  /** Milliseconds for which a device is trusted; 0: none is. */
  readonly duration: number
  /**
   * What a device cookie stands for at a sign-in with the password: a factor of the time at which the device was trusted.
   * @param values of the device cookie, as they came
   * @returns undefined: no device of this user that is trusted at this domain
   */
  factorOf(
    user: string,
    domain: CookieDomain,
    values: readonly string[],
  ): Promise<Factor | undefined>
  /**
   * To be called before a second factor is looked at.
   * @param wanted whether the user asks for it
   * @returns trusts the browser, and gives it a new device cookie; to be called with the session that was raised
   */
  prepare(
    request: FastifyRequest,
    wanted: boolean,
  ): (reply: FastifyReply, session: { readonly key: string }) => Promise<void>
  /** Last trusted first. */
  list(user: string): Promise<readonly TrustedDevice[]>
  /** @param device undefined: all of the user. @returns how many there were */
  forget(user: string, device?: string): Promise<number>
}

export interface TrustDependencies {
  /** Milliseconds; 0: off. */
  readonly duration: number
  readonly store: TrustStore
  readonly devices: Pick<Throttle['devices'], 'recognise' | 'remember' | 'list'>
  readonly sessions: Pick<Sessions, 'list'>
  readonly users: Pick<Users, 'marks'>
  readonly report: Report
  readonly clock: Clock
}

/**
 * Trust is a row of the database: for a known device, which the browser shows by its cookie, of one user at one cookie domain.
 * The row alone opens nothing, and neither does the cookie of another user's device. It also names the password of its time:
 * under another one it counts for nothing, whatever has failed to delete it.
 */
export function createTrustedDevices({
  duration,
  store,
  devices,
  sessions,
  users,
  report,
  clock,
}: TrustDependencies): TrustedDevices {
  const markOf = (user: string): string => users.marks().get(user) ?? ''

  /** Those that count now, also where the configuration has become stricter since. */
  async function inForce(user: string): Promise<readonly Trust[]> {
    if (duration === 0) return []
    const mark = markOf(user)
    const now = clock.now()
    return (await store.of(user)).flatMap((row) => {
      // The earlier of two times is a time; arithmetic drops the brand.
      const until = Math.min(row.expiresAt, row.trustedAt + duration) as EpochMs
      const counts = row.mark === mark && row.trustedAt <= now && now < until
      return counts ? [{ ...row, until }] : []
    })
  }

  return {
    duration,
    async factorOf(user, { domain }, values) {
      if (duration === 0 || values.length === 0) return undefined
      const trusted = (await inForce(user)).filter((row) => row.domain === domain)
      if (trusted.length === 0) return undefined
      const known = await devices.recognise(values)
      const found = trusted.find(({ device }) =>
        known.some((one) => one.id === device && one.user === user),
      )
      return found && { kind: 'trusted-device', at: found.trustedAt }
    },

    prepare(request, wanted) {
      if (!wanted || duration === 0) return async () => {}
      const { session } = ownerOf(request)
      const { user } = session
      // Before anything is checked: with a new password that comes meanwhile, the row counts for nothing.
      const mark = markOf(user)
      return async (reply, { key }) => {
        const { domain, devices: values, address, userAgent } = contextOf(request)
        const isShown = async (): Promise<boolean> =>
          (await sessions.list(user)).some((one) => one.key === key && levelOf(one) === 2)
        if (!(await isShown())) return
        // A new value with the new right: one that was planted or copied before is worth nothing.
        const known = await devices.remember({ user, domain, values, address, userAgent })
        if (known === undefined) return
        const now = clock.now()
        // A time plus a duration is a time; arithmetic drops the brand.
        const expiresAt = (now + duration) as EpochMs
        const { device } = known
        await store.put({ user, device, domain: domain.domain, mark, trustedAt: now, expiresAt })
        reply.header('Set-Cookie', known.cookie)
        // What ended the session meanwhile has forgotten the rows that it found.
        if (!(await isShown())) await store.forget({ user, device })
        else report.audit(request, 'device.trusted', { device, until: expiresAt })
      }
    },

    async list(user) {
      const trusted = await inForce(user)
      if (trusted.length === 0) return []
      const known = new Map((await devices.list(user)).map((device) => [device.id, device]))
      return trusted.flatMap(({ device: id, trustedAt, until }) => {
        const device = known.get(id)
        return device === undefined ? [] : [{ device, trustedAt, until }]
      })
    },

    forget: (user, device) => store.forget({ user, ...(device !== undefined && { device }) }),
  }
}

type Trust = Awaited<ReturnType<TrustStore['of']>>[number] & { readonly until: EpochMs }
