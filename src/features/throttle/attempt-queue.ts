/** How many attempts begin in one turn of the event loop: a quarter of a millisecond of work each. */
const PER_TURN = 1
/** Claims that may wait ahead of the others; further ones queue with the others. */
const MAX_CLAIMS = 64
/** After so many claims in a row another attempt begins: a made-up claim costs its sender nothing. */
const IN_A_ROW = 3

/**
 * Staggers the attempts to sign in: one begins in each turn of the event loop. A thousand that arrive at once are worked
 * through between other requests and not before them, as verify has to be answered meanwhile.
 */
export interface AttemptQueue {
  /**
   * @param begin called in a later turn of the event loop, in order
   * @param isClaim the attempt says that it comes from a known device: it goes first, and is looked up then
   */
  wait(begin: () => void, isClaim: boolean): void
}

export function createAttemptQueue(): AttemptQueue {
  let claims: (() => void)[] = []
  let others: (() => void)[] = []
  let inARow = 0
  let isScheduled = false

  function take(): (() => void) | undefined {
    const isClaim = claims.length > 0 && (inARow < IN_A_ROW || others.length === 0)
    inARow = isClaim ? inARow + 1 : 0
    return (isClaim ? claims : others).shift()
  }

  function turn(): void {
    for (let i = 0; i < PER_TURN; i++) take()?.()
    isScheduled = claims.length + others.length > 0
    if (isScheduled) {
      setImmediate(turn)
      return
    }
    claims = []
    others = []
  }

  return {
    wait(begin, isClaim) {
      const line = isClaim && claims.length < MAX_CLAIMS ? claims : others
      line.push(begin)
      if (isScheduled) return
      isScheduled = true
      setImmediate(turn)
    },
  }
}
