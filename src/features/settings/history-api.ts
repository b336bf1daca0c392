import type { FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import { okBody } from '../../http/replies.ts'
import type { AuditEvent } from '../audit/index.ts'
import { ownerOf } from '../portal/index.ts'
import { SHOWN } from './pages/history.ts'
import type { SettingsServices } from './services.ts'

/** Whatever else stands in a query is as if it were not there. */
const Query = z.object({
  before: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .optional()
    .catch(undefined),
  limit: z.coerce.number().int().min(1).max(100).catch(25),
})

/** What scripts may know of their owner's sign-ins and failures. */
export const historyApi: FastifyPluginAsync<{ readonly services: SettingsServices }> = async (
  app,
  { services },
) => {
  const { audit, replies } = services
  app.get('/api/user/history', { config: { guard: 'user' } }, async (request, reply) => {
    const { before, limit } = Query.parse(request.query)
    const user = ownerOf(request).profile.name
    const events = (await audit.list({ user, names: SHOWN, before, limit })) ?? []
    return replies.json(reply, okBody(events.map(told)))
  })
}

const told = ({ id, time, name, address, userAgent, details }: AuditEvent) => ({
  id,
  time: new Date(time).toISOString(),
  event: name,
  address,
  user_agent: userAgent,
  details,
})
