import { STATUS_CODES } from 'node:http'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { html } from 'ghtml'
import type { Logger } from 'pino'
import { AppError, type ErrorCode } from '../kernel/errors.ts'
import type { HeaderSets } from './headers.ts'
import type { Layout, PageContent } from './layout.ts'
import type { Messages } from './messages.ts'
import { themeOf } from './theme.ts'

/** The two bodies of the JSON API. */
export const okBody = (data?: unknown): Readonly<Record<string, unknown>> =>
  data === undefined ? { status: 'OK' } : { status: 'OK', data }
export const koBody = (message: string): Readonly<Record<string, unknown>> => ({
  status: 'KO',
  message,
})

export interface Replies {
  page(
    request: FastifyRequest,
    reply: FastifyReply,
    page: PageContent,
    status?: number,
  ): FastifyReply
  json(reply: FastifyReply, body: unknown, status?: number): FastifyReply
  /** Plain `403 Forbidden`, as Authelia answers where no JSON is promised. */
  text(reply: FastifyReply, status: number): FastifyReply
  redirect(reply: FastifyReply, location: string, status?: 302 | 303): FastifyReply
  /** Every thrown thing ends here: refusals in their own words, anything else as one generic sentence and an id. */
  installErrorHandlers(app: FastifyInstance): void
  /** The same for what the router refuses before any handler is set: an address that cannot be decoded. */
  refuse(error: FastifyError | AppError, request: FastifyRequest, reply: FastifyReply): FastifyReply
}

const PAGES: Readonly<Partial<Record<ErrorCode, string>>> = {
  ADMIN_REQUIRED: 'error.admin',
  BODY_INVALID: 'error.badRequest',
  BODY_TOO_LARGE: 'error.badRequest',
  MEDIA_TYPE_UNSUPPORTED: 'error.badRequest',
  METHOD_NOT_ALLOWED: 'error.notFound',
  URL_INVALID: 'error.badRequest',
  CROSS_ORIGIN: 'error.forbidden',
  ELEVATION_REQUIRED: 'error.elevation',
  SIGN_IN_REQUIRED: 'error.signIn',
  NOT_FOUND: 'error.notFound',
  STORE_UNAVAILABLE: 'error.unavailable',
  HASHING_BUSY: 'error.busy',
  MAILED_CODES_LIMITED: 'error.limited',
  SECOND_FACTOR_LIMITED: 'error.limited',
  SIGN_IN_LIMITED: 'error.limited',
  INTERNAL: 'error.internal',
}
/** What Fastify refuses before we see it. */
const FASTIFY_CODES: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'BODY_TOO_LARGE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'MEDIA_TYPE_UNSUPPORTED',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'BODY_INVALID',
  FST_ERR_CTP_INVALID_JSON_BODY: 'BODY_INVALID',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'BODY_INVALID',
  FST_ERR_BAD_URL: 'URL_INVALID',
}
/** Refusals that are not logged at the default level; an untrusted peer is reported once, by peers. */
const QUIET: readonly ErrorCode[] = ['NOT_FOUND', 'METHOD_NOT_ALLOWED', 'VERIFY_PEER_UNTRUSTED']

export interface RepliesOptions {
  readonly headers: HeaderSets
  readonly layout: Layout
  readonly messages: Messages
  readonly log: Logger
  /** Base path without a slash at its end; empty at the root. */
  readonly base: string
  /** Whether proxies ask at this path: they read neither pages nor JSON. */
  readonly answersInText: (path: string) => boolean
  /** Whether the user who asked for an unknown page is signed in: then the page leads elsewhere. */
  readonly isSignedIn: (request: FastifyRequest) => Promise<boolean>
  /** The cookie domain of the portal that was opened; undefined where it is not known. */
  readonly domainOf?: (request: FastifyRequest) => string | undefined
}

/** What answering a refusal needs. */
type Refusing = Pick<RepliesOptions, 'messages' | 'base' | 'answersInText'> & {
  readonly replies: Replies
}

