/**
 * A new name, or a name that leads to a new file, survives a power cut only when its directory is synced. Blocking for
 * the start and the command line, without blocking for a server that answers requests.
 */
import { closeSync, fsyncSync, openSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { systemCode } from '../kernel/operator-error.ts'

/**
 * Some network file systems cannot sync a directory, and a directory that may be written but not listed cannot be opened
 * for it. The name is then as safe as that file system makes it, and the file itself is synced.
 */
const UNSUPPORTED: readonly string[] = ['EINVAL', 'ENOTSUP', 'EBADF', 'EACCES']

/** @throws the system's error when the disk fails */
export async function fsyncDirectory(path: string): Promise<void> {
  try {
    const directory = await open(path, 'r')
    try {
      await directory.sync()
    } finally {
      await directory.close()
    }
  } catch (error) {
    refuseUnlessUnsupported(error)
  }
}

/** As `fsyncDirectory`; blocks. */
export function fsyncDirectorySync(path: string): void {
  try {
    const descriptor = openSync(path, 'r')
    try {
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
  } catch (error) {
    refuseUnlessUnsupported(error)
  }
}

function refuseUnlessUnsupported(error: unknown): void {
  if (!UNSUPPORTED.includes(systemCode(error))) throw error
}
