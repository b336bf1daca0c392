/**
 * The second half of a restore. What was read and checked lies complete in a folder of the data directory; each part of it
 * is moved into its place. A process that is killed on the way is followed by another one that goes on: the former state is
 * given up once the folder has its name, and nothing reads the data directory before the last part is in its place.
 */
import { existsSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { OperatorError } from '../kernel/operator-error.ts'
import { fsyncDirectorySync } from './directory-sync.ts'
import { lockFile } from './file-lock.ts'

/** The folder with the complete parts. Only a rename gives it this name. */
export const READY = 'restore.ready'

/** Moves the parts into their places. To be called by the process that holds the directory. */
export function finishRestore(root: string): void {
  const ready = join(root, READY)
  for (const name of readdirSync(ready)) {
    const target = join(root, name)
    // What SQLite kept beside the former database belongs to no other one.
    for (const suffix of ['-wal', '-shm', '-journal']) rmSync(target + suffix, { force: true })
    rmSync(target, { recursive: true, force: true })
    renameSync(join(ready, name), target)
    fsyncDirectorySync(root)
  }
  rmdirSync(ready)
  fsyncDirectorySync(root)
}

/** Goes on with a restore whose process was killed. @throws OperatorError while one is under way */
export function finishInterruptedRestore(root: string): void {
  if (!existsSync(join(root, READY))) return
  const lock = lockFile(join(root, 'lock'))
  if (lock === undefined)
    throw new OperatorError(`a restore of ${root} is under way`, 'wait until it is done')
  try {
    if (existsSync(join(root, READY))) finishRestore(root)
  } finally {
    lock.release()
  }
}