export function createReplies({
  headers,
  layout,
  messages,
  log,
  base,
  answersInText,
  isSignedIn,
  domainOf = () => undefined,
}: RepliesOptions): Replies {
  const replies: Replies = {
    page(request, reply, page, status = 200) {
      const { body, headers: own } = layout.render({
        // After a form, the page is not to be asked for again by its address.
        back: base + (request.method === 'GET' ? request.url : '/'),
        ...page,
        ...messages.negotiate(request),
        domain: domainOf(request),
        theme: themeOf(request),
      })
      return reply
        .code(status)
        .headers({ ...own, Vary: 'Accept-Language' })
        .send(body)
    },
    json: (reply, body, status = 200) =>
      reply
        .code(status)
        .headers({ ...headers.api, 'Content-Type': 'application/json; charset=utf-8' })
        .send(JSON.stringify(body)),
    text: (reply, status) =>
      reply
        .code(status)
        .headers({ ...headers.api, 'Content-Type': 'text/plain; charset=utf-8' })
        .send(`${status} ${STATUS_CODES[status] ?? ''}`),
    redirect: (reply, location, status = 303) =>
      reply
        .code(status)
        .headers({ ...headers.api, Location: location })
        .send(),
    refuse(error, request, reply) {
      const refusal = asRefusal(error, request)
      report(log, error, refusal, request)
      return refuse(refusing, request, reply, refusal)
    },
    installErrorHandlers(app) {
      app.setErrorHandler(function answerError(error: FastifyError | AppError, request, reply) {
        return replies.refuse(error, request, reply)
      })
      const known = new Set<string>()
      app.addHook('onRoute', function notesTheRoute({ method, url }) {
        for (const one of [method].flat()) known.add(`${one} ${url}`)
      })
      app.setNotFoundHandler(async function answerUnknownRoute(request, reply) {
        const path = pathOf(request)
        const allowed = KNOWN_METHODS.filter((method) => known.has(`${method} ${path}`))
        if (allowed.length > 0) reply.header('Allow', allowed.join(', '))
        const refusal = new AppError(allowed.length > 0 ? 'METHOD_NOT_ALLOWED' : 'NOT_FOUND')
        report(log, refusal, refusal, request)
        const signedIn = request.headers.cookie !== undefined && (await isSignedIn(request))
        return refuse(refusing, request, reply, refusal, signedIn)
      })
    },
  }
  const refusing: Refusing = { replies, messages, base, answersInText }
  return replies
}

const KNOWN_METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

function asRefusal(error: FastifyError | AppError, { raw }: FastifyRequest): AppError {
  if (error instanceof AppError) return error
  // A client that goes away in the middle of a body is no fault of ours, nor is what else Fastify calls the client's.
  const isCutOff = error.code === 'ECONNRESET' && !raw.complete
  const isRefused = error.code?.startsWith('FST_') && (error.statusCode ?? 500) < 500
  const code = FASTIFY_CODES[error.code] ?? (isCutOff || isRefused ? 'BODY_INVALID' : 'INTERNAL')
  return new AppError(code, { reason: error.message }, { cause: error })
}

function report(log: Logger, error: Error, refusal: AppError, request: FastifyRequest): void {
  const fields = {
    ...refusal.details,
    code: refusal.code,
    method: request.method,
    path: pathOf(request),
    request_id: request.id,
    // Nothing for a unix socket, and for one whose other end has gone.
    peer: request.socket.remoteAddress ?? '',
  }
  if (refusal.code === 'INTERNAL') log.error({ ...fields, err: error }, 'a request failed')
  // A thousand at once are one thing that happens, and a line for each would be more work under load.
  else if (refusal.code === 'HASHING_BUSY' && isRepeated(log)) return
  else if (refusal.statusCode >= 500)
    log.error({ ...fields, cause: String(rootOf(refusal) ?? '') }, refusal.message)
  else if (QUIET.includes(refusal.code)) log.debug(fields, refusal.message)
  else log.info(fields, refusal.message)
}

/** When a log was last told that hashing is busy. Milliseconds of the monotonic clock. */
const busySince = new WeakMap<Logger, number>()

/** Once a second is often enough. */
function isRepeated(log: Logger): boolean {
  const now = performance.now()
  if (now - (busySince.get(log) ?? Number.NEGATIVE_INFINITY) < 1000) return true
  busySince.set(log, now)
  return false
}

