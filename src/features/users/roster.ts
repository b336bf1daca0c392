import { type Digest, parseDigest } from '../passwords/index.ts'
import type { Profile } from './backend.ts'
import type { Marks } from './store.ts'

/** A user as the store has it, in values that can go from one thread to another. */
export interface UserRow {
  readonly profile: Profile
  readonly disabled: boolean
  /** The digest as text, which has been understood. A secret: never logged, never sent. */
  readonly digest: string
  /** Stands for the digest (store.ts). */
  readonly mark: string
  /** Of the digest: how much work a check is. */
  readonly weight: number
  /** Equal for two rows exactly when everything about the user is equal. Says nothing by itself. */
  readonly fingerprint: string
}

/** A user in force. */
export class UserRecord implements Omit<UserRow, 'digest'> {
  readonly profile: Profile
  readonly disabled: boolean
  readonly mark: string
  readonly weight: number
  readonly fingerprint: string
  /** The mark of the digest in whose place this one was made anew from the same password (measure 8). */
  readonly madeFrom: string | undefined
  readonly #text: string
  #digest: Digest | undefined

  constructor(row: UserRow, madeFrom?: string) {
    this.profile = Object.freeze({ ...row.profile, groups: Object.freeze(row.profile.groups) })
    this.disabled = row.disabled
    this.mark = row.mark
    this.weight = row.weight
    this.fingerprint = row.fingerprint
    this.madeFrom = madeFrom
    this.#text = row.digest
  }

  /** Understood when it is first asked for: of a hundred thousand users, few sign in. */
  get digest(): Digest {
    if (this.#digest === undefined) {
      const parsed = parseDigest(this.#text)
      if (!parsed.ok) throw new TypeError('a digest that was read cannot be read again')
      this.#digest = parsed.digest
    }
    return this.#digest
  }
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
  /** By what was typed: mail address first, then name. Nothing is trimmed. */
  find(login: string): UserRecord | undefined
  /** Whose login a new name would be, if it were added; undefined when it is free. */
  holderOf(name: string): string | undefined
  /** The digest that costs most to check. */
  dearest(): Digest | undefined
  /** Adds this user, or takes it in place of the one of the same name. Everybody else stays as they are. */
  put(record: UserRecord): void
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

export function createRoster(search: Search): Roster {
  const records = new Map<string, UserRecord>()
  const profiles = new Map<string, Profile>()
  const byName = new Map<string, UserRecord>()
  const byMail = new Map<string, UserRecord>()
  let dearest: UserRecord | undefined
  const mailOf = (record: UserRecord): string => (search.email ? mailKey(record.profile.email) : '')

  function forget(record: UserRecord): void {
    if (dearest === record) dearest = undefined
    if (byMail.get(mailOf(record)) === record) byMail.delete(mailOf(record))
  }

  return {
    records,
    profiles,
    find(login) {
      if (login.length > MAX_LOGIN) return undefined
      return byMail.get(mailKey(login)) ?? byName.get(lookupKey(login, search))
    },
    holderOf: (name) =>
      (byName.get(lookupKey(name, search)) ?? byMail.get(mailKey(lookupKey(name, search))))?.profile
        .name,
    dearest() {
      if (dearest === undefined) {
        for (const record of records.values())
          if (record.weight > (dearest?.weight ?? 0)) dearest = record
      }
      return dearest?.digest
    },
    put(record) {
      const { name } = record.profile
      const before = records.get(name)
      if (before !== undefined) forget(before)
      records.set(name, record)
      if (record.disabled) profiles.delete(name)
      else profiles.set(name, record.profile)
      byName.set(lookupKey(name, search), record)
      const mail = mailOf(record)
      if (mail !== '') byMail.set(mail, record)
      if (dearest !== undefined && record.weight > dearest.weight) dearest = record
    },
  }
}

/**
 * Makes a roster of rows that come a few at a time, while the one before it stays in force.
 * @param previous whose records are kept (===) where nothing changed
 */
export function succeed(previous: Roster, search: Search) {
  const roster = createRoster(search)
  const removed: string[] = []
  let known = 0
  return {
    add(row: UserRow): void {
      const before = previous.records.get(row.profile.name)
      const record = successor(before, row)
      roster.put(record)
      if (before === undefined) return
      known++
      if (isRemoved(before, record)) removed.push(row.profile.name)
    },
    /** The new roster; and who was there and enabled, and is gone or disabled now, or has another password. */
    end(): { readonly roster: Roster; readonly removed: readonly string[] } {
      if (known < previous.records.size) {
        for (const name of previous.profiles.keys())
          if (!roster.records.has(name)) removed.push(name)
      }
      return { roster, removed }
    },
  }
}

function successor(before: UserRecord | undefined, row: UserRow): UserRecord {
  if (before?.fingerprint === row.fingerprint) return before
  return new UserRecord(row, before?.mark === row.mark ? before.madeFrom : undefined)
}

/** Whether sessions that began under the first record have to end under the second. */
export const isRemoved = (was: UserRecord, is: UserRecord): boolean =>
  was !== is && !was.disabled && (is.disabled || !isSamePassword(was, is))

/** Whether what was matched by the digest of `was` would be by that of `is`, which came later. */
export const isSamePassword = (was: UserRecord, is: UserRecord): boolean =>
  was.mark === is.mark || was.mark === is.madeFrom

/** Whether the second list differs from the first in the user `name` alone, who has the digest of this mark in it. */
export function isOnlyChange(
  before: readonly UserRow[],
  after: readonly UserRow[],
  name: string,
  mark: string,
): boolean {
  const others = (users: readonly UserRow[]) =>
    users.filter(({ profile }) => profile.name !== name).map(({ fingerprint }) => fingerprint)
  const changed = after.find(({ profile }) => profile.name === name)
  return changed?.mark === mark && others(before).join() === others(after).join()
}

/** What the roster has whenever it is asked, not what it had. */
export const marksOf = ({ records }: Roster): Marks => ({
  get(name) {
    const record = records.get(name)
    return record?.disabled === false ? record.mark : undefined
  },
  *[Symbol.iterator]() {
    for (const [name, { disabled, mark }] of records) if (!disabled) yield [name, mark]
  },
})
