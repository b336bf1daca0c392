import type { IncomingMessage } from 'node:http'
import type { Logger } from 'pino'
import type { Peers } from '../../http/peers.ts'
import { AppError } from '../../kernel/errors.ts'
import { firstPairs } from '../../kernel/pairs.ts'
import type { VerifyReason } from '../../kernel/verify-reasons.ts'
import type { Asked } from '../access/index.ts'
import type { Sessions } from '../sessions/index.ts'
import type { Endpoint } from './endpoints.ts'
import { readFields } from './fields.ts'
import { portalFor } from './portal-url.ts'
import type { Walk } from './walk.ts'

export interface ReadWalkOptions {
  readonly sessions: Pick<Sessions, 'domainOf'>
  readonly peers: Peers
  readonly log: Logger
}

const NO_QUERY = new URLSearchParams()

/** From a request to what is known of it; what `Walker.read` promises. */
export function createReadWalk({ sessions, peers, log }: ReadWalkOptions) {
  const warned = new Set<string>()
  /** Once per peer and sentence, and for a bounded number of them. */
  const warnOnce = (peer: string, sentence: string): void => {
    const key = `${peer} ${sentence}`
    if (warned.has(key) || warned.size >= 1000) return
    warned.add(key)
    log.warn({ peer }, sentence)
  }

  return (
    endpoint: Endpoint,
    { rawHeaders, socket, method = '' }: IncomingMessage,
    url: string,
  ): Walk => {
    const { dialect, path } = endpoint
    const refuse = (reason: string, asked?: Asked, why?: VerifyReason): AppError =>
      malformedError(endpoint, reason, asked, why)
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
    const tail = url.slice(path.length)
    const asked = dialect.read(fields, address, { method, tail, target: url })
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
  }
}

function malformedError(
  { dialect }: Endpoint,
  reason: string,
  asked: Asked | undefined,
  why: VerifyReason = 'malformed-request',
): AppError {
  return new AppError(dialect.malformed === 401 ? 'VERIFY_MALFORMED_LEGACY' : 'VERIFY_MALFORMED', {
    why,
    reason,
    ...(asked !== undefined && { host: asked.target.host }),
  })
}
