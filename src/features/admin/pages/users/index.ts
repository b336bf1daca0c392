import formbody from '@fastify/formbody'
import type { FastifyPluginAsync } from 'fastify'
import { readPairs } from '../../../../kernel/pairs.ts'
import type { AdminPage } from '../../page.ts'
import type { AdminServices } from '../../services.ts'
import { act } from './acts.ts'
import { add, showAddPage } from './add.ts'
import { askFinal, doFinal } from './final.ts'
import { showList } from './list.ts'
import { isOfUser, PATH } from './path.ts'
import { showUserPage } from './user.ts'

/** A thousand groups. */
const BODY_LIMIT = 64 * 1024

/** Users: all of them, and each by a page of their own. What a form does is an operation, as in the admin API. */
const routes: FastifyPluginAsync<{ readonly services: AdminServices }> = async (
  app,
  { services },
) => {
  await app.register(formbody, { bodyLimit: BODY_LIMIT, parser: readPairs })
  const reads = { config: { guard: 'admin' } } as const
  const writes = { config: { guard: 'elevated-admin' } } as const

  app.get(PATH, reads, (request, reply) => showList(services, request, reply))
  // Confirmed before the form is filled in: what was typed would be lost.
  app.get(`${PATH}/new`, writes, (request, reply) =>
    (isOfUser(request) ? showUserPage : showAddPage)(services, request, reply),
  )
  app.post(`${PATH}/new`, writes, (request, reply) =>
    (isOfUser(request) ? act : add)(services, request, reply),
  )
  app.get(`${PATH}/:username`, reads, (request, reply) => showUserPage(services, request, reply))
  app.post(`${PATH}/:username`, writes, (request, reply) => act(services, request, reply))
  for (const final of ['delete', 'factors'] as const) {
    const path = `${PATH}/:username/${final}`
    app.get(path, writes, (request, reply) => askFinal(services, request, reply, final))
    app.post(path, writes, (request, reply) => doFinal(services, request, reply, final))
  }
}

export const usersPage: AdminPage = { path: 'users', title: 'admin.users.title', routes }