/** The innermost cause. Features wrap a refusal in another one with the same sentence. */
function rootOf(error: unknown): unknown {
  let root = error instanceof Error ? error.cause : undefined
  for (let depth = 0; depth < 8 && root instanceof Error && root.cause !== undefined; depth++)
    root = root.cause
  return root
}

function refuse(
  { replies, messages, base, answersInText }: Refusing,
  request: FastifyRequest,
  reply: FastifyReply,
  refusal: AppError,
  /** A user who is signed in asked for a page that does not exist. */
  signedIn = false,
): FastifyReply {
  const { statusCode: status, code } = refusal
  if (refusal.retryAfter !== undefined) reply.header('Retry-After', String(refusal.retryAfter))
  // The route and not what was sent: the router takes /%76erify and http://host/verify for /verify.
  const route = request.routeOptions.url ?? '*'
  const path = route === '*' ? pathOf(request) : route
  if (answersInText(path)) return replies.text(reply, status)
  if (path.startsWith('/api/') || path.startsWith('/.well-known/')) {
    // A sign-in that fails says the same whatever was wrong with it.
    const { data } = refusal
    const body = {
      ...koBody(refusal.message),
      ...(data !== undefined && { data }),
      ...missingLevels(request, refusal),
    }
    return replies.json(reply, { ...body, request_id: request.id }, status)
  }
  if (code === 'COOKIE_DOMAIN_UNKNOWN') {
    const { portal, straight } = refusal.details
    if (straight === true) return replies.redirect(reply, String(portal), 302)
    return replies.page(request, reply, noDomainPage(messages, request, refusal), status)
  }
  const { t } = messages.negotiate(request)
  const words = PAGES[code] ?? 'error.internal'
  const again = status >= 500 || status === 429
  const values = {
    wait: { milliseconds: (refusal.retryAfter ?? 1) * 1000 },
  }
  return replies.page(
    request,
    reply,
    {
      title: t(`${words}.title`),
      content: html`<h1>${t(`${words}.title`)}</h1>
<p>${t(signedIn ? 'error.notFound.signedIn' : `${words}.text`, values)}</p>
<a class="button quiet" href="${base}/">${t(again ? 'error.retry' : signedIn ? 'error.start' : 'error.home')}</a>`,
      requestId: request.id,
    },
    status,
  )
}

/** What an elevated route asks for and the caller has not shown, as Authelia says it. */
function missingLevels(
  request: FastifyRequest,
  { code, details }: AppError,
): { readonly data?: Readonly<Record<string, boolean>> } {
  const signIn = code === 'SIGN_IN_REQUIRED' && request.routeOptions.config.guard === 'elevated'
  if (!signIn && code !== 'ELEVATION_REQUIRED') return {}
  return {
    data: {
      elevation: true,
      first_factor: signIn,
      second_factor: details['needsSecondFactor'] === true,
    },
  }
}

/** Names the portal's own address, or what has to be set. */
function noDomainPage(
  messages: Messages,
  request: FastifyRequest,
  { details }: AppError,
): PageContent {
  const { t } = messages.negotiate(request)
  const { host, portal, isLocal } = details
  const there = typeof portal === 'string' ? portal : undefined
  return {
    title: t('error.noDomain.title'),
    content: html`<h1>${t('error.noDomain.title')}</h1>
<p>${t('error.noDomain.text', { host: String(host) })}</p>
!${there === undefined ? html`<p>${t('error.noDomain.noPortal')}</p>` : html`<p>${t('error.noDomain.portal')}</p><p><a class="button" href="${there}">${there}</a></p>`}
!${isLocal === true ? html`<p>${t('error.noDomain.local')}</p>` : ''}
<p>${t('error.noDomain.proxy')}</p>`,
    requestId: request.id,
    // Forms are refused at this host.
    back: undefined,
  }
}

/** The path without its query, bounded: it goes into the log. */
export function pathOf(request: FastifyRequest): string {
  const url = request.raw.url ?? ''
  const question = url.indexOf('?')
  return (question === -1 ? url : url.slice(0, question)).slice(0, 512)
}
