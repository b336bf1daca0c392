/** The users file on disk: read whole, replaced whole. A crash at any moment leaves the old one or the new one. */
import { createHash, randomBytes } from 'node:crypto'
import { type BigIntStats, constants } from 'node:fs'
import {
  type FileHandle,
  open,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  stat,
} from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type FileLock, lockFile } from '../../../files/file-lock.ts'
import { systemCode } from '../../../kernel/refusal.ts'

/** About 300,000 users. Whoever may write the file could fill the memory with a larger one. */
const MAX_BYTES = 64 * 1024 * 1024

/** Half a second in all: longer than any editor needs to write a file of that size. Milliseconds. */
const MAX_ATTEMPTS = 10
const RETRY_AFTER = 50

/** Five seconds in all; a turn takes some milliseconds. */
const MAX_TURNS = 250
const TURN_AFTER = 20

/** Changes whenever the file is written, replaced or its link is turned. */
export type Stamp = string

export type FileText =
  | {
      readonly kind: 'text'
      readonly text: string
      readonly stamp: Stamp
      /** SHA-256 of its bytes. */
      readonly hash: string
    }
  | { readonly kind: 'missing' }
  | { readonly kind: 'refused'; readonly problem: string }

const stampOfStats = (stats: BigIntStats): Stamp =>
  [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(':')

/** @returns undefined when there is no such file, or it cannot be looked at */
export async function stampOf(path: string): Promise<Stamp | undefined> {
  try {
    return stampOfStats(await stat(path, { bigint: true }))
  } catch {
    return undefined
  }
}

/** Never throws for what it finds: a byte order mark stays part of the text. */
export async function readFileText(path: string): Promise<FileText> {
  let file: FileHandle
  try {
    // Without O_NONBLOCK a pipe in its place would hold a thread for ever.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT') return { kind: 'missing' }
    return { kind: 'refused', problem: REASONS[code] ?? `cannot be read (${code})` }
  }
  try {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const read = await readOpen(file)
      if (read !== 'changed') return read
      await sleep(RETRY_AFTER)
    }
    return { kind: 'refused', problem: 'changes while it is read' }
  } finally {
    await file.close()
  }
}

/** What was read while somebody wrote could be half of it, and half of the users with it. */
async function readOpen(file: FileHandle): Promise<FileText | 'changed'> {
  const stats = await file.stat({ bigint: true })
  if (!stats.isFile()) return { kind: 'refused', problem: 'is no regular file' }
  if (stats.size > MAX_BYTES)
    return { kind: 'refused', problem: `is larger than ${MAX_BYTES / 1024 / 1024} MiB` }
  const buffer = Buffer.alloc(Number(stats.size))
  let length = 0
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  const stamp = stampOfStats(stats)
  if (stampOfStats(await file.stat({ bigint: true })) !== stamp || length < buffer.length)
    return 'changed'
  const text = decode(buffer)
  return text === undefined
    ? { kind: 'refused', problem: 'is not UTF-8 text' }
    : { kind: 'text', text, stamp, hash: hashOf(buffer) }
}

/** Tells one content of the file from another. */
export const hashOf = (content: Buffer | string): string =>
  createHash('sha256').update(content).digest('hex')

/** @returns how large the file is, in bytes; 0 when it cannot be looked at */
export async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch {
    return 0
  }
}

function decode(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    // Its way of saying that it is no UTF-8.
    return undefined
  }
}

/**
 * Replaces the file: a new one in the same directory, on disk before it takes the name. Mode and owner are kept; a new
 * file is 0600. Where the path is a symbolic link, its target is replaced and the link stays.
 *
 * @param stamp what the caller read; undefined when there was no file
 * @returns 'changed', and nothing is written, when the file is another one by now
 * @throws Error the system's, when it cannot be written
 */
export async function replaceFile(
  path: string,
  text: string,
  stamp: Stamp | undefined,
): Promise<'replaced' | 'changed'> {
  const target = await targetOf(path)
  const draft = join(dirname(target), `${draftPrefix(target)}${randomBytes(6).toString('hex')}`)
  try {
    await writeDraft(draft, text, target)
    const lock = await takeTurn(target)
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
  await syncDirectory(dirname(target))
  return 'replaced'
}

/** Of two servers that share the file, neither may replace what the other wrote between its look and its rename. */
async function takeTurn(target: string): Promise<FileLock> {
  const path = join(dirname(target), `.${basename(target)}.lock`)
  for (let attempt = 0; attempt < MAX_TURNS; attempt++) {
    const lock = lockFile(path, target)
    if (lock !== undefined) return lock
    await sleep(TURN_AFTER)
  }
  throw Object.assign(new Error(`${path} stays locked`), { code: 'EAGAIN' })
}

/** Where the name leads, behind all links, whether there is a file yet or not. */
async function targetOf(path: string, links = 0): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT' || links > 20) throw error
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
  const file = await open(draft, 'wx', 0o600)
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
    // Not ours to give away: then what its group might do is not for ours to do.
    if (mine.gid !== old.gid) mode &= 0o707
  }
  await file.chmod(mode)
}

/** A rename is on disk when its directory is. Some network file systems cannot sync one; they have no better promise. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } catch (error) {
    if (!['EINVAL', 'ENOTSUP', 'EBADF'].includes(systemCode(error))) throw error
  } finally {
    await directory.close()
  }
}

const draftPrefix = (path: string): string => `.${basename(path)}.draft-`

/** Removes what a write left that was killed before its rename. */
export async function removeDrafts(path: string): Promise<void> {
  const target = await targetOf(path)
  const prefix = draftPrefix(target)
  for (const name of await readdir(dirname(target))) {
    if (name.startsWith(prefix) && /^[0-9a-f]{12}$/.test(name.slice(prefix.length)))
      await rm(join(dirname(target), name), { force: true })
  }
}

/** Whether the file is mounted by itself, as `-v ./users.yml:/config/users.yml` does: then it cannot be replaced. */
export async function isMountedAlone(path: string): Promise<boolean> {
  try {
    const target = await realpath(path)
    const mounts = await readFile('/proc/self/mountinfo', 'utf8')
    // proc(5): the fifth field is the mount point, with space, tab, newline and backslash as \\ooo.
    return mounts.split('\n').some((line) => unescapeOctal(line.split(' ')[4] ?? '') === target)
  } catch {
    // No such file yet, or no Linux: nothing to warn about.
    return false
  }
}

const unescapeOctal = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  )

/** Why the system did not let a file be read or replaced, for the administrator. */
export const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'may not be read or written by this user',
  EPERM: 'may not be read or written by this user',
  EROFS: 'lies on a read-only file system',
  EAGAIN: 'is locked by another server all the time',
  ENOLCK: 'cannot be locked: the lock file beside it is a symbolic link; remove that',
  EBUSY: 'is mounted by itself and cannot be replaced: mount its directory',
  ENOSPC: 'cannot be written: the disk is full',
  EDQUOT: 'cannot be written: the quota is used up',
  ENOTDIR: 'does not exist: a part of its path is no directory',
  ELOOP: 'is a circle of symbolic links',
}
