import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type { StartReport } from '../../kernel/feature.ts'

/** What the metadata at the end of such a file begin with, and where they may begin at the earliest. */
const MARK = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1')
const MAX_METADATA = 128 * 1024

/** Looks whether the file is a database of locations. */
export function lookAtLocations(path: string, report: StartReport): void {
  try {
    const file = openSync(path, 'r')
    try {
      const { size } = fstatSync(file)
      const end = Buffer.alloc(Math.min(size, MAX_METADATA))
      readSync(file, end, 0, end.length, size - end.length)
      if (!end.includes(MARK)) report.fault(['location_database'], `${path} is no mmdb file`)
    } finally {
      closeSync(file)
    }
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error)
    report.fault(['location_database'], `${path} cannot be read: ${problem}`)
  }
}
