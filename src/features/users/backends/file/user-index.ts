import { type Digest, parseDigest } from '../../../passwords/index.ts'
import type { AccountsChange, Attributes, DigestAccount, Profile } from '../../backend.ts'
import { isSamePassword } from '../../password-marks.ts'
import { byCharacters } from '../../search-listed.ts'
import { lookupKey, mailKey } from '../../spellings.ts'

/** A user as the store has it, in values that can go from one thread to another. */
export interface UserRow {
  readonly profile: Profile
  readonly disabled: boolean
  /** The digest as text, which has been understood. A secret: never logged, never sent. */
  readonly digest: string
  /** Stands for the digest (password-marks.ts). */
  readonly mark: string
  /** Of the digest: how much work a check is. */
  readonly weight: number
  /** Equal for two rows exactly when everything about the user is equal. Says nothing by itself. */
  readonly fingerprint: string
  /** Left out when there are none. */
  readonly attributes?: Attributes
}

const NONE: Attributes = Object.freeze({})

/** A user in force. */
export class UserRecord implements Omit<UserRow, 'digest'>, DigestAccount {
  readonly profile: Profile
  readonly disabled: boolean
  readonly mark: string
  readonly weight: number
  readonly fingerprint: string
  readonly continues: string | undefined
  readonly attributes: Attributes
  readonly #text: string
  #digest: Digest | undefined

  constructor(row: UserRow, continues?: string) {
    this.profile = Object.freeze({ ...row.profile, groups: Object.freeze(row.profile.groups) })
    this.disabled = row.disabled
    this.mark = row.mark
    this.weight = row.weight
    this.fingerprint = row.fingerprint
    this.continues = continues
    this.attributes = row.attributes ?? NONE
    this.#text = row.digest
  }

  get kind(): 'digest' {
    return 'digest'
  }

  get version(): string {
    return this.fingerprint
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

/** All users of the file at one moment. */
export interface UserIndex {
  /** By canonical name, enabled users only: the hot path. */
  readonly profiles: ReadonlyMap<string, Profile>
  /** By canonical name. */
  readonly records: ReadonlyMap<string, UserRecord>
  /** By what was typed: mail address first, then name. Nothing is trimmed. */
  find(login: string): UserRecord | undefined
  /** Whose login a new name would be, if it were added; undefined when it is free. */
  holderOf(name: string): string | undefined
  /** The digest that costs most to check. */
  costliest(): Digest | undefined
  /** Adds this user, or takes it in place of the one of the same name. All others stay as they are. */
  put(record: UserRecord): void
  remove(name: string): void
  /** All names, in the order of their characters. */
  names(): readonly string[]
}

/** Longer than any name or mail address: not worth normalising. */
const MAX_LOGIN = 1024

export function createUserIndex(search: Search): UserIndex {
  const records = new Map<string, UserRecord>()
  const profiles = new Map<string, Profile>()
  const byName = new Map<string, UserRecord>()
  const byMail = new Map<string, UserRecord>()
  let costliest: UserRecord | undefined
  let sorted: readonly string[] | undefined
  const mailOf = (record: UserRecord): string => (search.email ? mailKey(record.profile.email) : '')

  function forget(record: UserRecord): void {
    if (costliest === record) costliest = undefined
    if (byMail.get(mailOf(record)) === record) byMail.delete(mailOf(record))
  }

  return {
    profiles,
    records,
    find(login) {
      if (login.length > MAX_LOGIN) return undefined
      return byMail.get(mailKey(login)) ?? byName.get(lookupKey(login, search))
    },
    holderOf: (name) =>
      (byName.get(lookupKey(name, search)) ?? byMail.get(mailKey(lookupKey(name, search))))?.profile
        .name,
    costliest() {
      if (costliest === undefined) {
        for (const record of records.values())
          if (record.weight > (costliest?.weight ?? 0)) costliest = record
      }
      return costliest?.digest
    },
    put(record) {
      const { name } = record.profile
      const before = records.get(name)
      if (before !== undefined) forget(before)
      else sorted = undefined
      records.set(name, record)
      if (record.disabled) profiles.delete(name)
      else profiles.set(name, record.profile)
      byName.set(lookupKey(name, search), record)
      const mail = mailOf(record)
      if (mail !== '') byMail.set(mail, record)
      if (costliest !== undefined && record.weight > costliest.weight) costliest = record
    },
    remove(name) {
      const record = records.get(name)
      if (record === undefined) return
      forget(record)
      sorted = undefined
      records.delete(name)
      profiles.delete(name)
      if (byName.get(lookupKey(name, search)) === record) byName.delete(lookupKey(name, search))
    },
    names() {
      sorted ??= [...records.keys()].sort(byCharacters)
      return sorted
    },
  }
}

/**
 * Makes an index of rows that come a few at a time, while the one before it stays in force.
 * @param previous whose records are kept (===) where nothing changed
 */
export function succeed(previous: UserIndex, search: Search) {
  const index = createUserIndex(search)
  const invalidated: string[] = []
  const added: string[] = []
  let known = 0
  return {
    add(row: UserRow): void {
      const before = previous.records.get(row.profile.name)
      const record = successor(before, row)
      index.put(record)
      if (before === undefined) {
        added.push(row.profile.name)
        return
      }
      known++
      if (isInvalidated(before, record)) invalidated.push(row.profile.name)
    },
    /** The new index, and what is different in it. */
    end(): { readonly index: UserIndex } & Omit<AccountsChange, 'accounts'> {
      if (known < previous.records.size) {
        for (const name of previous.profiles.keys())
          if (!index.records.has(name)) invalidated.push(name)
      }
      return { index, invalidated, added }
    },
  }
}

function successor(before: UserRecord | undefined, row: UserRow): UserRecord {
  if (before?.fingerprint === row.fingerprint) return before
  return new UserRecord(row, before?.mark === row.mark ? before.continues : undefined)
}

/** Whether sessions that began under the first record have to end under the second. */
export const isInvalidated = (was: UserRecord, is: UserRecord): boolean =>
  was !== is && !was.disabled && (is.disabled || !isSamePassword(was, is))

/**
 * Whether the second list differs from the first in the user `name` alone, who has the digest of this mark in it; undefined:
 * who is not in it.
 */
export function isOnlyChange(
  before: readonly UserRow[],
  after: readonly UserRow[],
  name: string,
  mark: string | undefined,
): boolean {
  const others = (users: readonly UserRow[]) =>
    users.filter(({ profile }) => profile.name !== name).map(({ fingerprint }) => fingerprint)
  const changed = after.find(({ profile }) => profile.name === name)
  return changed?.mark === mark && others(before).join() === others(after).join()
}
