import { STATUS_CODES } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { HeaderSets } from '../../http/headers.ts'
import type { Layout } from '../../http/layout.ts'
import type { Messages } from '../../http/messages.ts'
import type { VerifyReason } from '../../kernel/verify-reasons.ts'
import type { Decision } from '../access/index.ts'
import type { Profile } from '../users/index.ts'
import type { Presented } from './identity.ts'
import { acceptsJson, isNavigation } from './navigation.ts'
import { forbiddenContent } from './pages.ts'
import { signInUrl } from './portal-url.ts'
import { BASIC_CHALLENGE, type Challenge } from './strategies/index.ts'
import type { Walk } from './walk.ts'

/** Names the portal's page for a refused navigation: nginx shows no body of ours, but follows this. */
export const FORBIDDEN_HEADER = 'X-Vestibule-Forbidden'
/** Names the portal for a navigation that has to sign in; other callers get Location alone. */
export const SIGN_IN_HEADER = 'X-Vestibule-Sign-In'

export interface Answers {
  /** 200, with the identity of whoever it is, or with four empty headers. */
  allow(reply: FastifyReply, profile: Profile | undefined): void
  /** 403; 401 or a redirect; or a challenge, where a header strategy had the last word. */
  refuse(options: {
    readonly walk: Walk
    readonly decision: Decision
    readonly profile: Profile | undefined
    readonly challenge: Challenge | undefined
    readonly request: FastifyRequest
    readonly reply: FastifyReply
    /** Seconds. */
    readonly retryAfter?: number
    /** The credentials in a header were refused. */
    readonly wrong?: boolean
  }): void
}

const TEXT_TYPE = 'text/plain; charset=utf-8'
const JSON_TYPE = 'application/json; charset=utf-8'

interface Sent {
  readonly status: number
  readonly headers: readonly string[]
  readonly type: string
  readonly body: string
}

export function createAnswers({
  headers,
  layout,
  messages,
  present,
  log,
}: {
  readonly headers: HeaderSets
  readonly layout: Layout
  readonly messages: Messages
  readonly present: (profile: Profile | undefined) => Presented
  readonly log: Logger
}): Answers {
  const plain = Object.entries(headers.api).flat()
  const text = (status: number, more: readonly string[] = []): Sent => ({
    status,
    headers: [...plain, ...more],
    type: TEXT_TYPE,
    body: STATUS_CODES[status] ?? '',
  })

  const signIn = ({ endpoint: { dialect }, fields, portal, url, target }: Walk): Sent => {
    // Only the old single endpoint may not know a portal: then there is nowhere to go.
    if (portal === undefined) return text(401)
    const location = signInUrl(portal, url, target.method)
    if (isNavigation(fields)) {
      const status = dialect.unauthenticated(fields, target.method)
      return text(status, ['Location', location, SIGN_IN_HEADER, location])
    }
    if (!acceptsJson(fields)) return text(401, ['Location', location])
    const body = { status: 'KO', message: 'Sign in first.', login_url: location }
    return {
      status: 401,
      headers: [...plain, 'Location', location],
      type: JSON_TYPE,
      body: JSON.stringify(body),
    }
  }

  const forbid = (walk: Walk, profile: Profile | undefined, request: FastifyRequest): Sent => {
    const { fields, url, target, domain } = walk
    if (!isNavigation(fields)) return text(403)
    const portal = walk.portal ?? domain.portalUrl
    const { language, t } = messages.negotiate(request.headers['accept-language'])
    const { body, headers: pageHeaders } = layout.render({
      // On the app's own host: the portal's cookie with the choice is not sent there.
      theme: 'auto',
      language,
      t,
      title: t('verify.forbidden.title'),
      content: forbiddenContent(t, {
        user: profile?.name ?? '',
        host: target.host,
        switchUrl:
          portal === undefined ? undefined : signInUrl(portal, url, target.method, '/logout'),
        homeUrl: portal === undefined ? undefined : `${portal.origin}${portal.pathname}`,
      }),
      requestId: request.id,
      selfContained: true,
    })
    const { 'Content-Type': type = TEXT_TYPE, ...rest } = pageHeaders
    const list = Object.entries(rest).flat()
    if (portal !== undefined)
      list.push(FORBIDDEN_HEADER, signInUrl(portal, url, target.method, '/forbidden'))
    return { status: 403, headers: list, type, body }
  }

  const report = (
    walk: Walk,
    profile: Profile | undefined,
    decision: Decision,
    request: FastifyRequest,
    wrong: boolean,
  ): void => {
    const { target, endpoint } = walk
    const { kind, verdict } = decision
    const { readings, rule } = verdict
    const strictest =
      readings > 1 ? ' (the path is not canonical: the strictest of its readings holds)' : ''
    log.info(
      {
        // Without the query: it may carry the app's own tokens.
        target: `${target.scheme}://${target.host}${target.path}`.slice(0, 2048),
        target_method: target.method,
        user: profile?.name ?? '',
        endpoint: endpoint.name,
        rule: rule ?? 'default_policy',
        ...(readings > 1 && { readings }),
        ...(log.isLevelEnabled('debug') && { why: reasonOf(walk, profile, decision, wrong) }),
        request_id: request.id,
        remote_ip: target.address,
      },
      `${kind === 'deny' ? 'access is forbidden' : 'access needs a sign-in'}${strictest}`,
    )
  }

  return {
    allow(reply, profile) {
      // Node takes a flat list and does not write to it; its type asks for a mutable one.
      reply.raw.writeHead(200, present(profile).headers as string[])
      // Only now: had the head been refused, the error handler would still have to answer.
      reply.hijack()
      reply.raw.end()
    },
    refuse({ walk, decision, profile, challenge, request, reply, retryAfter, wrong = false }) {
      report(walk, profile, decision, request, wrong)
      const sent =
        challenge !== undefined
          ? text(challenge.status, [challenge.header, BASIC_CHALLENGE])
          : decision.kind === 'deny'
            ? forbid(walk, profile, request)
            : signIn(walk)
      write(
        reply,
        retryAfter === undefined
          ? sent
          : { ...sent, headers: [...sent.headers, 'Retry-After', String(retryAfter)] },
      )
    },
  }
}

/** What stood in the way first: who it is, and then what they may do. */
function reasonOf(
  { reason }: Walk,
  profile: Profile | undefined,
  decision: Decision,
  wrong: boolean,
): VerifyReason {
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
