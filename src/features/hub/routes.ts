import formbody from '@fastify/formbody'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { AppError } from '../../kernel/errors.ts'
import { readPairs } from '../../kernel/pairs.ts'
import {
  contextOf,
  FORM_LIMIT,
  isPageNavigation,
  logFieldsOf,
  portalContexts,
  textFields,
} from '../portal/index.ts'
import type { Hub } from './hub.ts'
import { below } from './redirects.ts'
import { createReturn } from './return.ts'
import { createStations, type HubRoutesOptions, JUST_SIGNED_IN } from './stations.ts'
import { beginTransaction } from './transaction.ts'

type HubPluginOptions = Omit<HubRoutesOptions, 'hub'> & {
  /** Undefined where each cookie domain signs in for itself. */
  readonly hub: Hub | undefined
}

/**
 * The stations between the portals. Each answers with a redirect; a code is in the address of one of them alone, and that
 * address loads nothing.
 */
export const hubRoutes: FastifyPluginAsync<HubPluginOptions> = async (app, { hub, ...rest }) => {
  if (hub === undefined) return
  const options: HubRoutesOptions = { ...rest, hub }
  const { clock, log } = options
  const stations = createStations(options)
  const { carriedIn, go, member, isHub, backTo, home } = stations

  await app.register(portalContexts, options)
  await app.register(formbody, { bodyLimit: FORM_LIMIT, parser: readPairs })

  app.addHook('onRequest', async function onlyBrowsers(request) {
    // A form that is posted comes from a page of ours: portalContexts refuses all others.
    if (request.method !== 'POST' && !isPageNavigation(request)) throw new AppError('NOT_FOUND')
  })
  app.addHook('onSend', async function hidesTheAddress(_request, reply) {
    // A form that is sent from a page without one has no Origin either.
    reply.header('Referrer-Policy', reply.statusCode === 200 ? 'same-origin' : 'no-referrer')
  })
  // Fail closed, and let people go on: where sessions cannot be looked at, the form of the portal they came from.
  app.setErrorHandler(function leadsBackToTheForm(error, request, reply) {
    const query = textFields(request.query)
    const began = member(query['for'] ?? query['with'] ?? query['from'])
    const unavailable = error instanceof AppError && error.code === 'STORE_UNAVAILABLE'
    if (!unavailable || began === undefined) throw error
    log.error(
      { ...logFieldsOf(request), cause: String(error.cause ?? '') },
      'the way through the hub is closed: a store does not answer',
    )
    const carried = carriedIn(query)
    // Back from the hub, the portal is this one; asked by the hub, this one cannot be looked at either.
    if (isHub(began)) return go(reply, home(carried))
    return go(reply, backTo(began, carried, query['for'] === undefined))
  })

  app.get('/hub/vouch', { config: { guard: 'public' } }, async (request, reply) => {
    const query = textFields(request.query)
    const carried = carriedIn(query)
    const { identity, domain } = contextOf(request)
    const to = member(query['for'])
    const stateHash = query['state'] ?? ''
    if (to === undefined || to.domain === domain) throw new AppError('NOT_FOUND')
    const code =
      identity === undefined ? undefined : await hub.vouch(identity.session, to, stateHash)
    if (code !== undefined) {
      const more = { from: domain.domain, state: stateHash, code }
      return go(reply, below(to, 'hub/return', carried, more))
    }
    return go(reply, isHub(to) ? home(carried, JUST_SIGNED_IN) : backTo(to, carried))
  })

  const comeBack = createReturn(options, stations)
  app.get('/hub/return', { config: { guard: 'public' } }, (request, reply) =>
    comeBack(request, reply, textFields(request.query), false),
  )
  app.post('/hub/return', { config: { guard: 'public' } }, (request, reply) =>
    comeBack(request, reply, textFields(request.body), true),
  )

  app.get('/hub/join', { config: { guard: 'public' } }, (request: FastifyRequest, reply) => {
    const query = textFields(request.query)
    const carried = carriedIn(query)
    const { domain, host } = contextOf(request)
    const other = member(query['with'])
    const isHere = hub.memberAt(domain, host) === hub.hub
    if (other === undefined || isHub(other) || !isHere) throw new AppError('NOT_FOUND')
    const { stateHash, cookie } = beginTransaction(clock.now())
    const more = { for: hub.hub.domain.domain, state: stateHash }
    return go(reply, below(other, 'hub/vouch', carried, more), [cookie])
  })
}
