import type { IncomingMessage } from 'node:http'
import type { Logger } from 'pino'
import type { Peers } from '../../http/peers.ts'
import { AppError } from '../../kernel/errors.ts'
import { firstPairs } from '../../kernel/pairs.ts'
import type { VerifyReason } from '../../kernel/verify-reasons.ts'
import { type Access, anonymous, type Decision } from '../access/index.ts'
import {
  type CookieDomain,
  cookieValues,
  type Identity,
  levelOf,
  type Sessions,
} from '../sessions/index.ts'
import type { Profile } from '../users/index.ts'
import type { Endpoint } from './endpoints.ts'
import { type Fields, readFields } from './fields.ts'
import type { Presented } from './identity.ts'
import { portalFor } from './portal-url.ts'
import type { Asked } from './target.ts'

/** What is known once a request was understood. */
export interface Walk extends Asked {
  readonly endpoint: Endpoint
  readonly fields: Fields
  /** The endpoint's own query, its first pairs; not the target's. */
  readonly query: URLSearchParams
  readonly domain: CookieDomain
  /** Undefined only where the dialect uses no configured one. */
  readonly portal: URL | undefined
  /** Why the cookies do not say who it is; set where the log wants to know. */
  reason: VerifyReason | undefined
}

/** Somebody, and how many kinds of factors they have shown. */
export interface Somebody {
  readonly profile: Profile
  readonly level: 1 | 2
}

export interface Walker {
  /**
   * Target, cookie domain, portal, and last the peer: the first that fails is the answer.
   * @param url the request target below the base path, as sent
   * @throws AppError VERIFY_MALFORMED, VERIFY_MALFORMED_LEGACY, VERIFY_PEER_UNTRUSTED
   */
  read(endpoint: Endpoint, request: IncomingMessage, url: string): Walk
  /** Who the session cookie says it is. @throws AppError STORE_UNAVAILABLE, or rejects with it */
  identify(walk: Walk): Identity | undefined | Promise<Identity | undefined>
  /** What the rules say for somebody, or for nobody. */
  decide(walk: Walk, somebody: Somebody | undefined): Decision
}

const NO_QUERY = new URLSearchParams()

export function createWalker({
  access,
  sessions,
  peers,
  present,
  log,
}: {
  readonly access: Access
  readonly sessions: Sessions
  readonly peers: Peers
  readonly present: (profile: Profile | undefined) => Presented
  readonly log: Logger
}): Walker {
  const warned = new Set<string>()
  /** Once per peer and sentence, and for a bounded number of them. */
  const warnOnce = (peer: string, sentence: string): void => {
    const key = `${peer} ${sentence}`
    if (warned.has(key) || warned.size >= 1000) return
    warned.add(key)
    log.warn({ peer }, sentence)
  }

  /** A rule that lets everybody in needs no session store; anything else waits for it. */
  const withoutStore = ({ target }: Walk, error: unknown): undefined => {
    if (access.verdict(anonymous, target).policy === 'bypass') return undefined
    throw error
  }

  return {
    read(endpoint, { rawHeaders, socket, method = '' }, url) {
      const { dialect, path } = endpoint
      const refuse = (
        reason: string,
        asked?: Asked,
        why: VerifyReason = 'malformed-request',
      ): AppError =>
        new AppError(dialect.malformed === 401 ? 'VERIFY_MALFORMED_LEGACY' : 'VERIFY_MALFORMED', {
          why,
          reason,
          ...(asked !== undefined && { host: asked.target.host }),
        })
      const fields = readFields(rawHeaders)
      if (fields.alias !== undefined)
        throw refuse(`the header ${JSON.stringify(fields.alias)} is an alias of one that is read`)
      const trusted = peers.trusts(socket)
      const address = trusted
        ? peers.clientBehind(socket, fields.forwardedFor)
        : peers.addressOf(socket)
      if (address === undefined) throw refuse('X-Forwarded-For holds something that is no address')
      // The router forgives a host in front and encoded letters: what stands behind the endpoint is not found by counting then.
      if (dialect.takesTail && !url.startsWith(path))
        throw refuse('the request target does not begin with the path of the endpoint')
      const asked = dialect.read(fields, address, {
        method,
        tail: url.slice(path.length),
        target: url,
      })
      if ('malformed' in asked) throw refuse(asked.malformed)
      const domain = sessions.domainOf(asked.target.host)
      if (domain === undefined)
        throw refuse('no cookie domain covers the host', asked, 'no-cookie-domain')
      const question = url.indexOf('?')
      const query =
        question === -1 ? NO_QUERY : new URLSearchParams(firstPairs(url.slice(question + 1)))
      const found = portalFor(dialect.portals(fields, query), dialect.usesConfiguredPortal, domain)
      if ('malformed' in found) throw refuse(found.malformed, asked)
      if (!trusted) {
        peers.reportUntrusted(socket)
        const why: VerifyReason = 'untrusted-proxy'
        throw new AppError('VERIFY_PEER_UNTRUSTED', { why })
      }
      peers.asked(socket)
      const warning = dialect.warning?.(fields, asked)
      if (warning !== undefined) warnOnce(peers.addressOf(socket), warning)
      const { target } = asked
      const { portal } = found
      return { endpoint, fields, query, domain, portal, url: asked.url, target, reason: undefined }
    },

    identify(walk) {
      const { cookies } = walk.fields
      const values: string[] = []
      for (const header of cookies) cookieValues(header, walk.domain.name, values)
      if (values.length === 0) {
        walk.reason = 'no-cookie'
        return undefined
      }
      const note = log.isLevelEnabled('debug')
        ? (reason: VerifyReason) => {
            walk.reason = reason
          }
        : undefined
      try {
        const found = sessions.identify(values, walk.domain, note)
        return found instanceof Promise ? found.catch((error) => withoutStore(walk, error)) : found
      } catch (error) {
        return withoutStore(walk, error)
      }
    },

    decide({ target }, somebody) {
      if (somebody === undefined) return access.decide(anonymous, 0, target)
      return access.decide(present(somebody.profile).subject, somebody.level, target)
    },
  }
}

/** A session's owner at the level of the session. */
export const ownerOf = ({ session, profile }: Identity): Somebody => ({
  profile,
  level: levelOf(session),
})
