import { type BrowserName, loadBrowserNames } from '../../http/browser-name.ts'
import { AppError } from '../../kernel/errors.ts'
import type { Identity, Session, Sessions } from '../sessions/index.ts'

/** One of a user's sessions. */
export interface OwnSession extends BrowserName {
  readonly session: Session
  /** The one that asks. */
  readonly current: boolean
  /** Other cookie domains on which the same browser has one that ends together with this. */
  readonly linked: readonly string[]
}

/** A browser in which a user signed in: its sessions on however many domains, that of the sign-in itself first. */
export interface OwnSignIn extends BrowserName {
  readonly sessions: readonly [Session, ...Session[]]
  /** The browser that asks. */
  readonly current: boolean
  readonly lastSeen: number
}

/** What users may know and do of their own sessions. */
export interface OwnSessions {
  /** Newest first. @throws AppError STORE_UNAVAILABLE */
  list(owner: Identity): Promise<readonly OwnSession[]>
  /** The one that asks first, then what was used last. @throws AppError STORE_UNAVAILABLE */
  signIns(owner: Identity): Promise<readonly OwnSignIn[]>
  /**
   * Ends one of the owner's, and what is linked with it.
   * @returns how many ended, and whether the one that asks is among them; undefined when they have none of this id
   * @throws AppError STORE_UNAVAILABLE
   */
  end(owner: Identity, id: string): Promise<Ended | undefined>
  /** Ends all but the browser that asks. @throws AppError STORE_UNAVAILABLE */
  endOthers(owner: Identity): Promise<Ended>
}

export interface Ended {
  readonly count: number
  readonly current: boolean
}

export function createOwnSessions(sessions: Pick<Sessions, 'list' | 'revokeById'>): OwnSessions {
  const ownOf = ({ session }: Identity): Promise<readonly Session[]> => sessions.list(session.user)
  const end = async (owner: Identity, one: Session): Promise<Ended> => {
    if (one.user !== owner.session.user)
      throw new AppError('INTERNAL', { reason: 'a session of another user' })
    const ended = await sessions.revokeById(one.id)
    return { count: ended.length, current: one.login === owner.session.login }
  }
  return {
    async list(owner) {
      const [own, nameOf] = await Promise.all([ownOf(owner), loadBrowserNames()])
      return own.map((session) => ({
        ...nameOf(session.userAgent),
        session,
        current: session.id === owner.session.id,
        linked: own
          .filter(({ login, domain }) => login === session.login && domain !== session.domain)
          .map(({ domain }) => domain),
      }))
    },

    async signIns(owner) {
      const [own, nameOf] = await Promise.all([ownOf(owner), loadBrowserNames()])
      const byLogin = new Map<string, [Session, ...Session[]]>()
      for (const session of own) {
        const found = byLogin.get(session.login)
        if (found === undefined) byLogin.set(session.login, [session])
        else if (session.id === session.login) found.unshift(session)
        else found.push(session)
      }
      return [...byLogin.entries()]
        .map(([login, found]) => ({
          ...nameOf(found[0].userAgent),
          sessions: found,
          current: login === owner.session.login,
          lastSeen: Math.max(...found.map(({ lastSeen }) => lastSeen)),
        }))
        .sort((a, b) => Number(b.current) - Number(a.current) || b.lastSeen - a.lastSeen)
    },

    async end(owner, id) {
      const found = (await ownOf(owner)).find((one) => one.id === id)
      return found === undefined ? undefined : end(owner, found)
    },

    async endOthers(owner) {
      let count = 0
      // One of each browser: the others of it end with it.
      const others = new Map((await ownOf(owner)).map((one) => [one.login, one]))
      for (const one of others.values()) {
        if (one.login !== owner.session.login) count += (await end(owner, one)).count
      }
      return { count, current: false }
    },
  }
}
