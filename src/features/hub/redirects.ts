import type { FastifyRequest } from 'fastify'
import type { EpochMs } from '../../kernel/clock.ts'
import {
  type Carried,
  isPageNavigation,
  type RequestContext,
  withCarried,
} from '../portal/index.ts'
import type { Hub, Member } from './hub.ts'
import { beginTransaction, endTransactions, pendingTransactions } from './transaction.ts'

/** In the query of `/`: the browser was at the hub, with whatever result. */
export const HUB_DONE = { hub: '' } as const

/** A redirect that begins a transaction, or leads to one. */
export interface HubRedirect {
  readonly location: string
  readonly cookies: readonly string[]
}

/** `path` below the member's portal. */
export const below = (
  { portalUrl }: Member,
  path: string,
  carried: Carried,
  more: Readonly<Record<string, string>>,
): string => `${portalUrl.origin}${withCarried(`${portalUrl.pathname}${path}`, carried, more)}`

/**
 * The way of a user who opens a member's portal and is not signed in there: once to the hub, before the form is shown.
 * @returns undefined when they stay here: only a browser that opens a page is sent, and only while no transaction is pending
 */
export function redirectToHub(
  hub: Hub | undefined,
  request: FastifyRequest,
  context: RequestContext,
  carried: Carried,
  now: EpochMs,
): HubRedirect | undefined {
  const at = memberOf(hub, request, context)
  if (hub === undefined || at === undefined) return undefined
  const { stateHash, cookie } = beginTransaction(now)
  const more = { for: at.domain.domain, state: stateHash }
  return { location: below(hub.hub, 'hub/vouch', carried, more), cookies: [cookie] }
}

/** The way of a user who has just signed in at a member's portal: once through the hub, so that it has a session too. */
export function redirectThroughHub(
  hub: Hub | undefined,
  request: FastifyRequest,
  context: RequestContext,
  carried: Carried,
): HubRedirect | undefined {
  const at = memberOf(hub, request, context)
  const session = context.identity?.session
  if (hub === undefined || at === undefined || session === undefined) return undefined
  if (!hub.isFresh(session)) return undefined
  return { location: below(hub.hub, 'hub/join', carried, { with: at.domain.domain }), cookies: [] }
}

/** The member, other than the hub, whose portal the browser is at with no transaction pending. */
function memberOf(
  hub: Hub | undefined,
  request: FastifyRequest,
  { domain, host }: RequestContext,
): Member | undefined {
  if (hub === undefined || domain === hub.hub.domain || !isPageNavigation(request)) return undefined
  if (pendingTransactions(request.headers.cookie).size > 0) return undefined
  return hub.memberAt(domain, host)
}

/** Whether another tab of this browser is on its way to the hub, and may be signed in in a moment. */
export const hasPendingTransaction = (request: FastifyRequest): boolean =>
  !Object.hasOwn(request.query as object, 'hub') && // Fastify's parser gives an object for every query.
  pendingTransactions(request.headers.cookie).size > 0

/** `Set-Cookie` headers for a browser that is back from the hub: its transactions need not be remembered any more. */
export const finishedTransactions = (request: FastifyRequest): string[] =>
  endTransactions(pendingTransactions(request.headers.cookie).keys())
