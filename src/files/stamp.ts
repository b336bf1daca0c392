/** Whether a file is still the one that was seen: compared instead of its content, which costs a read. */
import type { BigIntStats } from 'node:fs'
import { stat } from 'node:fs/promises'

/** Changes whenever the file is written, replaced, or a link to it is turned. Never empty. */
export type Stamp = string

export const stampOfStats = (stats: BigIntStats): Stamp =>
  [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(':')

/**
 * The stamp of the file behind a name; links are followed.
 * @returns undefined when there is no such file, or it cannot be looked at
 */
export async function stampOf(path: string): Promise<Stamp | undefined> {
  try {
    return stampOfStats(await stat(path, { bigint: true }))
  } catch {
    return undefined
  }
}
