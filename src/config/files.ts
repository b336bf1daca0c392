/** Files by name → their text, bounded. A missing or unreadable file is a fault, never an exception. */
import { open, readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { systemCode } from '../kernel/operator-error.ts'
import type { Fault } from './faults.ts'

/** Ten thousand rules are some two megabytes; far more is a mistake, or an attack on memory. */
export const MAX_FILE_BYTES = 16 * 1024 * 1024

export type TextFile =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly problem: string }

/** @returns the text as UTF-8 without a byte order mark, or why there is none */
export async function readText(path: string): Promise<TextFile> {
  let bytes: Buffer
  try {
    const file = await open(path, 'r')
    try {
      bytes = await readBounded(file)
    } finally {
      await file.close()
    }
  } catch (error) {
    return { ok: false, problem: reasonOf(error) }
  }
  if (bytes.length > MAX_FILE_BYTES) return { ok: false, problem: 'is larger than 16 MiB' }
  try {
    return { ok: true, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
  } catch {
    return { ok: false, problem: 'is not UTF-8 text' }
  }
}

async function readBounded(file: Awaited<ReturnType<typeof open>>): Promise<Buffer> {
  const chunks: Buffer[] = []
  let total = 0
  // One byte past the limit is enough to know; a pipe or device never says how long it is.
  while (total <= MAX_FILE_BYTES) {
    const { bytesRead, buffer } = await file.read({ buffer: Buffer.alloc(64 * 1024) })
    if (bytesRead === 0) break
    chunks.push(buffer.subarray(0, bytesRead))
    total += bytesRead
  }
  return Buffer.concat(chunks)
}

/**
 * Directories become their `*.yml` and `*.yaml` in the order of their names, not recursively.
 * @returns the files as they will be named in faults, relative to `cwd` when they were given so
 */
export async function expandFiles(
  paths: readonly string[],
  cwd: string,
): Promise<{ files: string[]; faults: Fault[] }> {
  const files: string[] = []
  const faults: Fault[] = []
  for (const path of paths) {
    try {
      if (!(await stat(resolve(cwd, path))).isDirectory()) {
        files.push(path)
        continue
      }
      const names = (await readdir(resolve(cwd, path))).filter((name) => /\.ya?ml$/i.test(name))
      if (names.length === 0)
        faults.push({ source: path, path: '', message: 'holds no *.yml or *.yaml file' })
      for (const name of names.sort()) files.push(join(path, name))
    } catch (error) {
      faults.push({ source: path, path: '', message: reasonOf(error) })
    }
  }
  return { files, faults }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  EACCES: 'may not be read by this user',
  EPERM: 'may not be read by this user',
  EISDIR: 'is a directory',
  ELOOP: 'is a circle of symbolic links',
  ENAMETOOLONG: 'is too long a name for a file',
}

function reasonOf(error: unknown): string {
  const code = systemCode(error) || 'unknown error'
  return REASONS[code] ?? `cannot be read (${code})`
}
