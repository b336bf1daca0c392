import { setImmediate as nextTurn } from 'node:timers/promises'
import type { EpochMs } from '../../kernel/clock.ts'
import type { CookieDomain } from './cookie-domain.ts'
import type { Session } from './session.ts'

/** Written in one transaction: some milliseconds of work, then others get their turn. */
const BATCH = 200
/** How often the last use is written where no inactivity limit depends on it. Milliseconds. */
const RELAXED = 60_000
/** The promise is a tenth; the rest of it is for a timer that comes late and for the write itself. */
const SHARE = 12

/**
 * Writes the last use of sessions now and then: at most a tenth of the shortest inactivity limit later, many in one
 * transaction. A crash loses what was not written yet, which can only shorten a session.
 */
export interface LastSeen {
  /** Notes that the session was used. On the verify path. */
  note(session: Session): void
  /** The last use that is not written yet. */
  unwritten(key: string): EpochMs | undefined
  /** The session is over: nothing more is to be written. */
  drop(key: string): void
  dropUsers(users: ReadonlySet<string>): void
  /** Writes all that is noted; what could not be written stays noted. */
  flush(): Promise<void>
  /** Flushes a last time. */
  close(): Promise<void>
}

export interface LastSeenOptions {
  readonly domains: readonly CookieDomain[]
  readonly write: (sessions: readonly Session[]) => Promise<void>
  /** A write failed; it is tried again at the next flush. */
  readonly failed: (error: unknown) => void
}

export function createLastSeen({ domains, write, failed }: LastSeenOptions): LastSeen {
  const limits = domains.map(({ inactivity }) => inactivity).filter((limit) => limit > 0)
  const delay = Math.floor(Math.min(RELAXED, ...limits.map((limit) => limit / SHARE)))
  const noted = new Map<string, Session>()
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> = Promise.resolve()

  const note = (session: Session): void => {
    if (noted.get(session.key) === session) return
    noted.set(session.key, session)
    timer ??= setTimeout(() => {
      timer = undefined
      void flush()
    }, delay).unref()
  }
  const writeAll = async (): Promise<void> => {
    // What is used again meanwhile waits for the next round.
    const sessions = [...noted.values()]
    noted.clear()
    for (let at = 0; at < sessions.length; at += BATCH) {
      try {
        await write(sessions.slice(at, at + BATCH))
      } catch (error) {
        failed(error)
        for (const session of sessions.slice(at)) if (!noted.has(session.key)) note(session)
        return
      }
      await nextTurn()
    }
  }
  const flush = (): Promise<void> => {
    // One at a time: an older flush must not overwrite what a newer one wrote.
    running = running.then(writeAll)
    return running
  }

  return {
    note,
    unwritten: (key) => noted.get(key)?.lastSeen,
    drop(key) {
      noted.delete(key)
    },
    dropUsers(users) {
      for (const [key, { user }] of noted) if (users.has(user)) noted.delete(key)
    },
    flush,
    async close() {
      clearTimeout(timer)
      await flush()
    },
  }
}
