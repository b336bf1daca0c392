import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { systemCode } from './kernel/refusal.ts'

/**
 * Makes a file that only its owner may read (0600), whole or not at all: written beside its place, synced, then linked
 * into it. A file that is already there is never touched.
 * @returns `exists` when something of that name was there first
 * @throws the system's error when it cannot be written
 */
export function createPrivateFile(path: string, content: string): 'created' | 'exists' {
  const directory = dirname(path)
  const draft = join(directory, `.${basename(path)}.${randomBytes(6).toString('hex')}`)
  // wx: made by us, now, and no link that somebody laid out.
  const descriptor = openSync(draft, 'wx', 0o600)
  try {
    try {
      writeFileSync(descriptor, content)
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    return place(draft, path)
  } finally {
    unlinkIfThere(draft)
    syncDirectory(directory)
  }
}

function place(draft: string, path: string): 'created' | 'exists' {
  try {
    linkSync(draft, path)
    return 'created'
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return 'exists'
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(systemCode(error))) throw error
  }
  // A file system without hard links. Claiming the name first keeps the promise never to overwrite.
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return 'exists'
    throw error
  }
  renameSync(draft, path)
  return 'created'
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
}

/** A name is only safe from a power cut once its directory is. Some file systems refuse; then it is as safe as they are. */
function syncDirectory(directory: string): void {
  try {
    const descriptor = openSync(directory, 'r')
    try {
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
  } catch {
    // Nothing more can be done, and the file itself is written.
  }
}
