import type { EpochMs } from '../../kernel/clock.ts'
import type { Session } from './session.ts'

/**
 * The ending of all sessions of some users, from the moment it is asked for until the store has done it. In between (and
 * for as long as the store fails) what the store still has of them counts for nothing.
 */
export interface Endings {
  /** Users whose sessions the store has not ended yet. */
  pending(): readonly string[]
  isPending(user: string): boolean
  /** Whether the session is one of those that are to end. */
  covers(session: Session): boolean
  /** Runs the ending; if `work` fails, it stays pending. */
  run<T>(users: ReadonlySet<string>, now: EpochMs, work: () => Promise<T>): Promise<T>
  /** @returns whether an ending began while `work` ran: what `work` stored may have come too late for it */
  watch(user: string, work: () => Promise<void>): Promise<boolean>
}

export function createEndings(): Endings {
  const since = new Map<string, { readonly at: EpochMs }>()
  const watchers = new Set<{ readonly user: string; ended: boolean }>()
  return {
    pending: () => [...since.keys()],
    isPending: (user) => since.has(user),
    covers({ user, createdAt }) {
      const ending = since.get(user)
      return ending !== undefined && createdAt <= ending.at
    },
    async run(users, now, work) {
      const ending = { at: now }
      for (const user of users) since.set(user, ending)
      for (const watcher of watchers) watcher.ended ||= users.has(watcher.user)
      const result = await work()
      // A later ending has more to do.
      for (const user of users) if (since.get(user) === ending) since.delete(user)
      return result
    },
    async watch(user, work) {
      const watcher = { user, ended: false }
      watchers.add(watcher)
      try {
        await work()
      } finally {
        watchers.delete(watcher)
      }
      return watcher.ended
    },
  }
}
