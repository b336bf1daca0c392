import { accessSync, constants, lstatSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { systemClock } from '../kernel/clock.ts'
import type { StartReport } from '../kernel/feature.ts'
import { systemCode } from '../kernel/operator-error.ts'
import { expandLogPath } from './sinks.ts'

const PATH = ['log', 'file_path']

/** Whether the log file could be opened, or made. */
export function lookAtLogFile(given: string, report: StartReport): void {
  const path = expandLogPath(given, systemClock.now())
  const there = statSync(path, { throwIfNoEntry: false })
  try {
    if (there?.isDirectory() === true) report.fault(PATH, 'is a folder')
    else if (there !== undefined) accessSync(path, constants.W_OK)
    else if (lstatSync(path, { throwIfNoEntry: false }) !== undefined)
      report.fault(PATH, 'is a symbolic link to a file that does not exist')
    else accessSync(dirname(path), constants.W_OK)
  } catch (error) {
    report.fault(
      PATH,
      `cannot be opened (${systemCode(error)})`,
      'a file in a directory that exists and that this user may write to',
    )
  }
}
