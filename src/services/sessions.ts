import type { Audit } from '../features/audit/index.ts'
import {
  createSessions,
  endOutdatedSessions,
  type SessionStore,
  type Sessions,
} from '../features/sessions/index.ts'
import type { openPasswordMarks, Users } from '../features/users/index.ts'
import type { Secret } from '../kernel/secret.ts'
import type { Resources } from './resources.ts'

interface SessionsBase extends Pick<Resources, 'config' | 'clock' | 'log'> {
  readonly audit: Audit
  readonly users: Users
  readonly marks: ReturnType<typeof openPasswordMarks>
  readonly secrets: readonly Secret[]
  readonly sessionStore: SessionStore
}

/** Ends what users who changed while no server ran had open. */
export async function openSessions(base: SessionsBase): Promise<Sessions> {
  const { config, clock, log, audit, users, marks, secrets, sessionStore: store } = base
  const revoked = (user: string, count: number): void => {
    const details = { sessions: count, reason: 'user-changed' } as const
    audit.record('session.revoked', { user, actor: 'system', details })
  }
  const sessions = createSessions({
    ...{ config: config['session'], cacheSize: config['session'].cache_size },
    ...{ store, secrets, users, onRemoved: revoked, clock, log },
  })
  try {
    await endOutdatedSessions({ users, sessions, marks, ended: revoked, log })
  } catch (error) {
    await sessions.close()
    throw error
  }
  return sessions
}
