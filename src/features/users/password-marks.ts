/**
 * Password marks: which password each user had when their sessions were last known to be right. All that makes, writes
 * and compares marks is here.
 */
import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Storage } from '../../storage/index.ts'
import type { Account, DigestAccount } from './backend.ts'

/** What stands for the present password of each enabled user, by canonical name. Asked again, it may say something else. */
export interface Marks {
  get(name: string): string | undefined
  [Symbol.iterator](): Iterator<readonly [string, string]>
}

/** Rows of one transaction, and names that are compared before other work gets a turn: about a millisecond each. */
const BATCH = 200
const COMPARED_AT_ONCE = 1000

/**
 * Says of a digest whether it is the same one, and nothing else: a digest has a random salt, so that no password can
 * be tried against the mark.
 */
export const markOf = (digest: string): string =>
  createHash('sha256').update(digest).digest('base64url').slice(0, 22)

/** Whether what the digest of `was` matched would match that of `is`, which came later. */
export const isSamePassword = (
  was: Pick<DigestAccount, 'mark'>,
  is: Pick<DigestAccount, 'mark' | 'continues'>,
): boolean => was.mark === is.mark || was.mark === is.continues

/** @param byName the account in force now @param list the accounts of which the iterator gives the marks in force */
export const marksOf = (
  byName: (name: string) => Account | undefined,
  list: () => Iterable<Account>,
): Marks => {
  function get(name: string): string | undefined {
    const account = byName(name)
    return account?.kind === 'digest' && !account.disabled ? account.mark : undefined
  }
  return {
    get,
    *[Symbol.iterator]() {
      for (const { profile } of list()) {
        const mark = get(profile.name)
        if (mark !== undefined) yield [profile.name, mark]
      }
    },
  }
}

/**
 * Which password each user had when their sessions were last known to be right, kept by this instance: the users file may
 * be edited, and the server killed, between a change and the end of the sessions that began before it.
 */
export interface PasswordMarks {
  /** Whether there has never been a user. */
  isEmpty(): boolean
  /** Notes users of whom nothing is known yet; those of whom something is stay as they are. */
  observe(current: Marks): Promise<void>
  /**
   * Replaces a digest by one of the same password: the new mark is right before `store` begins, and the old one no longer
   * when the new digest is in force.
   * @param store resolves with false when it changed nothing
   */
  renew(name: string, digest: string, current: Marks, store: () => Promise<boolean>): Promise<void>
  /**
   * From now on, what began under a password that is no more is ended, and the mark in force is right after that. First
   * come users who were removed or changed while no server ran, or just before one was killed.
   * @param end ends all sessions of a user; when it throws, `failed` is told and the next start tries again
   * @returns the users who were changed while no server saw it, once their sessions have ended
   */
  follow(
    users: {
      marks(): Marks
      onInvalidated(listener: (names: readonly string[]) => void): void
    },
    end: (name: string) => Promise<void>,
    failed: (error: unknown) => void,
  ): Promise<readonly string[]>
}

export function openPasswordMarks(storage: Pick<Storage, 'sqlite' | 'write'>): PasswordMarks {
  const { sqlite } = storage
  const known = readMarks(sqlite)
  const insert = sqlite.prepare('insert or ignore into password_marks (name, mark) values (?, ?)')
  const remove = sqlite.prepare('delete from password_marks where name = ?')

  const remember = (name: string, mark: string) => addMark(known, name, mark)

  /** The sessions of these have ended: from now on the present marks are right. */
  async function settle(names: readonly string[], current: Pick<Marks, 'get'>): Promise<void> {
    await storage.write(() => {
      for (const name of names) {
        remove.run(name)
        const mark = current.get(name)
        if (mark !== undefined) insert.run(name, mark)
      }
    })
    for (const name of names) {
      known.delete(name)
      const mark = current.get(name)
      if (mark !== undefined) remember(name, mark)
    }
  }

  return {
    isEmpty: () => known.size === 0,
    async observe(current) {
      let added: (readonly [string, string])[] = []
      const flush = async () => {
        const rows = added
        added = []
        await storage.write(() => {
          // What was settled meanwhile is newer than what was seen.
          for (const [name, mark] of rows) if (!known.has(name)) insert.run(name, mark)
        })
        for (const [name, mark] of rows) if (!known.has(name)) remember(name, mark)
      }
      let compared = 0
      for (const row of current) {
        if (!known.has(row[0])) added.push(row)
        if (added.length === BATCH) await flush()
        if (++compared % COMPARED_AT_ONCE === 0) await nextTurn()
      }
      if (added.length > 0) await flush()
    },
    async renew(name, digest, current, store) {
      const mark = markOf(digest)
      await storage.write(() => insert.run(name, mark))
      remember(name, mark)
      const done = await store()
      // Where more has changed meanwhile, sessions end, and what ends them says what is right from then on.
      if (done && current.get(name) === mark) await settle([name], current)
    },
    async follow(users, end, failed) {
      const endAll = async (names: readonly string[]): Promise<void> => {
        // The marks at the beginning: a later change is reported again, and ends the sessions again.
        const current = snapshot(users.marks(), names)
        try {
          for (const name of names) await end(name)
          await settle(names, current)
        } catch (error) {
          failed(error)
        }
      }
      users.onInvalidated((names) => void endAll(names))
      const current = users.marks()
      const isRight = (name: string) => known.get(name)?.has(current.get(name) ?? '') === true
      const changed = [...known.keys()].filter((name) => !isRight(name))
      // More than one right mark: a kill came in the middle of a renewal.
      const unsettled = [...known].flatMap(([name, marks]) => (marks.size > 1 ? [name] : []))
      await settle(unsettled.filter(isRight), current)
      if (changed.length > 0) await endAll(changed)
      return changed
    },
  }
}

/** No digest has it. */
const OUTDATED = 'outdated'

/**
 * Lets the next start end all sessions of these users, as after a change of the password that no server saw. For commands that
 * run while no server does. Users in a database have no mark, and get this one.
 */
export async function outdateMarks(
  { sqlite, write }: Pick<Storage, 'sqlite' | 'write'>,
  users: readonly string[],
): Promise<void> {
  const remove = sqlite.prepare('delete from password_marks where name = ?')
  const insert = sqlite.prepare('insert into password_marks (name, mark) values (?, ?)')
  for (let i = 0; i < users.length; i += BATCH)
    await write(() => {
      for (const user of users.slice(i, i + BATCH)) {
        remove.run(user)
        insert.run(user, OUTDATED)
      }
    })
}

/** The marks that are right for each user: more than one while a digest is renewed. */
type KnownMarks = Map<string, Set<string>>

function addMark(known: KnownMarks, name: string, mark: string): void {
  const marks = known.get(name) ?? new Set()
  known.set(name, marks.add(mark))
}

function readMarks(sqlite: Storage['sqlite']): KnownMarks {
  const known: KnownMarks = new Map()
  for (const { name, mark } of sqlite.prepare('select name, mark from password_marks').iterate())
    addMark(known, String(name), String(mark))
  return known
}

/** The present marks of these users. */
const snapshot = (current: Marks, names: readonly string[]): ReadonlyMap<string, string> =>
  new Map(
    names.flatMap((name) => {
      const mark = current.get(name)
      return mark === undefined ? [] : [[name, mark]]
    }),
  )
