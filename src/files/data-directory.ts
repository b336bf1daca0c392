/**
 * The data directory: what the server keeps between two starts. Ours alone (0700), held by one server at a time.
 *
 * Owns: `secrets/<name>` (0600, made once, never made again while they are there) and `lock`.
 * Does not own: the database, the control socket, the users file; they only live here.
 */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { OperatorError, systemCode } from '../kernel/operator-error.ts'
import { Secret } from '../kernel/secret.ts'
import { createPrivateFile } from './atomic-write.ts'
import { fsyncDirectorySync } from './directory-sync.ts'
import { type FileLock, lockFile } from './file-lock.ts'
import { finishInterruptedRestore } from './interrupted-restore.ts'

export interface DataDirectory {
  /** Absolute. */
  readonly path: string
  /** The absolute path of something in it. */
  file(name: string): string
  /**
   * The secret of this name: what stands in `secrets/<name>`, or newly made and stored there. One that is there but
   * cannot be read, is empty, short or readable to others is refused, never replaced: what it sealed would be lost.
   * @param bytes of randomness when it is made; 32 by default
   * @throws OperatorError
   */
  secret(name: string, bytes?: number): Secret
  /** The secret of this name when it is there; refused as `secret` refuses it. It makes nothing. @throws OperatorError */
  existing(name: string): Secret | undefined
  /** Where the secret of this name lies, for messages. */
  secretFile(name: string): string
  /** Stores a secret that was made elsewhere. @throws OperatorError, also when one of this name is there */
  keep(name: string, secret: Secret): void
  /** Removes a secret, where there is one. */
  drop(name: string): void
  /** Puts a secret in the place of another one, in one step that a crash does not divide. @throws OperatorError */
  promote(from: string, to: string): void
  /**
   * Holds the directory until `release` or the end of the process, kill -9 included.
   * @throws OperatorError when another server holds it, in this container or another one on this machine
   */
  lock(): FileLock
}

/** 128 bits in base64url. The server never makes a shorter secret, and a shorter one is not safe to use. */
const MIN_SECRET_LENGTH = 22
const MAX_SECRET_LENGTH = 4096
const OTHERS_MAY_WRITE = 0o022
const OTHERS_MAY_ANYTHING = 0o077

/**
 * Opens the data directory, making it (and the directories above it) with mode 0700 when it is missing.
 * @throws OperatorError when it cannot be made, is no directory, belongs to another user, or others may write to it
 */
export function openDataDirectory(path: string): DataDirectory {
  const root = resolve(path)
  openPrivateDirectory(root, 'the data directory')
  finishInterruptedRestore(root)
  const secretFile = (name: string) => {
    if (!/^[a-z0-9][a-z0-9_.-]*$/.test(name)) throw new TypeError(`no name of a secret: ${name}`)
    return join(root, 'secrets', name)
  }
  const openSecretFile = (name: string) => {
    openPrivateDirectory(join(root, 'secrets'), 'the directory of the secrets')
    return secretFile(name)
  }
  return {
    path: root,
    file: (name) => join(root, name),
    secretFile,
    secret(name, bytes = 32) {
      const file = openSecretFile(name)
      return readSecret(file) ?? makeSecret(file, randomBytes(bytes).toString('base64url')).secret
    },
    existing(name) {
      const file = secretFile(name)
      if (existsSync(dirname(file))) refuseUnsafe(dirname(file), 'the directory of the secrets')
      return readSecret(file)
    },
    keep(name, secret) {
      const file = openSecretFile(name)
      if (makeSecret(file, secret.reveal()).made === 'exists')
        throw new OperatorError(`the secret ${file} is there already`)
    },
    drop(name) {
      rmSync(openSecretFile(name), { force: true })
    },
    promote(from, to) {
      moveFile(openSecretFile(from), secretFile(to))
    },
    lock: () => holdDirectory(join(root, 'lock'), root),
  }
}

/**
 * Whether the data directory and the secrets in it could be used, as far as they are there. Makes nothing.
 * @throws OperatorError
 */
