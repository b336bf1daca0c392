import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../../kernel/errors.ts'
import {
  carriedFields,
  contextOf,
  createRendering,
  formDestinations,
  logFieldsOf,
  type RequestContext,
} from '../portal/index.ts'
import type { Session } from '../sessions/index.ts'
import type { Member } from './hub.ts'
import { takeOverPage } from './pages.ts'
import type { HubRoutesOptions, Stations } from './stations.ts'
import { cookieNameOf, endTransactions, pendingTransactions } from './transaction.ts'

/** A browser is back from the other portal: a linked session begins, or its owner is asked first. */
export function createReturn(options: HubRoutesOptions, stations: Stations) {
  const { hub, sessions, throttle, base } = options
  const { carriedIn, go, member, isHub, backTo, home } = stations
  const { show } = createRendering(options)
  const formAction = formDestinations(
    sessions.domains.map(({ domain }) => domain),
    undefined,
  )

  /** @param confirmed the browser's owner has said yes to the question */
  return async (
    request: FastifyRequest,
    reply: FastifyReply,
    query: Readonly<Record<string, string>>,
    confirmed: boolean,
  ): Promise<FastifyReply> => {
    const carried = carriedIn(query)
    const context = contextOf(request)
    const at = hub.memberAt(context.domain, context.host)
    const from = member(query['from'])
    if (at === undefined || from === undefined) throw new AppError('NOT_FOUND')
    const stateHash = query['state'] ?? ''
    const pending = pendingTransactions(request.headers.cookie)
    const accepted = await hub.accept(query['code'] ?? '', {
      stateHash,
      pending,
      at,
      address: context.address,
      userAgent: context.userAgent,
      replaces: context.cookies,
      confirmed,
      isForeign: async (user) => {
        const known = await throttle.devices.recognise(context.devices)
        return known.length > 0 && !known.some((device) => device.user === user)
      },
    })
    if (accepted !== undefined && accepted !== 'kept' && 'code' in accepted) {
      const { user, code } = accepted
      const fields = {
        ...{ from: from.domain.domain, state: stateHash, code, rd: '', rm: '' },
        ...carriedFields(carried),
      }
      const other = home(carried)
      return show(request, reply, (t) => takeOverPage(t, { user, fields, other, formAction, base }))
    }
    const name = cookieNameOf(stateHash)
    const cookies = pending.has(name) ? endTransactions([name]) : []
    if (accepted !== undefined && accepted !== 'kept') {
      const { cookie, session } = accepted
      cookies.push(cookie)
      if (confirmed) cookies.push(...(await remember(options, session.user, at, context)))
      report(options, session, { from, at }, request)
    }
    return go(reply, isHub(at) ? backTo(from, carried, true) : home(carried), cookies)
  }
}

/** A browser whose owner has said yes once is known: there is no second question. */
async function remember(
  { throttle, audit }: HubRoutesOptions,
  user: string,
  { domain }: Member,
  { devices, address, userAgent }: RequestContext,
): Promise<string[]> {
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

function report(
  { audit, log }: HubRoutesOptions,
  { user }: Session,
  { from, at }: { readonly from: Member; readonly at: Member },
  request: FastifyRequest,
): void {
  const { address, userAgent } = contextOf(request)
  audit.record('session.linked', {
    ...{ user, actor: `user:${user}`, address, userAgent },
    requestId: request.id,
    details: { from: from.domain.domain, to: at.domain.domain },
  })
  log.debug(
    { ...logFieldsOf(request), remote_ip: address },
    `The sign-in of user '${user}' at ${from.domain.domain} was taken over`,
  )
}
