import type { FastifyReply } from 'fastify'
import type { Logger } from 'pino'
import type { Messages } from '../../http/messages.ts'
import type { Replies } from '../../http/replies.ts'
import type { Audit } from '../audit/index.ts'
import {
  type Carried,
  type PortalContextsOptions,
  readCarried,
  withCarried,
  withoutUnsafe,
} from '../portal/index.ts'
import type { Throttle } from '../throttle/index.ts'
import type { Hub, Member } from './hub.ts'
import { below, HUB_DONE } from './redirects.ts'

/** In the query of `/`: the browser comes straight from a sign-in. */
export const JUST_SIGNED_IN = { 'signed-in': '' } as const

export interface HubRoutesOptions extends PortalContextsOptions {
  readonly hub: Hub
  readonly throttle: Pick<Throttle, 'devices'>
  readonly audit: Pick<Audit, 'record'>
  readonly replies: Replies
  readonly messages: Messages
  readonly log: Logger
  /** Base path without a slash at its end; empty at the root. */
  readonly base: string
}

/** A parsed query or form. */
type Fields = Readonly<Record<string, string>>

/** What the stations between the portals share. */
export interface Stations {
  /** What a request carries, judged at every station (requirement 15): the way between the portals is no way to anywhere else. */
  carriedIn(fields: Fields): Carried
  go(reply: FastifyReply, location: string, cookies?: readonly string[]): FastifyReply
  member(name: string | undefined): Member | undefined
  isHub(one: Member): boolean
  /** The portal where the transaction began, seen from the hub; its form, or on from there. */
  backTo(member: Member, carried: Carried, signedIn?: boolean): string
  /** This portal's own form, or on from there. */
  home(carried: Carried, more?: Readonly<Record<string, string>>): string
}

export function createStations({ hub, sessions, replies, base }: HubRoutesOptions): Stations {
  const domains = sessions.domains.map(({ domain }) => domain)
  return {
    carriedIn: (fields) => withoutUnsafe(readCarried(fields), domains),
    go(reply, location, cookies = []) {
      if (cookies.length > 0) reply.header('Set-Cookie', [...cookies])
      return replies.redirect(reply, location, reply.request.method === 'POST' ? 303 : 302)
    },
    member: (name) => (name === undefined ? undefined : hub.member(name)),
    isHub: (one) => one === hub.hub,
    backTo: (member, carried, signedIn = false) =>
      below(member, '', carried, { ...(signedIn && JUST_SIGNED_IN), ...HUB_DONE }),
    home: (carried, more = {}) => withCarried(`${base}/`, carried, { ...more, ...HUB_DONE }),
  }
}
