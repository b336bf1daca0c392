import type { TestContext } from 'node:test'
import {
  type CookieDomain,
  cookieValues,
  createSessions,
  type SessionStore,
  type Sessions,
} from '../../src/features/sessions/index.ts'
import manifest from '../../src/features/sessions/manifest.ts'
import type { Profile } from '../../src/features/users/index.ts'
import { Secret } from '../../src/kernel/secret.ts'
import { FakeClock } from '../support/clock.ts'

export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** Who exists, as far as sessions ask. */
export class Roster {
  readonly #profiles = new Map<string, Profile>()
  readonly #listeners: ((names: readonly string[]) => void)[] = []

  add(name: string, groups: readonly string[] = []): Profile {
    const profile = { name, displayName: name.toUpperCase(), email: `${name}@example.com`, groups }
    this.#profiles.set(name, profile)
    return profile
  }

  profile(name: string): Profile | undefined {
    return this.#profiles.get(name)
  }

  onInvalidated(listener: (names: readonly string[]) => void): void {
    this.#listeners.push(listener)
  }

  remove(name: string): void {
    this.vanish(name)
    this.tellRemoved(name)
  }

  /** Gone without a word, as from a directory elsewhere. */
  vanish(name: string): void {
    this.#profiles.delete(name)
  }

  /** As after a change of the password: the user is still there. */
  tellRemoved(name: string): void {
    for (const listener of this.#listeners) listener([name])
  }
}

export const SECRET = new Secret('a secret of the tests, long enough')

export interface House {
  readonly sessions: Sessions
  readonly clock: FakeClock
  readonly users: Roster
  readonly said: unknown[]
  /** Of whom it was told that their sessions ended, and how many. */
  readonly revoked: (readonly [user: string, count: number])[]
  readonly domain: CookieDomain
  /** Signs somebody in; they exist from then on. @returns the cookie's value, and the session */
  signIn(user: string, options?: SignIn): Promise<{ value: string; key: string; id: string }>
  /** Who it is, or undefined. */
  who(...values: string[]): Promise<string | undefined>
}

export interface SignIn {
  readonly remember?: boolean
  readonly replaces?: readonly string[]
  readonly domain?: CookieDomain
  readonly address?: string
  readonly userAgent?: string
}

export interface HouseOptions {
  readonly store: SessionStore
  /** The session slice as it would be written. */
  readonly config?: Readonly<Record<string, unknown>>
  readonly secrets?: readonly Secret[]
  readonly clock?: FakeClock
  readonly users?: Roster
  readonly cacheSize?: number
}

export const TWO_DOMAINS = {
  cookies: [
    { domain: 'example.com', portal_url: 'https://auth.example.com' },
    { domain: 'example.org', portal_url: 'https://auth.example.org' },
  ],
}

/** Sessions over a store, with time and people in the test's hands. */
export function openHouse(t: TestContext, options: HouseOptions): House {
  const { store, config = TWO_DOMAINS, secrets = [SECRET], cacheSize } = options
  const clock = options.clock ?? new FakeClock()
  const users = options.users ?? new Roster()
  const said: unknown[] = []
  const revoked: [string, number][] = []
  const say = (...line: unknown[]) => void said.push(line)
  const sessions = createSessions({
    config: manifest.config.session.parse(config),
    store,
    secrets,
    users,
    onRemoved: (user, count) => void revoked.push([user, count]),
    clock,
    log: { warn: say, error: say },
    ...(cacheSize !== undefined && { cacheSize }),
  })
  t.after(() => sessions.close())
  const [domain] = sessions.domains
  if (domain === undefined) throw new TypeError('no cookie domain')
  return {
    sessions,
    clock,
    users,
    said,
    revoked,
    domain,
    async signIn(user, { remember = false, replaces = [], ...where } = {}) {
      const { session, cookie } = await sessions.start({
        domain: where.domain ?? domain,
        profile: users.profile(user) ?? users.add(user),
        factors: ['password'],
        remember,
        address: where.address ?? '198.51.100.7',
        userAgent: where.userAgent ?? 'Mozilla/5.0 (test)',
        replaces,
      })
      return { value: valueIn(cookie), key: session.key, id: session.id }
    },
    async who(...values) {
      return (await sessions.identify(values, domain))?.profile.name
    },
  }
}

/** The value that a browser would send back. */
export function valueIn(setCookie: string): string {
  const [pair = ''] = setCookie.split(';')
  const values: string[] = []
  cookieValues(pair, pair.slice(0, pair.indexOf('=')), values)
  return values[0] ?? ''
}

/** The store, counted, and made to fail or to wait on demand. */
export function watched(store: SessionStore): SessionStore & {
  readonly calls: Record<string, number>
  failing: boolean
  /** Called before a call goes to the store, and once it is back. */
  before: (name: string) => Promise<void> | void
  after: (name: string) => Promise<void> | void
} {
  const calls: Record<string, number> = {}
  const watch = {
    calls,
    failing: false,
    before: (_name: string): Promise<void> | void => {},
    after: (_name: string): Promise<void> | void => {},
  }
  const through =
    <A extends readonly unknown[], R>(name: string, call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      calls[name] = (calls[name] ?? 0) + 1
      await watch.before(name)
      if (watch.failing) throw new Error('the store is down')
      const result = await call(...args)
      await watch.after(name)
      return result
    }
  return Object.assign(watch, {
    get: through('get', store.get),
    getMany: through('getMany', store.getMany),
    findById: through('findById', store.findById),
    list: through('list', store.list),
    put: through('put', store.put),
    replace: through('replace', store.replace),
    replaced: through('replaced', store.replaced),
    touch: through('touch', store.touch),
    delete: through('delete', store.delete),
    deleteOwned: through('deleteOwned', store.deleteOwned),
    sweep: through('sweep', store.sweep),
  })
}
