/** The users file on disk: how it is read whole, and why it cannot be. It is replaced by files/atomic-write.ts. */
import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open, readFile, realpath, stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Stamp, stampOfStats } from '../../../files/stamp.ts'
import { systemCode } from '../../../kernel/operator-error.ts'

/** About 300,000 users. Whoever may write the file could fill the memory with a larger one. */
const MAX_BYTES = 64 * 1024 * 1024

/** Half a second in all: longer than any editor needs to write a file of that size. Milliseconds. */
const MAX_ATTEMPTS = 10
const RETRY_AFTER = 50

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
