/**
 * Files that only their owner may read and write (mode 0600): made whole with their content, made empty, or opened for
 * appending. A new file is never made through a symbolic link: a user who may write to a folder could otherwise have a
 * server that runs as root make a file anywhere.
 *
 * The calls block. They are for the start, for the command line, and for a log or database file that is opened once.
 */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { systemCode } from '../kernel/refusal.ts'

const PRIVATE = 0o600
const NEW = constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
const APPEND = constants.O_WRONLY | constants.O_APPEND
/** What a file system without hard links answers. */
const NO_HARD_LINKS: readonly string[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']

/**
 * Makes an empty file and opens it for appending.
 * @returns the descriptor; undefined when something of that name exists, even a link that leads nowhere
 * @throws the system's error when it cannot be made
 */
export function openNewFile(path: string): number | undefined {
  try {
    return openSync(path, APPEND | NEW, PRIVATE)
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return undefined
    throw error
  }
}

/**
 * Opens a file for appending, and makes it when it is missing. A link to an existing file is followed.
 * @returns the descriptor
 * @throws the system's error; ELOOP for a link that leads nowhere
 */
export function openAppendFile(path: string): number {
  const made = openNewFile(path)
  if (made !== undefined) return made
  try {
    return openSync(path, APPEND)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    const message = `${path} is a symbolic link to a file that does not exist`
    throw Object.assign(new Error(message, { cause: error }), { code: 'ELOOP' })
  }
}

/**
 * Makes a file with its content, whole or not at all: written beside its place, synced, then linked into it. A file that
 * exists already is never touched.
 * @returns `exists` when something of that name was there first
 * @throws the system's error when it cannot be written
 */
export function createPrivateFile(path: string, content: string): 'created' | 'exists' {
  const directory = dirname(path)
  const draft = join(directory, `.${basename(path)}.${randomBytes(6).toString('hex')}`)
  const descriptor = openSync(draft, APPEND | NEW, PRIVATE)
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
    if (!NO_HARD_LINKS.includes(systemCode(error))) throw error
  }
  // Without hard links: taking the name first keeps the promise never to overwrite a file.
  const claimed = openNewFile(path)
  if (claimed === undefined) return 'exists'
  closeSync(claimed)
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
