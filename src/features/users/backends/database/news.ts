/**
 * What other instances change. Each change is a row that is written with it; the rows are asked for once a second, and at
 * once when the database says that there is one. What is in memory counts as long as that went well a short time ago.
 */
import type { BaseLogger } from 'pino'
import type { Clock } from '../../../../kernel/clock.ts'
import type { ChangeRow } from './store.ts'

/** Milliseconds between two questions. */
const EVERY = 1000
/** How long after the beginning of a question that was answered what is in memory counts. Milliseconds. */
const TRUSTED = 2000
const AT_ONCE = 1000

export interface NewsOptions {
  /** The last change that is known. */
  readonly from: number
  changesAfter(id: number, limit: number): Promise<readonly ChangeRow[]>
  /** @param missed there were more, which are not kept any more: anything may have changed */
  readonly heard: (changes: readonly ChangeRow[], missed: boolean) => Promise<void>
  /** Called after each question that was answered. */
  readonly settle: () => Promise<void>
  /** Calls when another instance may have changed users. @returns what ends it */
  readonly listen: (listener: () => void) => () => void
  readonly clock: Clock
  readonly log: Pick<BaseLogger, 'warn'>
}

export function createNews(options: NewsOptions) {
  const { from, changesAfter, heard, settle, clock, log } = options
  let last = from
  let trustedUntil = Number.NEGATIVE_INFINITY
  let asking: Promise<void> | undefined
  let again = false
  let timer: NodeJS.Timeout | undefined
  let failed = false
  let closed = false

  async function askAll(): Promise<void> {
    for (;;) {
      const began = clock.monotonic()
      const changes = await changesAfter(last, AT_ONCE)
      const [first] = changes
      if (first !== undefined) await heard(changes, first.id > last + 1)
      last = changes.at(-1)?.id ?? last
      if (changes.length < AT_ONCE) {
        trustedUntil = began + TRUSTED
        return
      }
    }
  }

  async function run(): Promise<void> {
    do {
      again = false
      await askAll()
    } while (again)
  }

  /** Resolves when all that was committed before the call is known. @throws AppError STORE_UNAVAILABLE */
  async function ask(): Promise<void> {
    again = true
    asking ??= run().finally(() => {
      asking = undefined
    })
    await asking
  }

  /** For no caller who could be told that it failed. */
  async function askByItself(): Promise<void> {
    try {
      await ask()
      await settle()
      failed = false
    } catch (error) {
      if (!failed && !closed)
        log.warn({ err: error }, 'changes of users are not heard: the database fails')
      failed = true
    }
  }

  const schedule = (): void => {
    if (closed) return
    timer = setTimeout(() => void askByItself().finally(schedule), EVERY)
    timer.unref()
  }
  schedule()
  const stopListening = options.listen(() => void askByItself())

  return {
    ask,
    isTrusted: () => clock.monotonic() < trustedUntil,
    last: () => last,
    async close() {
      closed = true
      stopListening()
      clearTimeout(timer)
      await asking?.catch(() => undefined)
    },
  }
}
