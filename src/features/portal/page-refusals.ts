import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Replies } from '../../http/replies.ts'
import { AppError } from '../../kernel/errors.ts'
import { readCarried, textFields, withCarried } from './carried.ts'
import { limitedPage } from './limited-page.ts'
import type { Rendering } from './rendering.ts'

export interface PageRefusalsOptions {
  readonly replies: Pick<Replies, 'redirect' | 'refuse'>
  readonly show: Rendering['show']
  /** Base path without a slash at its end; empty at the root. */
  readonly base: string
}

/** The page on which users confirm that it is them. It reads where to go back to with `readReturn`. */
export const CONFIRM_PATH = '/settings/confirm'

/** A page of the portal that a confirmation may lead back to. A browser takes `%2e` for a dot. */
const RETURN = /^\/(settings|second-factor|admin)(\/(?!(\.|%2[eE]){1,2}(\/|$))[\w.!~*'()%-]+)*$/

/** @returns the path of a page of the portal; '' for anything else */
export const readReturn = (path: string): string => (RETURN.test(path) ? path : '')

/** The path of the page that was asked for, its parameters percent-encoded. */
function pagePathOf({ routeOptions, params }: FastifyRequest): string {
  const given = textFields(params)
  return (routeOptions.url ?? '').replace(/:(\w+)/g, (_, name: string) =>
    encodeURIComponent(given[name] ?? ''),
  )
}

/**
 * Where a page is refused, the user is led to what is missing, with what is carried: to the sign-in form, or to the page that
 * elevates and leads back. Past a limit they are told how long to wait. Everything else, and the API, is refused as usual.
 *
 * What is carried stands in the query of the page and of its forms' actions: a guard refuses before a body is read.
 */
export const pageRefusals = fp<PageRefusalsOptions>(
  async (app, options) => {
    app.setErrorHandler(function leadsToWhatIsMissing(
      error: FastifyError | AppError,
      request,
      reply,
    ) {
      return refusePage(options, error, request, reply)
    })
  },
  { name: 'page-refusals' },
)

function refusePage(
  { replies, show, base }: PageRefusalsOptions,
  error: FastifyError | AppError,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const path = pagePathOf(request)
  if (!(error instanceof AppError) || path.startsWith('/api/'))
    return replies.refuse(error, request, reply)
  const carried = readCarried(request.query)
  const status = request.method === 'GET' ? 302 : 303
  if (error.code === 'SIGN_IN_REQUIRED')
    return replies.redirect(reply, withCarried(`${base}/`, carried), status)
  if (error.code === 'ELEVATION_REQUIRED') {
    const to = readReturn(path)
    const more = { ...(to !== '' && { to }) }
    return replies.redirect(reply, withCarried(base + CONFIRM_PATH, carried, more), status)
  }
  if (error.statusCode === 429) {
    const wait = error.retryAfter ?? 1
    reply.header('Retry-After', String(wait))
    const { search } = new URL(request.url, 'http://portal')
    return show(request, reply, (t) => limitedPage(t, { href: base + path + search, wait }), 429)
  }
  return replies.refuse(error, request, reply)
}
