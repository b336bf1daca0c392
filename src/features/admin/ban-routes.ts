import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { readJson, takeTextBodies } from '../../http/json-body.ts'
import { okBody, type Replies } from '../../http/replies.ts'
import { parseDuration } from '../../kernel/duration.ts'
import { AppError } from '../../kernel/errors.ts'
import { contextOf } from '../portal/index.ts'
import type { Ban, BanDesk, NewBan } from '../throttle/index.ts'

const BODY_LIMIT = 64 * 1024
/** What the command line bans for, too. */
const DAY = 86_400_000

const name = z.string().min(1).max(320)
const NewBanBody = z
  .strictObject({
    user: name.optional(),
    address: name.optional(),
    reason: z.string().max(200).default(''),
    /** As in the configuration: `1h`, or seconds. */
    duration: z.union([z.string().max(100), z.number()]).optional(),
    permanent: z.boolean().default(false),
  })
  .refine(({ user, address }) => (user === undefined) !== (address === undefined))
  .refine(({ duration, permanent }) => duration === undefined || !permanent)
const LiftBody = z.union([
  z.strictObject({ ids: z.array(name).min(1).max(1000) }),
  z.strictObject({ user: name }),
  z.strictObject({ address: name }),
])

/** Times as ISO 8601. */
const shown = ({ id, kind, name, source, reason, by, createdAt, expiresAt }: Ban) => ({
  id,
  kind,
  name,
  source,
  reason,
  by,
  created_at: new Date(createdAt).toISOString(),
  expires_at: expiresAt === undefined ? null : new Date(expiresAt).toISOString(),
})

export const banRoutes: FastifyPluginAsync<{
  readonly bans: BanDesk
  readonly replies: Replies
}> = async (app, { bans, replies }) => {
  takeTextBodies(app, BODY_LIMIT)
  const config = { guard: 'admin' } as const

  app.get('/api/admin/bans', { config }, async (_request, reply) =>
    replies.json(reply, okBody((await bans.list()).map(shown))),
  )

  app.post('/api/admin/bans', { config }, async (request, reply) => {
    const { user, address, reason, duration, permanent } = readJson(request.body, NewBanBody)
    const length = duration === undefined ? DAY : parseDuration(duration)
    if (length === undefined) throw new AppError('BODY_INVALID', { reason: 'no duration' })
    const ban = await bans.add({
      ...subjectOf({ user, address }),
      reason,
      duration: permanent ? undefined : length,
      by: nameOf(request),
    })
    return replies.json(reply, okBody(shown(ban)))
  })

  app.delete<{ Params: { id: string } }>(
    '/api/admin/bans/:id',
    { config },
    async (request, reply) => {
      const lifted = await bans.lift([request.params.id], nameOf(request))
      if (lifted.length === 0) throw new AppError('NOT_FOUND')
      return replies.json(reply, okBody())
    },
  )

  app.delete('/api/admin/bans', { config }, async (request, reply) => {
    const asked = readJson(request.body, LiftBody)
    const by = nameOf(request)
    const lifted = await ('ids' in asked
      ? bans.lift(asked.ids, by)
      : bans.liftSubject({ ...subjectOf(asked), by }))
    return replies.json(reply, okBody({ lifted: lifted.map(shown) }))
  })
}

const nameOf = (request: FastifyRequest): string => contextOf(request).identity?.profile.name ?? ''

/** One of the two is there. */
function subjectOf(given: {
  readonly user?: string | undefined
  readonly address?: string | undefined
}): Pick<NewBan, 'kind' | 'name'> {
  if (given.user !== undefined) return { kind: 'user', name: given.user }
  return { kind: 'address', name: given.address ?? '' }
}
