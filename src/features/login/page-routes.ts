import formbody from '@fastify/formbody'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { readPairs } from '../../kernel/pairs.ts'
import { isSafeRedirect } from '../../kernel/redirect.ts'
import {
  type Carried,
  contextOf,
  FORM_LIMIT,
  formDestinations,
  limitedPage,
  logFieldsOf,
  readCarried,
  textFields,
  withCarried,
} from '../portal/index.ts'
import { MAX_PASSWORD, MAX_USERNAME } from './first-factor.ts'
import { createFlowPages } from './flow-pages.ts'
import { headerBytes } from './header-bytes.ts'
import { signOutPage } from './pages.ts'
import type { LoginServices } from './services.ts'

/** What people see. Every form is answered 303: the page behind it can be reloaded, and the back button does no harm. */
export const pageRoutes: FastifyPluginAsync<{ readonly services: LoginServices }> = async (
  app,
  { services },
) => {
  const { base, domains } = services
  // As a header carries it, whatever script its path was written in.
  const url = services.config.logout_url
  const logoutUrl = url === undefined ? undefined : new URL(url).href
  const formAction = formDestinations(domains, logoutUrl)
  await app.register(formbody, { bodyLimit: FORM_LIMIT, parser: readPairs })

  const flowPages = createFlowPages(services, formAction)
  app.get('/', { config: { guard: 'public' } }, flowPages.portal)
  app.get('/forbidden', { config: { guard: 'public' } }, flowPages.forbidden)

  app.post('/', { config: { guard: 'public', delayed: true } }, (request, reply) =>
    signIn(services, request, reply),
  )

  const logout = createLogout(services, { logoutUrl, formAction, home: `${base}/` })
  app.get('/logout', { config: { guard: 'public' } }, logout.ask)
  app.post('/logout', { config: { guard: 'public' } }, logout.end)
}

/** The sign-in form was sent. */
async function signIn(
  { base, firstFactor, replies, show }: LoginServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const home = `${base}/`
  const form = textFields(request.body)
  const carried = readCarried(form)
  const username = form['username'] ?? ''
  const password = form['password'] ?? ''
  const refused = () => replies.redirect(reply, withCarried(home, carried, { failed: '' }))
  if (username.length > MAX_USERNAME || password.length > MAX_PASSWORD) return refused()
  const credentials = { username, password, remember: form['remember'] === 'on' }
  const attempt = await firstFactor(credentials, contextOf(request), logFieldsOf(request))
  // Past the limit people get a page that still knows where they wanted to go.
  if (attempt.kind === 'limited') {
    const wait = attempt.error.retryAfter ?? 1
    reply.header('Retry-After', String(wait))
    for (const cookie of attempt.cookies) reply.header('Set-Cookie', cookie)
    return show(
      request,
      reply,
      (t) => limitedPage(t, { href: withCarried(home, carried), wait }),
      429,
    )
  }
  request.checked = attempt.checked
  if (attempt.kind === 'refused') return refused()
  // Back to `/` and not on: there we see whether the browser kept the cookie.
  return replies.redirect(
    reply.header('Set-Cookie', attempt.cookies),
    withCarried(home, carried, { 'signed-in': '' }),
  )
}

function createLogout(
  { base, domains, replies, show, endSession }: LoginServices,
  {
    logoutUrl,
    formAction,
    home,
  }: {
    readonly logoutUrl: string | undefined
    readonly formAction: readonly string[]
    readonly home: string
  },
) {
  /** Requirement 29: a safe target, else where the configuration says, else our own page. */
  const after = ({ rd }: Carried, otherwise: string): string => {
    if (rd !== '' && isSafeRedirect(rd, domains)) return headerBytes(rd)
    return otherwise === home ? `${home}?signed-out=` : otherwise
  }
  return {
    ask(request: FastifyRequest, reply: FastifyReply): FastifyReply {
      const { identity, cookies } = contextOf(request)
      const carried = readCarried(request.query)
      // Of several cookies each may stand for a session, also where none of them counts.
      if (identity === undefined && cookies.length < 2)
        return replies.redirect(reply, after(carried, home), 302)
      const user = identity?.profile.displayName
      return show(request, reply, (t) => signOutPage(t, { user, carried, formAction, base }))
    },
    async end(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
      const carried = readCarried(textFields(request.body))
      await endSession(request, reply)
      return replies.redirect(reply, after(carried, logoutUrl ?? home))
    },
  }
}
