import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { VerifyReason } from '../../kernel/verify-reasons.ts'
import type { Profile } from '../users/index.ts'
import type { Presented } from './identity.ts'
import type { Judgement, Refused } from './judgement.ts'
import { createRefusals, type RefusalOptions, type Sent } from './refusals.ts'
import type { RefusedRequests } from './refused-requests.ts'
import type { Walk } from './walk.ts'

/** Writes a judgement: 200 with the identity of the user, or with four empty headers; a refusal otherwise. */
export type Answer = (
  judgement: Judgement,
  walk: Walk,
  request: FastifyRequest,
  reply: FastifyReply,
) => void

export function createAnswer({
  present,
  refused,
  log,
  ...options
}: RefusalOptions & {
  readonly present: (profile: Profile | undefined) => Presented
  readonly refused: Pick<RefusedRequests, 'note'>
  readonly log: Logger
}): Answer {
  const refusalOf = createRefusals(options)
  return (judgement, walk, request, reply) => {
    switch (judgement.kind) {
      case 'allow':
        // Node takes a flat list and does not write to it; its type asks for a mutable one.
        reply.raw.writeHead(200, present(judgement.profile).headers as string[])
        // Only now: had the head been refused, the error handler would still have to answer.
        reply.hijack()
        reply.raw.end()
        return
      case 'refuse':
        report(log, walk, judgement, request)
        note(refused, walk, judgement)
        write(reply, refusalOf(walk, judgement, request))
        return
      default:
        judgement satisfies never
    }
  }
}

/** Of a request that named no user, no administrator asks why a user was refused. */
function note(refused: Pick<RefusedRequests, 'note'>, walk: Walk, judgement: Refused): void {
  const { profile, decision } = judgement
  if (profile === undefined) return
  const { target } = walk
  refused.note(profile.name, {
    url: urlOf(target, 512),
    method: target.method,
    address: target.address,
    why: reasonOf(walk, judgement),
    rule: decision.verdict.rule,
  })
}

/** Without the query: it may carry the app's own tokens. */
const urlOf = ({ scheme, host, path }: Walk['target'], limit: number): string =>
  `${scheme}://${host}${path}`.slice(0, limit)

function report(log: Logger, walk: Walk, refused: Refused, request: FastifyRequest): void {
  const { target, endpoint } = walk
  const { kind, verdict } = refused.decision
  const { readings, rule } = verdict
  const strictest =
    readings > 1 ? ' (the path is not canonical: the strictest of its readings holds)' : ''
  log.info(
    {
      target: urlOf(target, 2048),
      target_method: target.method,
      user: refused.profile?.name ?? '',
      endpoint: endpoint.name,
      rule: rule ?? 'default_policy',
      ...(readings > 1 && { readings }),
      ...(log.isLevelEnabled('debug') && { why: reasonOf(walk, refused) }),
      request_id: request.id,
      remote_ip: target.address,
    },
    `${kind === 'deny' ? 'access is forbidden' : 'access needs a sign-in'}${strictest}`,
  )
}

/** The first obstacle: the identity, and then what it may do. */
function reasonOf({ reason }: Walk, { wrong, decision, profile }: Refused): VerifyReason {
  if (wrong) return 'wrong-credentials'
  if (decision.kind === 'deny') return 'policy-deny'
  if (profile !== undefined) return 'second-factor-needed'
  return reason ?? 'no-credentials'
}

function write(reply: FastifyReply, { status, headers, type, body }: Sent): void {
  const bytes = Buffer.from(body)
  const length = String(bytes.length)
  reply.raw.writeHead(status, [...headers, 'Content-Type', type, 'Content-Length', length])
  reply.hijack()
  reply.raw.end(bytes)
}
