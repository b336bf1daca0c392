/** Look-ups under way at the same time: as many as a database answers side by side. */
const AT_ONCE = 8
/** Look-ups that wait. No crowd of people makes more. */
const MAX_WAITING = 256

/**
 * Bounds look-ups that cost their sender nothing: a client that makes cookies up fills neither the memory nor the database.
 * @returns does the work when a slot is free; where too many wait, it is not done, and the answer is `otherwise`
 */
export function createConcurrencyLimit<T>({
  atOnce = AT_ONCE,
  maxWaiting = MAX_WAITING,
} = {}): (work: () => Promise<T>, otherwise: T) => Promise<T> {
  const waiting: (() => void)[] = []
  let underWay = 0
  return async (work, otherwise) => {
    if (underWay >= atOnce) {
      if (waiting.length >= maxWaiting) return otherwise
      await new Promise<void>((resolve) => waiting.push(resolve))
    } else underWay++
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      // The next look-up takes the slot over.
      if (next === undefined) underWay--
      else next()
    }
  }
}
