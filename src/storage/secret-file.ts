import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { Secret } from '../kernel/secret.ts'
import { StorageError } from './storage-error.ts'

/** Shorter than this was not written by us, or only in part. */
const MIN_LENGTH = 20

/**
 * Reads a secret that Vestibule made for itself, or makes it (256 random bits, mode 0600) when there is none yet.
 *
 * It lies beside the database and not in it: a copy of the database alone can then not be read.
 * @throws StorageError when the file can be neither read nor written, or holds too little
 */
export function openSecretFile(path: string): Secret {
  const found = read(path)
  if (found !== undefined) return found
  create(path)
  const made = read(path)
  if (made === undefined) throw new StorageError(`The secret file ${path} vanished`)
  return made
}

function read(path: string): Secret | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8').trim()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw refusal(path, error)
  }
  if (text.length >= MIN_LENGTH) return new Secret(text)
  throw new StorageError(
    `The secret file ${path} is empty or damaged: restore it, or delete it to have a new one ` +
      '(what the old one sealed is then lost)',
  )
}

/** Of two processes that start at once one wins: a link is made whole or not at all, and never over another. */
function create(path: string): void {
  const draft = `${path}.${randomBytes(8).toString('hex')}`
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    const file = openSync(draft, 'wx', 0o600)
    try {
      writeSync(file, `${randomBytes(32).toString('base64url')}\n`)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    linkSync(draft, path)
    const folder = openSync(dirname(path), 'r')
    fsyncSync(folder)
    closeSync(folder)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return
    throw refusal(path, error)
  } finally {
    rmSync(draft, { force: true })
  }
}

function refusal(path: string, error: unknown): StorageError {
  const reason = error instanceof Error ? error.message : String(error)
  return new StorageError(`The secret file ${path} cannot be used: ${reason}`, { cause: error })
}
