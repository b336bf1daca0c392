import type { BaseLogger } from 'pino'
import type { PasswordMarks, Users } from '../users/index.ts'

/**
 * Ends the sessions of users who were removed, or whose password changed, while no server ran or just before one was
 * killed; and notes from now on whose sessions have ended. A server that sees a change ends them at once: this is for
 * changes that no server saw, and for those after which a server was killed before all of it was done.
 */
export async function endOutdatedSessions({
  users,
  sessions,
  marks,
  ended,
  log,
}: {
  readonly users: Pick<Users, 'marks' | 'onInvalidated'>
  readonly sessions: { revokeUser(user: string): Promise<number> }
  readonly marks: PasswordMarks
  /** Told of each user whose sessions have ended. @param count at least one */
  readonly ended: (user: string, count: number) => void
  readonly log: Pick<BaseLogger, 'warn' | 'error'>
}): Promise<void> {
  const changed = await marks.follow(
    users,
    async (name) => {
      const count = await sessions.revokeUser(name)
      if (count > 0) ended(name, count)
    },
    (error) =>
      log.error(
        { err: error },
        'sessions of changed users have not all ended; the next start tries again',
      ),
  )
  if (changed.length === 0) return
  log.warn(
    { users: changed.slice(0, 20), count: changed.length },
    'users were removed or their passwords changed while no server was there to see it: their sessions have ended',
  )
}
