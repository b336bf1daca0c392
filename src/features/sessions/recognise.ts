import type { Clock, EpochMs } from '../../kernel/clock.ts'
import type { SessionReason } from '../../kernel/verify-reasons.ts'
import type { Profile, Users } from '../users/index.ts'
import type { Entry, Found, SessionCache } from './cache.ts'
import { isWellFormed, MAX_VALUES } from './cookie.ts'
import type { CookieDomain } from './cookie-domain.ts'
import { keyOf, keysOf } from './credential.ts'
import { createKnownValues } from './known-values.ts'
import { type Identity, isAlive, type Session } from './session.ts'

export interface RecogniseOptions {
  readonly cache: SessionCache
  /** Until when (wall time) the cache counts. */
  readonly trust: { readonly until: number }
  /** Whether others use and end the same sessions. */
  readonly shared: boolean
  /** From the store. @throws AppError STORE_UNAVAILABLE */
  readonly read: (key: string) => Promise<Found | undefined>
  /** The session is past its time, or its user is gone. */
  readonly end: (session: Session) => void
  readonly used: (session: Session) => void
  readonly users: Pick<Users, 'profile'>
  readonly clock: Clock
}

/** Told why the request is anonymous. Left out where it is not asked for: then it costs nothing. */
export type NoteReason = ((reason: SessionReason) => void) | undefined

type Recognised = Identity | undefined | Promise<Identity | undefined>

/** Whether a session that was found counts, and for whom. */
function createJudgement({ end, used, users }: Pick<RecogniseOptions, 'end' | 'used' | 'users'>) {
  /** For whom the session counts here and now. */
  function judge(
    { session }: Entry,
    domain: CookieDomain,
    now: EpochMs,
    note: NoteReason,
  ): Profile | undefined | Promise<Profile | undefined> {
    // Of another domain: it is no cookie here, and not for this host to end (requirement 2).
    if (session.domain !== domain.domain) {
      note?.('other-domain')
      return undefined
    }
    if (!isAlive(session, domain, now)) {
      note?.(now >= session.expiresAt ? 'session-expired' : 'session-idle')
      end(session)
      return undefined
    }
    const profile = users.profile(session.user)
    if (profile instanceof Promise) return profile.then((found) => kept(session, found, note))
    return kept(session, profile, note)
  }

  /** A user who was deleted or disabled has no sessions (requirement 11). */
  function kept(
    session: Session,
    profile: Profile | undefined,
    note: NoteReason,
  ): Profile | undefined {
    if (profile === undefined) {
      note?.('user-gone')
      end(session)
    }
    return profile
  }

  function welcome(entry: Entry, profile: Profile, now: EpochMs): Identity {
    const { session } = entry
    session.lastSeen = now
    used(session)
    const known = entry.identity
    if (known !== undefined && known.profile === profile) return known
    const identity = { session, profile }
    entry.identity = identity
    return identity
  }

  function recognise(
    entry: Entry,
    domain: CookieDomain,
    now: EpochMs,
    note: NoteReason,
  ): Recognised {
    const profile = judge(entry, domain, now, note)
    if (profile === undefined) return undefined
    if (!(profile instanceof Promise)) return welcome(entry, profile, now)
    return profile.then((found) => (found === undefined ? undefined : welcome(entry, found, now)))
  }

  return { judge, welcome, recognise }
}

/** From the values of a cookie to the one person they stand for; what `Sessions.identify` promises. */
export function createRecognition(options: RecogniseOptions) {
  const { cache, trust, shared, read, clock } = options
  const knownValues = createKnownValues()

  const { judge, welcome, recognise } = createJudgement(options)

  /** What is known of a session in memory, as far as that counts now. */
  function known(key: string, domain: CookieDomain, now: EpochMs): Entry | undefined {
    const entry = cache.get(key)
    if (entry === undefined || now >= trust.until) return undefined
    // It may have been used elsewhere: before it ends, the store is asked.
    return shared && !isAlive(entry.session, domain, now) ? undefined : entry
  }

  async function fetch(key: string): Promise<Entry | undefined> {
    // Where a change may go unheard, nothing is kept, and no answer is taken that was asked for earlier.
    if (clock.now() < trust.until) return cache.fetch(key, () => read(key))
    const found = await read(key)
    return found && { ...found, identity: undefined }
  }

  async function recogniseStored(
    key: string,
    domain: CookieDomain,
    note: NoteReason,
  ): Promise<Identity | undefined> {
    const entry = await fetch(key)
    if (entry !== undefined) return recognise(entry, domain, clock.now(), note)
    note?.('unknown-session')
    return undefined
  }

  /** All are looked at before one counts, and only the one that counts was used. */
  async function recogniseOneOf(
    keys: readonly string[],
    domain: CookieDomain,
    note: NoteReason,
  ): Promise<Identity | undefined> {
    note?.('unknown-session')
    const judged = await Promise.all(
      keys.map(async (key) => {
        const entry = known(key, domain, clock.now()) ?? (await fetch(key))
        const profile =
          entry === undefined ? undefined : await judge(entry, domain, clock.now(), note)
        return entry === undefined || profile === undefined ? [] : [{ entry, profile }]
      }),
    )
    const [first, second] = judged.flat()
    if (second !== undefined) note?.('several-sessions')
    if (first === undefined || second !== undefined) return undefined
    return welcome(first.entry, first.profile, clock.now())
  }

  return (values: readonly string[], domain: CookieDomain, note?: NoteReason): Recognised => {
    const only = values[0]
    if (only === undefined || values.length > MAX_VALUES) {
      note?.(only === undefined ? 'no-cookie' : 'too-many-cookies')
      return undefined
    }
    if (values.length === 1) {
      const remembered = knownValues.keyOf(only)
      if (remembered === undefined && !isWellFormed(only)) {
        note?.('malformed-cookie')
        return undefined
      }
      const key = remembered ?? keyOf(only)
      const now = clock.now()
      const entry = known(key, domain, now)
      const found = entry === undefined ? undefined : recognise(entry, domain, now, note)
      if (found === undefined) knownValues.forget(only)
      else if (remembered === undefined && !(found instanceof Promise)) knownValues.keep(only, key)
      return entry === undefined ? recogniseStored(key, domain, note) : found
    }
    const keys = [...keysOf(values)]
    if (keys.length > 0) return recogniseOneOf(keys, domain, note)
    note?.('malformed-cookie')
    return undefined
  }
}
