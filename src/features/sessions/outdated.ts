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
  const end = async (names: readonly string[]): Promise<void> => {
    // What is in force when it begins: a change that comes later is told once more.
    const marksNow = users.marks()
    const current = new Map<string, string>()
    for (const name of names) {
      const mark = marksNow.get(name)
      if (mark !== undefined) current.set(name, mark)
    }
    try {
      for (const name of names) {
        const count = await sessions.revokeUser(name)
        if (count > 0) ended(name, count)
      }
      await marks.settle(names, current)
    } catch (error) {
      log.error(
        { err: error },
        'sessions of changed users have not all ended; the next start tries again',
      )
    }
  }
  users.onInvalidated((names) => void end(names))
  const changed = marks.changed(users.marks())
  await marks.settle(
    marks.unsettled().filter((name) => !changed.includes(name)),
    users.marks(),
  )
  if (changed.length === 0) return
  await end(changed)
  log.warn(
    { users: changed.slice(0, 20), count: changed.length },
    'users were removed or their passwords changed while no server was there to see it: their sessions have ended',
  )
}
