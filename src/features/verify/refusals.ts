import { STATUS_CODES } from 'node:http'
import type { FastifyRequest } from 'fastify'
import type { HeaderSets } from '../../http/headers.ts'
import type { Layout } from '../../http/layout.ts'
import type { Messages } from '../../http/messages.ts'
import type { Profile } from '../users/index.ts'
import type { Refused } from './judgement.ts'
import { acceptsJson, isNavigation } from './navigation.ts'
import { forbiddenContent } from './pages.ts'
import { signInUrl } from './portal-url.ts'
import { BASIC_CHALLENGE } from './strategies/index.ts'
import type { Walk } from './walk.ts'

/** Names the portal's page for a refused navigation: nginx shows no body of ours, but follows this. */
export const FORBIDDEN_HEADER = 'X-Vestibule-Forbidden'
/** Names the portal for a navigation that has to sign in; other callers get Location alone. */
export const SIGN_IN_HEADER = 'X-Vestibule-Sign-In'

const TEXT_TYPE = 'text/plain; charset=utf-8'
const JSON_TYPE = 'application/json; charset=utf-8'

/** An answer, ready to be written. */
export interface Sent {
  readonly status: number
  /** A flat list of names and values. */
  readonly headers: readonly string[]
  readonly type: string
  readonly body: string
}

export interface RefusalOptions {
  readonly headers: HeaderSets
  readonly layout: Layout
  readonly messages: Messages
}

/** The answer to a refused request: 403; 401 or a redirect; or a challenge, where a header strategy had the last word. */
export function createRefusals({ headers, layout, messages }: RefusalOptions) {
  const plain = Object.entries(headers.api).flat()
  const answerTo = (walk: Walk, refused: Refused, request: FastifyRequest): Sent => {
    const { challenge, decision, profile } = refused
    if (challenge !== undefined)
      return text(plain, challenge.status, [challenge.header, BASIC_CHALLENGE])
    if (decision.kind !== 'deny') return signIn(plain, walk)
    return isNavigation(walk.fields)
      ? forbiddenPage({ layout, messages }, walk, profile, request)
      : text(plain, 403)
  }
  return (walk: Walk, refused: Refused, request: FastifyRequest): Sent => {
    const { retryAfter } = refused
    const sent = answerTo(walk, refused, request)
    return retryAfter === undefined
      ? sent
      : { ...sent, headers: [...sent.headers, 'Retry-After', String(retryAfter)] }
  }
}

const text = (plain: readonly string[], status: number, more: readonly string[] = []): Sent => ({
  status,
  headers: [...plain, ...more],
  type: TEXT_TYPE,
  body: STATUS_CODES[status] ?? '',
})

function signIn(
  plain: readonly string[],
  { endpoint: { dialect }, fields, portal, url, target }: Walk,
): Sent {
  // Only the old single endpoint may not know a portal: then no address can be named.
  if (portal === undefined) return text(plain, 401)
  const location = signInUrl(portal, url, target.method)
  if (isNavigation(fields)) {
    const status = dialect.unauthenticated(fields, target.method)
    return text(plain, status, ['Location', location, SIGN_IN_HEADER, location])
  }
  if (!acceptsJson(fields)) return text(plain, 401, ['Location', location])
  const body = { status: 'KO', message: 'Sign in first.', login_url: location }
  return {
    status: 401,
    headers: [...plain, 'Location', location],
    type: JSON_TYPE,
    body: JSON.stringify(body),
  }
}

function forbiddenPage(
  { layout, messages }: Pick<RefusalOptions, 'layout' | 'messages'>,
  walk: Walk,
  profile: Profile | undefined,
  request: FastifyRequest,
): Sent {
  const { url, target, domain } = walk
  const portal = walk.portal ?? domain.portalUrl
  const speaker = messages.negotiate(request)
  const { t } = speaker
  const { body, headers: pageHeaders } = layout.render({
    // On the app's own host: the portal's cookie with the choice is not sent there.
    theme: 'auto',
    ...speaker,
    domain: domain.domain,
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
