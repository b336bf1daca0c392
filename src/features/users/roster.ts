import type { Digest } from '../passwords/index.ts'
import type { Profile } from './backend.ts'
import { type Marks, markOf } from './store.ts'

export interface UserRecord {
  readonly profile: Profile
  readonly disabled: boolean
  readonly digest: Digest
  /** The digest in whose place this one was made anew from the same password (measure 8). */
  readonly madeFrom?: Digest
  /** Equal for two records exactly when everything about the user is equal. Says nothing by itself. */
  readonly fingerprint: string
}

export interface Search {
  /** A mail address is a login too, in any case. */
  readonly email: boolean
  /** Names are looked up in any case; they are lower case in the store. */
  readonly caseInsensitive: boolean
}

/** Everybody at one moment. */
export interface Roster {
  readonly records: ReadonlyMap<string, UserRecord>
  /** By canonical name, enabled users only: the hot path. */
  readonly profiles: ReadonlyMap<string, Profile>
  /** By what somebody typed: mail address first, then name. Nothing is trimmed. */
  find(login: string): UserRecord | undefined
}

/** Longer than any name or mail address: not worth normalising. */
const MAX_LOGIN = 1024

/**
 * The one spelling under which a name is looked up. NFC, because one keyboard sends é as one character and another as
 * two; two names with one spelling are refused at load.
 */
export function lookupKey(
  name: string,
  { caseInsensitive }: Pick<Search, 'caseInsensitive'>,
): string {
  const normal = name.normalize('NFC')
  return caseInsensitive ? normal.toLowerCase() : normal
}

export const mailKey = (mail: string): string => mail.normalize('NFC').toLowerCase()

/** @param previous whose records are kept (===) where nothing changed */
export function createRoster(
  users: readonly UserRecord[],
  search: Search,
  previous?: Roster,
): Roster {
  const records = new Map<string, UserRecord>()
  const profiles = new Map<string, Profile>()
  const byName = new Map<string, UserRecord>()
  const byMail = new Map<string, UserRecord>()
  for (const user of users) {
    const { name, email } = user.profile
    const record = successor(previous?.records.get(name), user)
    records.set(name, record)
    if (!record.disabled) profiles.set(name, record.profile)
    byName.set(lookupKey(name, search), record)
    if (search.email && email !== '') byMail.set(mailKey(email), record)
  }
  return {
    records,
    profiles,
    find(login) {
      if (login.length > MAX_LOGIN) return undefined
      return byMail.get(mailKey(login)) ?? byName.get(lookupKey(login, search))
    },
  }
}

function successor(before: UserRecord | undefined, user: UserRecord): UserRecord {
  if (before?.fingerprint === user.fingerprint) return before
  return before?.madeFrom !== undefined && before.digest.text.reveal() === user.digest.text.reveal()
    ? { madeFrom: before.madeFrom, ...user }
    : user
}

/** Who was there and enabled before, and is gone or disabled now, or has another password. */
export function removedBetween(before: Roster, after: Roster): string[] {
  const names: string[] = []
  for (const name of before.profiles.keys()) {
    const was = before.records.get(name)
    const is = after.records.get(name)
    if (was === is) continue
    if (is === undefined || is.disabled || !samePassword(was, is)) names.push(name)
  }
  return names
}

/** Whether whoever was matched by the digest of `was` would be by that of `is`, which came later. */
export function samePassword(was: UserRecord | undefined, is: UserRecord): boolean {
  const text = was?.digest.text.reveal()
  return text === is.digest.text.reveal() || text === is.madeFrom?.text.reveal()
}

/** Whether the second list differs from the first in the user `name` alone, who has this digest in it. */
export function isOnlyChange(
  before: readonly UserRecord[],
  after: readonly UserRecord[],
  name: string,
  digest: string,
): boolean {
  const others = (users: readonly UserRecord[]) =>
    users.filter(({ profile }) => profile.name !== name).map(({ fingerprint }) => fingerprint)
  const changed = after.find(({ profile }) => profile.name === name)
  return changed?.digest.text.reveal() === digest && others(before).join() === others(after).join()
}

export function marksOf({ records }: Roster): Marks {
  const enabled = [...records].filter(([, { disabled }]) => !disabled)
  return new Map(enabled.map(([name, { digest }]) => [name, markOf(digest)]))
}

export function dearestOf({ records }: Roster): Digest | undefined {
  let dearest: Digest | undefined
  for (const { digest } of records.values()) {
    if (digest.weight > (dearest?.weight ?? 0)) dearest = digest
  }
  return dearest
}
