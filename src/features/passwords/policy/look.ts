import { closeSync, openSync, readSync, statSync } from 'node:fs'
import type { StartPlace, StartReport } from '../../../kernel/feature.ts'
import type { PolicyConfig } from './config.ts'

const MAX_COMMON_FILE = 16 * 1024 * 1024
const FIRST_LINE = /^[0-9A-Fa-f]{40}(:\d+)?\r?(\n|$)/

/** Whether the lists are there and of the right form, as far as their beginning tells. */
export function lookAtLists(config: PolicyConfig, place: StartPlace, report: StartReport): void {
  for (const key of ['breached_file', 'common_file'] as const) {
    const given = config[key]
    if (given === undefined) continue
    const path = place.resolve(given)
    const at = ['password_policy', key]
    const there = statSync(path, { throwIfNoEntry: false })
    if (there === undefined) report.fault(at, `is ${path}, which does not exist`)
    else if (!there.isFile()) report.fault(at, `is ${path}, which is no file`)
    else if (key === 'common_file' && there.size > MAX_COMMON_FILE)
      report.fault(at, `is ${path}, which is larger than 16 MiB`)
    else if (key === 'breached_file' && !FIRST_LINE.test(beginning(path)))
      report.fault(at, `is ${path}, which does not begin with SHA1:COUNT`)
  }
}

function beginning(path: string): string {
  const descriptor = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(64)
    return bytes.toString('latin1', 0, readSync(descriptor, bytes, 0, bytes.length, 0))
  } finally {
    closeSync(descriptor)
  }
}