export function lookAtDataDirectory(path: string): void {
  const there = statSync(path, { throwIfNoEntry: false })
  if (there === undefined) return
  if (!there.isDirectory()) throw new OperatorError(`the data directory ${path} is no directory`)
  refuseUnsafe(path, 'the data directory')
  const secrets = join(path, 'secrets')
  if (statSync(secrets, { throwIfNoEntry: false }) === undefined) return
  refuseUnsafe(secrets, 'the directory of the secrets')
  for (const name of readdirSync(secrets)) readSecret(join(secrets, name))
}

function openPrivateDirectory(path: string, what: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new OperatorError(
      `${what} ${path} cannot be made (${systemCode(error)})`,
      'make it, owned by the user the server runs as and with mode 0700, or set data_directory to another place',
      { cause: error },
    )
  }
  refuseUnsafe(path, what)
}

function refuseUnsafe(path: string, what: string): void {
  const { uid, mode } = statSync(path)
  const own = process.geteuid?.()
  // Root may use what a user owns (a directory mounted into a container); no other user may trust what a third one can change.
  if (own !== undefined && own !== 0 && uid !== own) {
    throw new OperatorError(
      `${what} ${path} belongs to another user (uid ${uid}, the server runs as ${own})`,
      `chown ${own} ${path}`,
    )
  }
  if ((mode & OTHERS_MAY_WRITE) !== 0) {
    throw new OperatorError(
      `${what} ${path} may be written to by other users (mode ${octal(mode)}): they could replace keys and sessions`,
      `chmod 700 ${path}, or set data_directory to a directory inside it, which is then made with the right mode`,
    )
  }
}

function readSecret(path: string): Secret | undefined {
  let descriptor: number
  try {
    // A link could point at a file that others may write, whatever the mode of this directory.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw unusable(path, `cannot be read (${systemCode(error)})`, error)
  }
  try {
    const { mode, size } = fstatSync(descriptor)
    if (!lstatSync(path).isFile()) throw unusable(path, 'is no file')
    if ((mode & OTHERS_MAY_ANYTHING) !== 0) {
      throw unusable(path, `is open to other users (mode ${octal(mode)}); chmod 600 ${path}`)
    }
    if (size > MAX_SECRET_LENGTH) throw unusable(path, `is longer than ${MAX_SECRET_LENGTH} bytes`)
    const text = readFileSync(descriptor, 'utf8').trim()
    if (text.length < MIN_SECRET_LENGTH) {
      throw unusable(path, `holds fewer than ${MIN_SECRET_LENGTH} characters`)
    }
    return new Secret(text)
  } finally {
    closeSync(descriptor)
  }
}

/** Another process may make it first: its secret counts then. */
function makeSecret(
  path: string,
  text: string,
): { readonly secret: Secret; readonly made: 'created' | 'exists' } {
  let made: 'created' | 'exists'
  try {
    made = createPrivateFile(path, `${text}\n`)
  } catch (error) {
    throw new OperatorError(
      `the secret ${path} cannot be stored (${systemCode(error)})`,
      undefined,
      {
        cause: error,
      },
    )
  }
  const secret = readSecret(path)
  if (secret === undefined) throw unusable(path, 'vanished while it was made')
  return { secret, made }
}

function moveFile(from: string, to: string): void {
  try {
    renameSync(from, to)
    fsyncDirectorySync(dirname(to))
  } catch (error) {
    throw new OperatorError(
      `${from} cannot be renamed to ${to} (${systemCode(error)})`,
      undefined,
      {
        cause: error,
      },
    )
  }
}

function unusable(path: string, problem: string, cause?: unknown): OperatorError {
  return new OperatorError(
    `the secret ${path} ${problem}`,
    'it is not made anew, because what it protects (sessions, stored keys) would be lost: restore it, or remove it ' +
      'to start over',
    { cause },
  )
}

function holdDirectory(path: string, root: string): FileLock {
  let lock: FileLock | undefined
  try {
    lock = lockFile(path)
  } catch (error) {
    const why = error instanceof Error ? `: ${error.message}` : ''
    throw new OperatorError(`the data directory ${root} cannot be locked${why}`, undefined, {
      cause: error,
    })
  }
  if (lock !== undefined) return lock
  throw new OperatorError(
    `another server is running on the data directory ${root}`,
    'stop it first, or set data_directory to another place for this one',
  )
}

const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, '0')
