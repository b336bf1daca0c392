/**
 * Preloaded into a server: SIGUSR2 measures what `nextTick` costs before and after major garbage collections, in CPU time,
 * and prints `ticks: N` on standard error, N times as much as before.
 */
const CALLS = 2_000
const TURNS = 100
const ROUNDS = 15

const nothing = () => {}
const turn = () => new Promise((resolve) => setImmediate(resolve))

async function cost(): Promise<number> {
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < ROUNDS; round++) {
    const begun = process.threadCpuUsage()
    for (let i = 0; i < TURNS; i++) {
      await turn()
      for (let call = 0; call < CALLS; call++) process.nextTick(nothing)
    }
    await turn()
    best = Math.min(best, process.threadCpuUsage(begun).user)
  }
  return best
}

process.on('SIGUSR2', () => {
  void (async () => {
    const before = await cost()
    // From a timer, where no tick object is under way.
    setTimeout(async () => {
      for (let i = 0; i < 3; i++) globalThis.gc?.()
      process.stderr.write(`ticks: ${((await cost()) / before).toFixed(2)}\n`)
    }, 10)
  })()
})
