import { statSync } from 'node:fs'
import type { BaseLogger } from 'pino'

const OTHERS_MAY_WRITE = 0o002

/** Names the files that anybody on the machine could change: whoever writes them decides who gets in. */
export function warnOfOpenFiles(paths: readonly string[], log: Pick<BaseLogger, 'warn'>): void {
  for (const path of paths) {
    const stats = statSync(path, { throwIfNoEntry: false })
    if (stats === undefined || !stats.isFile() || (stats.mode & OTHERS_MAY_WRITE) === 0) continue
    const mode = (stats.mode & 0o777).toString(8).padStart(4, '0')
    log.warn(
      { file: path, mode },
      `every user of this machine may change ${path}: chmod o-w ${path}`,
    )
  }
}
