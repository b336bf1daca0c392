/** How many attempts begin in one turn of the event loop: a quarter of a millisecond of work each. */
const A_TURN = 1

/**
 * Lets attempts begin one at a time, so that a thousand that come at once are worked through between other requests and
 * not before them: verify has to be answered meanwhile.
 *
 * @returns calls what it is given in a later turn, in order
 */
export function createTurns(): (begin: () => void) => void {
  let waiting: (() => void)[] = []
  let isScheduled = false

  function turn(): void {
    for (const begin of waiting.splice(0, A_TURN)) begin()
    isScheduled = waiting.length > 0
    if (isScheduled) setImmediate(turn)
    else waiting = []
  }

  return (begin) => {
    waiting.push(begin)
    if (isScheduled) return
    isScheduled = true
    setImmediate(turn)
  }
}
