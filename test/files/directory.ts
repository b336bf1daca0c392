/** A directory of its own for each test. */
import { mkdtempSync, realpathSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/** @returns its path without links; it is removed with all in it when the test ends */
export function temporaryDirectory(t: TestContext): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'vestibule-files-')))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** The permission bits of a file. */
export const mode = (path: string): number => statSync(path).mode & 0o777
