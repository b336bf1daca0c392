/** What may be asked of sessions. A leaf: the command line loads it without the rest of the feature. */
import { z } from 'zod'
import { defineOperation } from '../../kernel/operation.ts'
import type { Audit } from '../audit/index.ts'

/** Of the sessions and the audit trail, what is needed here. */
interface Services {
  readonly sessions: {
    list(user?: string): Promise<readonly SessionSource[]>
    revokeById(id: string): Promise<readonly string[]>
    revokeUser(user: string): Promise<number>
  }
  readonly audit: Pick<Audit, 'record'>
}
interface SessionSource extends Omit<SessionRow, 'factors'> {
  readonly factors: readonly { readonly kind: string }[]
}

/** Times in milliseconds since the epoch. Never the session's key or its cookie. */
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

const name = z.string().min(1).max(256)

export const listSessions = defineOperation({
  name: 'sessions.list',
  summary: 'list sessions',
  who: 'operator',
  input: z.strictObject({ user: name.optional() }),
  output: z.array(sessionRow),
  audits: [],
  run: async ({ sessions }: Services, { user }) =>
    (await sessions.list(user)).map((session) => ({
      ...session,
      factors: session.factors.map(({ kind }) => kind),
    })),
})

export const revokeSessions = defineOperation({
  name: 'sessions.revoke',
  summary: 'end sessions: by id, of a user, or all',
  who: 'admin',
  http: [
    {
      ...{ method: 'DELETE', path: '/api/admin/users/:username/sessions', elevated: true },
      request: z
        .object({ params: z.object({ username: name }) })
        .transform(({ params }) => ({ user: params.username })),
      answer: ({ revoked }) => ({ revoked }),
    },
  ],
  input: z.union([
    z.strictObject({ ids: z.array(name).min(1).max(1000) }),
    z.strictObject({ user: name }),
    z.strictObject({ all: z.literal(true) }),
  ]),
  output: z.object({ revoked: z.number(), unknown: z.array(z.string()) }),
  audits: ['session.revoked'],
  async run({ sessions, audit }: Services, asked, { actor }) {
    const record = (user: string, count: number): void => {
      if (count === 0) return
      const details = { sessions: count, reason: 'asked' } as const
      audit.record('session.revoked', { user, actor, details })
    }
    if ('user' in asked) {
      const count = await sessions.revokeUser(asked.user)
      record(asked.user, count)
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
    for (const [user, count] of counts) record(user, count)
    // Of "all", one that ended meanwhile is no mistake of the caller's.
    return { revoked: ended.size, unknown: 'ids' in asked ? unknown : [] }
  },
})

export const sessionOperations = [listSessions, revokeSessions] as const
