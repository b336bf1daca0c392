import { readFileSync } from 'node:fs'

/**
 * Milliseconds of CPU that the main thread of a process has had: what a request costs, whatever else the machine does.
 * Linux: proc(5), /proc/pid/schedstat.
 */
export function cpuOf(pid: number): number {
  const [nanoseconds = ''] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')
  return Number(nanoseconds) / 1e6
}
