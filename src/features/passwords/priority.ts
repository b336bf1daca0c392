import { readdir, readFile } from 'node:fs/promises'
import { setPriority } from 'node:os'

/** Nice values go from 0 to 19; at 10 a thread gets a tenth of the time of one at 0 where both want it. */
const NICE = 10

/**
 * Lets hashing give way: the threads of libuv's pool, and those that they start, run after everything else of this machine
 * that wants to. The event loop answers verify meanwhile; where no other program wants the processor, nothing changes.
 *
 * On Linux, where each thread has a priority of its own; elsewhere it does nothing. Called before the first hash, so that
 * what a library starts inherits it. Reading files and looking up names happens on the same threads, and can wait as well.
 */
export async function lowerPoolPriority(): Promise<void> {
  if (process.platform !== 'linux') return
  try {
    // Reading is what starts the pool, whole.
    await readdir('/proc/self/task')
    for (const thread of await readdir('/proc/self/task')) {
      const name = await readFile(`/proc/self/task/${thread}/comm`, 'utf8')
      if (name.startsWith('libuv-worker')) setPriority(Number(thread), NICE)
    }
  } catch {
    // Without /proc, or without leave: hashing is as bounded as ever, and competes with the rest.
  }
}

/** The same for the thread that calls it, which is not to be the main one. */
export function lowerOwnPriority(): void {
  if (process.platform !== 'linux') return
  try {
    setPriority(NICE)
  } catch {
    // As above.
  }
}
