/**
 * A person's own pages.
 *
 * Owns what people see and change of themselves. Does not own any of what it shows (sessions, the audit trail) nor
 * who asks (login's `visits`, in front of every route).
 *
 *   GET /settings                           to the first page
 *   GET, POST /settings/sessions            where one is signed in: list, end one, end all others
 *   GET, POST /settings/appearance          light or dark
 *   GET /settings/history                   own recent sign-ins and failures: ?before=<id>
 *   GET, DELETE /api/user/sessions[/{id}]   the same for scripts
 *   GET /api/user/history                   ?before=<id>, ?limit= up to 100
 *
 * A new page is a file in pages/ and a line in its index.ts.
 */
import type { FastifyPluginAsync } from 'fastify'
import type { Messages } from '../../http/messages.ts'
import type { Replies } from '../../http/replies.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Audit } from '../audit/index.ts'
import { type VisitsOptions, visits } from '../login/index.ts'
import { historyApi } from './history-api.ts'
import { pages, type SettingsPage } from './pages/index.ts'
import { createRoom } from './room.ts'
import { sessionsApi } from './sessions-api.ts'

/** The pages, in the order in which they are offered. */
export const ownPages: readonly Pick<SettingsPage, 'path' | 'title'>[] = pages

export interface SettingsOptions extends VisitsOptions {
  readonly audit: Pick<Audit, 'record' | 'list'>
  readonly replies: Replies
  readonly messages: Messages
  readonly clock: Clock
  /** Base path without a slash at its end; empty at the root. */
  readonly base: string
}

export const settings: FastifyPluginAsync<SettingsOptions> = async (app, options) => {
  const { replies, base } = options
  const room = createRoom(options)
  await app.register(visits, options)
  const [first] = pages
  // Who is not signed in is sent on from there.
  app.get('/settings', { config: { guard: 'public' } }, (_request, reply) =>
    replies.redirect(reply, `${base}/settings/${first.path}`, 302),
  )
  for (const { routes } of pages) await app.register(routes, { room })
  await app.register(sessionsApi, { room })
  await app.register(historyApi, { room })
}
