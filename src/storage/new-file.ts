import { constants, openSync } from 'node:fs'
import { systemCode } from '../kernel/refusal.ts'

const NEW = constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
const APPEND = constants.O_WRONLY | constants.O_APPEND

/**
 * Makes a file with mode 0600 and opens it for appending. Never through a symbolic link: who may write a folder could
 * otherwise have a server that runs as root make a file anywhere.
 * @returns the descriptor; undefined when something of that name is there, be it a link that leads nowhere
 * @throws the system's error when it cannot be made
 */
export function makeFile(path: string): number | undefined {
  try {
    return openSync(path, APPEND | NEW, 0o600)
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return undefined
    throw error
  }
}

/**
 * Opens a file for appending, and makes it (0600) when it is missing. A link to a file that is there is followed.
 * @throws the system's error; ELOOP for a link that leads nowhere
 */
export function openOrMakeFile(path: string): number {
  const made = makeFile(path)
  if (made !== undefined) return made
  try {
    return openSync(path, APPEND)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    const message = `${path} is a symbolic link to a file that does not exist`
    throw Object.assign(new Error(message, { cause: error }), { code: 'ELOOP' })
  }
}
