import { randomBytes } from 'node:crypto'
import { stringifySetCookie } from 'cookie'
import type { BaseLogger } from 'pino'
import type { Clock, EpochMs } from '../../kernel/clock.ts'
import { detach } from '../../kernel/detach.ts'
import type { Actor } from '../audit/index.ts'
import type { CookieDomain } from '../sessions/index.ts'
import type { DeviceStore, KnownDevice } from './device-store.ts'

/** 90 days. */
const LIFE = 90 * 86_400_000
/**
 * Device cookies of one request that are looked up. Other hosts of the domain can plant some in front of the right one, and
 * a browser keeps fewer than this for all hosts of a domain together (Chrome 180, Firefox 150). Programs may send up to
 * 1,200 in a header: to look all of those up would cost a query that no browser needs.
 */
const MAX_VALUES = 200
/** 256 bits in base64url without padding. */
const WELL_FORMED = /^[A-Za-z0-9_-]{43}$/
const MAX_USER_AGENT = 256
const MAX_LISTED = 10_000

/**
 * Browsers that a user has fully signed in with. They hold a cookie of 256 random bits; its hash is kept. The cookie opens
 * nothing: failures of a known device are counted apart from those of others.
 */
export interface Devices {
  /** @param values of the device cookie, as they came. @throws AppError STORE_UNAVAILABLE */
  recognise(values: readonly string[]): Promise<readonly KnownDevice[]>
  /**
   * The browser has fully signed in as this user. It gets another value each time: one that was planted
   * is worth nothing afterwards.
   * @returns the `Set-Cookie` header, a credential; undefined when it could not be kept (the sign-in holds all the same)
   */
  remember(sighting: {
    readonly user: string
    readonly domain: CookieDomain
    readonly values: readonly string[]
    readonly address: string
    readonly userAgent: string
  }): Promise<
    { readonly cookie: string; readonly device: string; readonly isNew: boolean } | undefined
  >
  /** Last used first, at most 10,000. */
  list(user?: string): Promise<readonly KnownDevice[]>
  /** @param by.user of this user only. @param by.actor who takes it away, for the audit trail. @returns whether there was one */
  revoke(id: string, by: { readonly user?: string; readonly actor: Actor }): Promise<boolean>
  /** @returns how many there were */
  revokeUser(user: string, actor: Actor): Promise<number>
}

export type OnRevoke = (device: Pick<KnownDevice, 'id' | 'user'>, actor: Actor) => void

const SUFFIX = '_device'

/** Beside the session's; sent to the portal's host alone, never to an app. */
export const deviceCookieName = ({ name }: CookieDomain): string => `${name}${SUFFIX}`

/** Whether a Cookie header may hold a device cookie, of whichever domain: a quick look, before it is read. */
export const bringsDeviceCookie = (cookie = ''): boolean => cookie.includes(`${SUFFIX}=`)

export function createDevices({
  store,
  clock,
  log,
  onRevoke,
}: {
  readonly store: DeviceStore
  readonly clock: Clock
  readonly log: Pick<BaseLogger, 'error'>
  /** Told of each that was revoked, and by whom. */
  readonly onRevoke?: OnRevoke | undefined
}): Devices {
  const usable = (values: readonly string[]): readonly string[] =>
    [...new Set(values.filter((value) => WELL_FORMED.test(value)))].slice(0, MAX_VALUES)

  const remove = async (
    which: Parameters<DeviceStore['remove']>[0],
    actor: Actor,
  ): Promise<number> => {
    const removed = await store.remove(which)
    for (const device of removed) onRevoke?.(device, actor)
    return removed.length
  }

  return {
    recognise: (values) => store.recognise(usable(values), clock.now()),
    async remember({ user, domain, values, address, userAgent }) {
      const token = randomBytes(32).toString('base64url')
      const now = clock.now()
      const device = {
        user,
        address: detach(address),
        userAgent: detach(userAgent.slice(0, MAX_USER_AGENT)),
        lastSeen: now,
        // A time plus a duration is a time; arithmetic drops the brand.
        expiresAt: (now + LIFE) as EpochMs,
      }
      try {
        const { id, isNew } = await store.remember(device, token, usable(values))
        return { cookie: cookieOf(domain, token, now), device: id, isNew }
      } catch (error) {
        log.error({ err: error }, 'a browser could not be remembered as a known device')
        return undefined
      }
    },
    list: (user) => store.list(user, clock.now(), MAX_LISTED),
    revoke: async (id, { user, actor }) =>
      (await remove({ id, ...(user !== undefined && { user }) }, actor)) > 0,
    revokeUser: (user, actor) => remove({ user }, actor),
  }
}

/** Without Domain: no sibling host is sent it. */
const cookieOf = (domain: CookieDomain, token: string, now: number): string =>
  stringifySetCookie({
    name: deviceCookieName(domain),
    value: token,
    path: '/',
    maxAge: LIFE / 1000,
    expires: new Date(now + LIFE),
    httpOnly: true,
    secure: true,
    sameSite: domain.sameSite,
  })
