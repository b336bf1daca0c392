/** The commands about sessions, both ends of them: what the server does, and what the command line reads. */
import { z } from 'zod'
import type { Audit } from '../features/audit/index.ts'
import type { Command } from './server.ts'

/** Of features/sessions, what these commands need. */
interface SessionControl {
  list(user?: string): Promise<readonly SessionSource[]>
  revokeById(id: string): Promise<readonly string[]>
  revokeUser(user: string): Promise<number>
}
interface SessionSource {
  readonly id: string
  readonly domain: string
  readonly user: string
  readonly factors: readonly { readonly kind: string }[]
  readonly createdAt: number
  readonly lastSeen: number
  readonly expiresAt: number
  readonly remembered: boolean
  readonly address: string
  readonly userAgent: string
}

/** A session as the command line sees it; times in milliseconds since the epoch. Never its key, let alone its cookie. */
const sessionRow = z.object({
  id: z.string(),
  domain: z.string(),
  user: z.string(),
  factors: z.array(z.string()),
  createdAt: z.number(),
  lastSeen: z.number(),
  expiresAt: z.number(),
  remembered: z.boolean(),
  address: z.string(),
  userAgent: z.string(),
})
export type SessionRow = z.infer<typeof sessionRow>
export const sessionRows = z.array(sessionRow)
export const revoked = z.object({ revoked: z.number(), unknown: z.array(z.string()) })

const name = z.string().min(1).max(256)
const listArgs = z.strictObject({ user: name.optional() })
const revokeArgs = z.union([
  z.strictObject({ ids: z.array(name).min(1).max(1000) }),
  z.strictObject({ user: name }),
  z.strictObject({ all: z.literal(true) }),
])
export type ListArgs = z.infer<typeof listArgs>
export type RevokeArgs = z.infer<typeof revokeArgs>

export function sessionCommands(
  sessions: SessionControl,
  audit: Pick<Audit, 'record'>,
): Readonly<Record<string, Command>> {
  const note = (user: string, count: number): void => {
    if (count === 0) return
    const details = { sessions: count, reason: 'asked' } as const
    audit.record('session.revoked', { user, actor: 'operator', details })
  }
  return {
    'sessions.list': async (args): Promise<SessionRow[]> => {
      const { user } = listArgs.parse(args)
      // Read field by field: what a session holds besides must not leave.
      return (await sessions.list(user)).map((session) =>
        sessionRow.parse({ ...session, factors: session.factors.map(({ kind }) => kind) }),
      )
    },
    'sessions.revoke': async (args): Promise<z.infer<typeof revoked>> => {
      const asked = revokeArgs.parse(args)
      if ('user' in asked) {
        const count = await sessions.revokeUser(asked.user)
        note(asked.user, count)
        return { revoked: count, unknown: [] }
      }
      const owners = new Map((await sessions.list()).map(({ id, user }) => [id, user]))
      const ids = 'ids' in asked ? asked.ids : [...owners.keys()]
      // Each takes those with it that are linked with it on other domains.
      const ended = new Set<string>()
      const counts = new Map<string, number>()
      const unknown: string[] = []
      for (const id of ids) {
        if (ended.has(id)) continue
        const gone = await sessions.revokeById(id)
        if (gone.length === 0) unknown.push(id)
        for (const one of gone) ended.add(one)
        const user = owners.get(id) ?? ''
        counts.set(user, (counts.get(user) ?? 0) + gone.length)
      }
      for (const [user, count] of counts) note(user, count)
      // Of "all", one that ended meanwhile is no mistake of the caller's.
      return { revoked: ended.size, unknown: 'ids' in asked ? unknown : [] }
    },
  }
}
