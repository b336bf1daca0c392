/**
 * Files that only their owner may read and write (mode 0600), made empty or opened for appending. A new file is never
 * made through a symbolic link: a user who may write to a folder could otherwise have a server that runs as root make a
 * file anywhere. A file with its content is made in atomic-write.ts.
 *
 * The calls block. They are for the start, the command line, and a log or database file that is opened once.
 */
import { constants, openSync } from 'node:fs'
import { systemCode } from '../kernel/operator-error.ts'

export const PRIVATE_MODE = 0o600
const NEW = constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
const APPEND = constants.O_WRONLY | constants.O_APPEND

/**
 * Makes an empty file and opens it for appending.
 * @returns the descriptor; undefined when something of that name exists, even a link that leads nowhere
 * @throws the system's error when it cannot be made
 */
export function openNewFile(path: string): number | undefined {
  try {
    return openSync(path, APPEND | NEW, PRIVATE_MODE)
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
