import formbody from '@fastify/formbody'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { EpochMs } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import { readPairs } from '../../kernel/pairs.ts'
import { isSafeRedirect } from '../../kernel/redirect.ts'
import { arrive, depart, type Hub, type Member, nameOf, tripsUnderWay } from '../hub/index.ts'
import { type Carried, readCarried, textFields, withCarried } from './carried.ts'
import { formDestinations } from './form-destinations.ts'
import { isPageVisit } from './page-visit.ts'
import { takeOverPage } from './pages.ts'
import { BODY_LIMIT, type Portal } from './portal.ts'
import type { Visit } from './visit.ts'

/** In the query of `/`: the way through the hub is behind, whatever came of it. */
export const BEEN = { hub: '' } as const
const JUST_SIGNED_IN = { 'signed-in': '' } as const

/** A redirect that begins or ends a trip. */
export interface Way {
  readonly location: string
  readonly cookies: readonly string[]
}

/** `path` below the member's portal. */
const below = (
  { portalUrl }: Member,
  path: string,
  carried: Carried,
  more: Readonly<Record<string, string>>,
): string => `${portalUrl.origin}${withCarried(`${portalUrl.pathname}${path}`, carried, more)}`

/**
 * The way of somebody who opens a member's portal and is not signed in there: once to the hub, before they see the form.
 * @returns undefined when they stay here: nobody but a person's browser is sent, and not while a trip has not come back
 */
export function wayToHub(
  hub: Hub | undefined,
  request: FastifyRequest,
  visit: Visit,
  carried: Carried,
  now: EpochMs,
): Way | undefined {
  const at = memberOf(hub, request, visit)
  if (hub === undefined || at === undefined) return undefined
  const { stateHash, cookie } = depart(now)
  const more = { for: at.domain.domain, state: stateHash }
  return { location: below(hub.hub, 'hub/vouch', carried, more), cookies: [cookie] }
}

/** The way of somebody who has just signed in at a member's portal: once through the hub, so that it knows them too. */
export function wayThroughHub(
  hub: Hub | undefined,
  request: FastifyRequest,
  visit: Visit,
  carried: Carried,
): Way | undefined {
  const at = memberOf(hub, request, visit)
  const session = visit.identity?.session
  if (hub === undefined || at === undefined || session === undefined) return undefined
  if (!hub.isFresh(session)) return undefined
  return { location: below(hub.hub, 'hub/join', carried, { with: at.domain.domain }), cookies: [] }
}

/** The member, other than the hub, whose portal the browser is at with no trip under way. */
function memberOf(
  hub: Hub | undefined,
  request: FastifyRequest,
  { domain, host }: Visit,
): Member | undefined {
  if (hub === undefined || domain === hub.hub.domain || !isPageVisit(request)) return undefined
  if (tripsUnderWay(request.headers.cookie).size > 0) return undefined
  return hub.memberAt(domain, host)
}

/** Whether a tab of this browser is on its way, and may be signed in in a moment. */
export const isAway = (request: FastifyRequest): boolean =>
  !Object.hasOwn(request.query as object, 'hub') && // Fastify's parser gives an object for every query.
  tripsUnderWay(request.headers.cookie).size > 0

/** Of a browser that is back from the hub, in whatever way: the trips that need not be remembered any more. */
export const tripsOver = (request: FastifyRequest): string[] =>
  arrive(tripsUnderWay(request.headers.cookie).keys())

/**
 * The stations between the portals. Each answers with a redirect; a code is in the address of one of them alone, which
 * nothing is loaded from.
 *
 *   GET /hub/vouch?for&state         here somebody may be signed in: back with a code, or without
 *   GET /hub/return?from&state&code  back from there: a linked session, and on to the portal; or first a question, when the
 *                                    browser is known to be somebody else's
 *   POST /hub/return                 the answer
 *   GET /hub/join?with               the hub: ask the member where somebody has just signed in
 */
