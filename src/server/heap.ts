import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Milliseconds: by then the requests that waited for the start have been answered. */
const DELAY = 1_000

type Collect = (options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void

/**
 * Gives back, once, what only starting needed: the young generation has grown with it to its limit of 16 MB, and would stay
 * so. A limit on it would do the same and cost throughput for good; this costs a pause of some 30 ms.
 * @returns calls it off
 */
export function shrinkHeapSoon(): () => void {
  const timer = setTimeout(() => {
    setFlagsFromString('--expose-gc')
    // V8 puts it into contexts that are made after the flag was set; with these options it is not typed.
    const collect = runInNewContext('gc') as Collect
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
  }, DELAY)
  timer.unref()
  return () => clearTimeout(timer)
}
