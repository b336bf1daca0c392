import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
// The flag makes it a global of contexts that are made from now on.
const collectGarbage = runInNewContext('gc') as () => void

/** Bytes of the heap that something still holds. */
export function heldMemory(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed
}