export const hubRoutes: FastifyPluginAsync<{
  readonly portal: Portal
  readonly hub: Hub
}> = async (app, { portal, hub }) => {
  const { visitOf, replies, messages, throttle, clock, base, domains, log, audit, where } = portal
  const home = `${base}/`

  await app.register(formbody, { bodyLimit: BODY_LIMIT, parser: readPairs })
  const formAction = formDestinations(domains, undefined)

  const carriedIn = (fields: unknown): Carried => {
    const { rd, rm } = readCarried(fields)
    // Judged at every station (measure 15): the way between the portals is no way to anywhere else.
    return isSafeRedirect(rd, domains) ? { rd, rm } : { rd: '', rm: '' }
  }
  const go = (reply: FastifyReply, location: string, cookies: readonly string[] = []) => {
    if (cookies.length > 0) reply.header('Set-Cookie', [...cookies])
    return replies.redirect(reply, location, reply.request.method === 'POST' ? 303 : 302)
  }
  /** The portal where the trip began, seen from the hub; its form, or on from there. */
  const backTo = (member: Member, carried: Carried, signedIn = false): string =>
    below(member, '', carried, { ...(signedIn && JUST_SIGNED_IN), ...BEEN })
  const member = (name: string | undefined): Member | undefined =>
    name === undefined ? undefined : hub.member(name)
  const isHub = (one: Member): boolean => one === hub.hub

  app.addHook('onRequest', async function forPeopleAlone(request) {
    // A form that is posted comes from a page of ours: visits.ts refuses all others.
    if (request.method !== 'POST' && !isPageVisit(request)) throw new AppError('NOT_FOUND')
  })
  app.addHook('onSend', async function saysNothingOfTheWay(_request, reply) {
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
      { ...where(request), cause: String(error.cause ?? '') },
      'the way through the hub is closed: a store does not answer',
    )
    const carried = carriedIn(query)
    // Back from the hub, the portal is this one; asked by the hub, this one cannot be looked at either.
    if (isHub(began)) return go(reply, withCarried(home, carried, BEEN))
    return go(reply, backTo(began, carried, query['for'] === undefined))
  })

  app.get('/hub/vouch', { config: { guard: 'public' } }, async (request, reply) => {
    const query = textFields(request.query)
    const carried = carriedIn(query)
    const { identity, domain } = visitOf(request)
    const to = member(query['for'])
    const stateHash = query['state'] ?? ''
    if (to === undefined || to.domain === domain) throw new AppError('NOT_FOUND')
    const code =
      identity === undefined ? undefined : await hub.vouch(identity.session, to, stateHash)
    if (code !== undefined) {
      const more = { from: domain.domain, state: stateHash, code }
      return go(reply, below(to, 'hub/return', carried, more))
    }
    return isHub(to)
      ? go(reply, withCarried(home, carried, { ...JUST_SIGNED_IN, ...BEEN }))
      : go(reply, backTo(to, carried))
  })

  /** @param confirmed the browser's owner has said yes to the question */
  const comeBack = async (
    request: FastifyRequest,
    reply: FastifyReply,
    query: Readonly<Record<string, string>>,
    confirmed: boolean,
  ) => {
    const carried = carriedIn(query)
    const visit = visitOf(request)
    const at = hub.memberAt(visit.domain, visit.host)
    const from = member(query['from'])
    if (at === undefined || from === undefined) throw new AppError('NOT_FOUND')
    const stateHash = query['state'] ?? ''
    const trips = tripsUnderWay(request.headers.cookie)
    const started = await hub.accept(query['code'] ?? '', {
      stateHash,
      trips,
      at,
      address: visit.address,
      userAgent: visit.userAgent,
      replaces: visit.cookies,
      confirmed,
      isForeign: async (user) => {
        const known = await throttle.devices.recognise(visit.devices)
        return known.length > 0 && !known.some((device) => device.user === user)
      },
    })
    if (started !== undefined && started !== 'kept' && 'code' in started) {
      const { t } = messages.negotiate(request.headers['accept-language'])
      const { user, code } = started
      const fields = { from: from.domain.domain, state: stateHash, code, ...carried }
      const other = withCarried(home, carried, BEEN)
      const page = takeOverPage(t, { user, fields, other, formAction, base })
      return replies.page(request, reply, page)
    }
    const cookies = trips.has(nameOf(stateHash)) ? arrive([nameOf(stateHash)]) : []
    if (started !== undefined && started !== 'kept') {
      cookies.push(started.cookie)
      const { user } = started.session
      if (confirmed) cookies.push(...(await remember(user, at, visit)))
      audit.record('session.linked', {
        ...{ user, actor: `user:${user}`, address: visit.address, userAgent: visit.userAgent },
        requestId: request.id,
        details: { from: from.domain.domain, to: at.domain.domain },
      })
      log.debug(
        { ...where(request), remote_ip: visit.address },
        `The sign-in of user '${user}' at ${from.domain.domain} was taken over`,
      )
    }
    const location = isHub(at) ? backTo(from, carried, true) : withCarried(home, carried, BEEN)
    return go(reply, location, cookies)
  }

  /** Who has said yes once is not asked again. */
  const remember = async (user: string, { domain }: Member, visit: Visit): Promise<string[]> => {
    const { devices, address, userAgent } = visit
    const known = await throttle.devices.remember({
      ...{ user, domain, address, userAgent },
      values: devices,
    })
    if (known?.isNew)
      audit.record('device.added', {
        ...{ user, actor: `user:${user}`, address, userAgent },
        details: { device: known.device },
      })
    return known === undefined ? [] : [known.cookie]
  }

  app.get('/hub/return', { config: { guard: 'public' } }, (request, reply) =>
    comeBack(request, reply, textFields(request.query), false),
  )
  app.post('/hub/return', { config: { guard: 'public' } }, (request, reply) =>
    comeBack(request, reply, textFields(request.body), true),
  )

  app.get('/hub/join', { config: { guard: 'public' } }, (request, reply) => {
    const query = textFields(request.query)
    const carried = carriedIn(query)
    const { domain, host } = visitOf(request)
    const other = member(query['with'])
    const isHere = hub.memberAt(domain, host) === hub.hub
    if (other === undefined || isHub(other) || !isHere) throw new AppError('NOT_FOUND')
    const { stateHash, cookie } = depart(clock.now())
    const more = { for: hub.hub.domain.domain, state: stateHash }
    return go(reply, below(other, 'hub/vouch', carried, more), [cookie])
  })
}
