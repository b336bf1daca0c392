/**
 * Keeps `process.nextTick` as fast after a major garbage collection as before it
 * (docs/decisions/004-one-tick-object-stays.md).
 */
import { executionAsyncResource } from 'node:async_hooks'

/** What Node makes for each `nextTick`. Held here for as long as the process runs. */
const kept: object[] = []

/**
 * Keeps one of the objects alive that Node makes for each `nextTick`. It has to run before the first major collection:
 * what that one breaks is not mended by anything later.
 */
export function keepTickObject(): void {
  process.nextTick(() => {
    // Inside such a callback the object itself is the current resource: no hook has to be turned on to get it.
    kept.push(executionAsyncResource())
  })
}
