/**
 * The drill of proxies: hostile requests through each real proxy that is installed, with the very text that is printed. What
 * reaches the app is exactly what was judged and allowed: method, target, host and identity (requirement 36).
 *
 *     npm run drill:proxies -- [--seed N] [--size N] [--proxy NAME,...]
 *
 * `--size` is the number of mixtures for each proxy and protocol, beside the known tricks. Ends with status 1 when a promise is
 * broken.
 */
import { parseArgs } from 'node:util'
import { proxiesUnderTest } from '../support/proxies.ts'
import { createCleanup, type DrillOptions, toOptions } from './options.ts'
import { drillProxy } from './proxy-run.ts'

function readProxyOptions(): { readonly options: DrillOptions; readonly only: readonly string[] } {
  const { values } = parseArgs({
    options: { seed: { type: 'string' }, size: { type: 'string' }, proxy: { type: 'string' } },
  })
  const only = values.proxy?.split(',') ?? []
  const unknown = only.filter((id) => !Object.hasOwn(proxiesUnderTest, id))
  if (unknown.length > 0) throw new RangeError(`--proxy knows no ${unknown}`)
  return { options: toOptions(values, 2_000), only }
}

/** Findings of one proxy that are shown. */
const SHOWN = 20

const { options, only } = readProxyOptions()
console.log(`drill:proxies --seed ${options.seed} --size ${options.size}`)
let broken = 0
let shown = 0
for (const [id, proxy] of Object.entries(proxiesUnderTest)) {
  if (only.length > 0 && !only.includes(id)) continue
  const { name, missing } = proxy
  if (missing !== undefined) {
    console.log(`${name}: ${missing}`)
    continue
  }
  shown++
  const cleanup = createCleanup()
  try {
    const started = performance.now()
    const { asked, passed, refused, wrong } = await drillProxy(
      { after: cleanup.after as Parameters<typeof drillProxy>[0]['after'] },
      proxy,
      options,
    )
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    console.log(
      `${name}: ${asked.http1} requests over HTTP/1, ${asked.http2} over HTTP/2 in ${seconds} s: ${passed} passed, ${refused} did not, ${wrong.length} wrong`,
    )
    for (const one of wrong.slice(0, SHOWN)) console.log(`  ${one}`)
    // Without a good share of both the drill has shown nothing.
    const least = (asked.http1 + asked.http2) / 20
    if (passed < least || refused < least) console.log('  too few of one kind: nothing is shown')
    if (wrong.length > 0 || passed < least || refused < least) broken++
  } finally {
    await cleanup.run()
  }
}
const isPassed = broken === 0 && shown > 0
console.log(isPassed ? 'passed' : 'FAILED')
process.exitCode = isPassed ? 0 : 1
