import type { Storage } from '../../../../storage/index.ts'

/** Ending the sessions of users takes less; after a kill within it, the next start ends them again. Milliseconds. */
const SETTLED = 10_000

/**
 * Up to which change this instance has ended the sessions that had to end, kept in the embedded file. It lags behind: what was
 * told a moment ago is told again at the next start.
 */
export function openPosition({ sqlite, write }: Pick<Storage, 'sqlite' | 'write'>) {
  const row = sqlite.prepare('select max(id) as id from user_changes_done').get()
  const found = row?.['id']
  const clear = sqlite.prepare('delete from user_changes_done')
  const insert = sqlite.prepare('insert into user_changes_done (id) values (?)')
  const waiting: { readonly id: number; readonly at: number }[] = []

  return {
    /** Undefined: this instance has not seen any. */
    done: typeof found === 'number' ? found : undefined,
    reached(id: number, now: number): void {
      waiting.push({ id, at: now })
    },
    async settle(now: number): Promise<void> {
      let settled: number | undefined
      while (waiting[0] !== undefined && waiting[0].at <= now - SETTLED)
        settled = waiting.shift()?.id
      if (settled === undefined) return
      const done = settled
      await write(() => {
        clear.run()
        insert.run(done)
      })
    },
  }
}
