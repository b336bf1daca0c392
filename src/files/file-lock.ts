/** The one lock between processes: a file that at most one of them holds. */
import { closeSync, fchmodSync, fchownSync, lstatSync, statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { openNewFile } from './private-file.ts'

/** Keeps the databases of held locks referenced: garbage collection would close one, and lift its lock. */
const held = new Set<DatabaseSync>()

/** Five seconds in all; an atomic write holds the lock for some milliseconds. */
const MAX_ATTEMPTS = 250
/** Milliseconds. */
const RETRY_AFTER = 20

export interface FileLock {
  /** A second call does nothing. */
  release(): void
}

/**
 * Takes a lock that the kernel lifts when the process ends, however it ends: SQLite's exclusive lock on an empty file of
 * its own, which stays. A pid file would lie after kill -9 (in a container every server is pid 1). While it is held,
 * nothing else in this process may open the file: closing any descriptor of it would lift the lock (POSIX fcntl).
 *
 * @param path made with mode 0600 when it is missing; a symbolic link in its place is refused, wherever it leads
 * @param owner a file whose owner and mode the lock's file gets when it is made: who may write the one may lock it
 * @returns undefined when it is held already, by this process or another one on this machine
 * @throws Error the system's, when the file cannot be made or opened; ENOLCK when it is a link or no file
 */
export function lockFile(path: string, owner?: string): FileLock | undefined {
  // Loaded here: an importer that takes no lock does not pay for SQLite.
  const sqlite = process.getBuiltinModule('node:sqlite')
  makeEmpty(path, owner)
  const database = new sqlite.DatabaseSync(path)
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (error instanceof Error && /database is locked/.test(error.message)) return undefined
    throw error
  }
  held.add(database)
  return {
    release() {
      if (held.delete(database)) database.close()
    },
  }
}

/**
 * As `lockFile`, but waits for a lock that is held: up to five seconds.
 * @throws Error as `lockFile`; EAGAIN when it stays held
 */
export async function waitForLock(path: string, owner?: string): Promise<FileLock> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const lock = lockFile(path, owner)
    if (lock !== undefined) return lock
    await sleep(RETRY_AFTER)
  }
  throw Object.assign(new Error(`${path} stays locked`), { code: 'EAGAIN' })
}

function makeEmpty(path: string, owner: string | undefined): void {
  const descriptor = openNewFile(path)
  if (descriptor === undefined) {
    // Not opened to look at it: another thread of this process may hold the lock.
    const there = lstatSync(path, { throwIfNoEntry: false })
    if (there === undefined || there.isFile()) return
    const what = there.isSymbolicLink() ? 'a symbolic link' : 'no file'
    throw Object.assign(new Error(`the lock ${path} is ${what}`), { code: 'ENOLCK' })
  }
  try {
    const stats = owner === undefined ? undefined : statSync(owner, { throwIfNoEntry: false })
    if (stats === undefined) return
    if (process.geteuid?.() === 0) fchownSync(descriptor, stats.uid, stats.gid)
    fchmodSync(descriptor, stats.mode & 0o777)
  } finally {
    closeSync(descriptor)
  }
}
