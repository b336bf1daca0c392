/**
 * The one atomic write. A file is made or replaced whole: a draft is written beside its place and synced, then takes the
 * name, and the directory is synced. A crash at any moment leaves the old content or the new one, and at most a draft,
 * which `removeDrafts` removes.
 *
 * `createPrivateFile` blocks (the start, the command line); `replaceFile` does not (a server that answers requests).
 */
import { randomBytes } from 'node:crypto'
import {
  type BigIntStats,
  closeSync,
  fsyncSync,
  linkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import {
  type FileHandle,
  open,
  readdir,
  readlink,
  realpath,
  rename,
  rm,
  stat,
} from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { systemCode } from '../kernel/operator-error.ts'
import { fsyncDirectory, fsyncDirectorySync } from './directory-sync.ts'
import { waitForLock } from './file-lock.ts'
import { openNewFile, PRIVATE_MODE } from './private-file.ts'
import { type Stamp, stampOf } from './stamp.ts'

/** What a file system without hard links answers. */
const NO_HARD_LINKS: readonly string[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']
/** More links in a row are a circle: the system's own limit is 40. */
const MAX_LINKS = 20
const OWNER_AND_OTHERS = 0o707

const draftPrefix = (target: string): string => `.${basename(target)}.draft-`

/** In the same directory, so that a rename or a link can move it into its place. */
const draftPath = (target: string): string =>
  join(dirname(target), `${draftPrefix(target)}${randomBytes(6).toString('hex')}`)

/**
 * Makes a file with its content and mode 0600. A file that exists already is never touched, nor what a link leads to.
 * @returns `exists` when something of that name was there first
 * @throws the system's error when it cannot be written
 */
export function createPrivateFile(
  path: string,
  content: string | Uint8Array,
): 'created' | 'exists' {
  const draft = draftPath(path)
  let placed: 'created' | 'exists'
  try {
    writeNewFile(draft, content)
    placed = place(draft, path)
  } finally {
    rmSync(draft, { force: true })
  }
  // Also when the file was there first: the caller relies on it, and the process that made it may not have got this far.
  fsyncDirectorySync(dirname(path))
  return placed
}

/**
 * Makes or replaces a file, with mode 0600 whatever the mode of the former one was. A link is replaced, and not what it
 * leads to.
 * @throws the system's error when it cannot be written
 */
export function replacePrivateFile(path: string, content: string | Uint8Array): void {
  const draft = draftPath(path)
  try {
    writeNewFile(draft, content)
    renameSync(draft, path)
  } finally {
    rmSync(draft, { force: true })
  }
  fsyncDirectorySync(dirname(path))
}

function writeNewFile(path: string, content: string | Uint8Array): void {
  const descriptor = openNewFile(path)
  if (descriptor === undefined) throw Object.assign(new Error(`${path} exists`), { code: 'EEXIST' })
  try {
    writeFileSync(descriptor, content)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
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

/**
 * Replaces a file. Its mode and owner are kept; a new file gets mode 0600. Where the path is a symbolic link, its target
 * is replaced and the link stays.
 *
 * @param stamp of the file that the caller read; undefined when there was none
 * @returns 'changed', and nothing is written, when the file is another one by now
 * @throws the system's error when it cannot be written; EAGAIN when another process keeps it locked, ENOLCK when the
 * lock file beside it cannot be used
 */
export async function replaceFile(
  path: string,
  text: string,
  stamp: Stamp | undefined,
): Promise<'replaced' | 'changed'> {
  const target = await targetOf(path)
  const draft = draftPath(target)
  try {
    await writeDraft(draft, text, target)
    // Two processes that share the file: neither may replace what the other wrote between its look and its rename.
    const lock = await waitForLock(join(dirname(target), `.${basename(target)}.lock`), target)
    try {
      if ((await stampOf(path)) !== stamp) return 'changed'
      await rename(draft, target)
    } finally {
      lock.release()
    }
  } catch (error) {
    // Another process that starts takes our draft for one that was left over.
    if (systemCode(error) === 'ENOENT') return 'changed'
    throw error
  } finally {
    await rm(draft, { force: true })
  }
  await fsyncDirectory(dirname(target))
  return 'replaced'
}

/** Where the name leads, behind all links, whether there is a file yet or not. */
async function targetOf(path: string, links = 0): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT' || links > MAX_LINKS) throw error
  }
  try {
    return await targetOf(resolve(dirname(path), await readlink(path)), links + 1)
  } catch (error) {
    // No link: it is the file itself that is missing.
    if (['ENOENT', 'EINVAL'].includes(systemCode(error))) return path
    throw error
  }
}

async function writeDraft(draft: string, text: string, target: string): Promise<void> {
  const file = await open(draft, 'wx', PRIVATE_MODE)
  try {
    await file.writeFile(text)
    await keepOwner(file, target)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function keepOwner(file: FileHandle, target: string): Promise<void> {
  let old: BigIntStats
  try {
    old = await stat(target, { bigint: true })
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return
    throw error
  }
  const mine = await file.stat({ bigint: true })
  let mode = Number(old.mode) & 0o777
  try {
    if (mine.uid !== old.uid || mine.gid !== old.gid)
      await file.chown(Number(old.uid), Number(old.gid))
  } catch (error) {
    if (systemCode(error) !== 'EPERM') throw error
    // The file now belongs to another group, which must not get what the old group was allowed.
    if (mine.gid !== old.gid) mode &= OWNER_AND_OTHERS
  }
  await file.chmod(mode)
}

/**
 * Removes the drafts of a file that a killed process left.
 * @throws the system's error when the directory cannot be read
 */
export async function removeDrafts(path: string): Promise<void> {
  const target = await targetOf(path)
  const prefix = draftPrefix(target)
  for (const name of await readdir(dirname(target))) {
    if (name.startsWith(prefix) && /^[0-9a-f]{12}$/.test(name.slice(prefix.length)))
      await rm(join(dirname(target), name), { force: true })
  }
}
