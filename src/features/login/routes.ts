import formbody from '@fastify/formbody'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Page } from '../../http/layout.ts'
import type { Translate } from '../../http/messages.ts'
import { koBody, okBody, pathOf } from '../../http/replies.ts'
import { requireSameOrigin } from '../../http/same-origin.ts'
import { AppError } from '../../kernel/errors.ts'
import { isSafeRedirect } from '../../kernel/redirect.ts'
import { levelOf } from '../sessions/index.ts'
import { forbiddenContent } from '../verify/index.ts'
import { judgeDestination } from './destination.ts'
import { createFirstFactor, MAX_PASSWORD, MAX_USERNAME } from './first-factor.ts'
import { type Destination, next } from './flow.ts'
import type { LoginOptions } from './index.ts'
import {
  type Carried,
  cookieRefusedPage,
  secondFactorPage,
  signedInPage,
  signInPage,
  signOutPage,
  withCarried,
} from './pages.ts'
import { readVisit, type Visit } from './visit.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the login room's first hook, on its own routes only. */
    visit: Visit | null
  }
}

/** Room for a 16 KiB target, percent-encoded, beside a name and a password. */
const BODY_LIMIT = 64 * 1024

const FirstFactorBody = z.object({
  username: z.string().min(1).max(MAX_USERNAME),
  password: z.string().min(1).max(MAX_PASSWORD),
  targetURL: z.string().nullish(),
  requestMethod: z.string().nullish(),
  keepMeLoggedIn: z.boolean().nullish(),
})
const LogoutBody = z.object({ targetURL: z.string().nullish() })
const SafeRedirectionBody = z.object({ uri: z.string() })

export const loginRoutes: FastifyPluginAsync<LoginOptions> = async (app, options) => {
  const { access, sessions, replies, messages, peers, log, logoutUrl } = options
  const firstFactor = createFirstFactor(options)
  const domains = sessions.domains.map(({ domain }) => domain)
  const origins = new Set(
    sessions.domains.flatMap(({ portalUrl }) =>
      portalUrl === undefined ? [] : [portalUrl.origin],
    ),
  )
  const destinations = formDestinations(domains, logoutUrl)
  const visitOf = ({ visit }: FastifyRequest): Visit => {
    if (visit === null) throw new AppError('INTERNAL', { reason: 'no visit was read' })
    return visit
  }

  app.decorateRequest('visit', null)
  app.addHook('onRequest', async function readsTheVisit(request) {
    if (request.method !== 'GET' && request.method !== 'HEAD') requireSameOrigin(request, origins)
    request.visit = await readVisit(request, { sessions, peers })
  })

  const show = (
    request: FastifyRequest,
    reply: FastifyReply,
    make: (t: Translate) => Omit<Page, 'language' | 't'>,
    status = 200,
  ) => {
    const { t } = messages.negotiate(request.headers['accept-language'])
    return replies.page(request, reply, make(t), status)
  }

  const judge = (carried: Carried, visit: Pick<Visit, 'address' | 'identity'>): Destination =>
    judgeDestination(carried.rd, carried.rm, visit, options)

  app.get('/', { config: { guard: 'public' } }, (request, reply) => {
    const visit = visitOf(request)
    const { domain, identity } = visit
    const carried = readCarried(request.query)
    const query = new Set(Object.keys(request.query as object))
    const destination = judge(carried, visit)
    const step = next({
      level: identity === undefined ? 0 : levelOf(identity.session),
      justSignedIn: query.has('signed-in'),
      destination,
      defaultRedirection: access.needsTwoFactor ? undefined : domain.defaultRedirectionUrl,
    })
    const user = identity?.profile.displayName ?? ''
    switch (step.kind) {
      case 'sign-in':
        return show(request, reply, (t) =>
          signInPage(t, {
            carried,
            host: destination.kind === 'safe' ? destination.host : undefined,
            failed: query.has('failed'),
            signedOut: query.has('signed-out'),
            rememberMe: domain.rememberMe,
            formAction: destinations,
          }),
        )
      case 'cookie-refused':
        return show(request, reply, (t) =>
          cookieRefusedPage(t, {
            carried,
            domain: domain.domain,
            insecure: !visit.secure,
            portal: domain.portalUrl?.href ?? '',
          }),
        )
      case 'continue':
        return replies.redirect(reply, headerBytes(step.url), 302)
      case 'second-factor':
        return show(request, reply, (t) => secondFactorPage(t, { user, host: step.host }), 403)
      case 'not-allowed':
        return notAllowed(request, reply, step.host, carried)
      case 'signed-in':
        return show(request, reply, (t) =>
          signedInPage(t, {
            user,
            address: identity?.session.address ?? '',
            apps:
              identity === undefined
                ? []
                : access.apps(subjectOf(visit), levelOf(identity.session), visit.address),
            formAction: destinations,
          }),
        )
      default:
        return step satisfies never
    }
  })

  const notAllowed = (
    request: FastifyRequest,
    reply: FastifyReply,
    host: string,
    carried: Carried,
  ) =>
    show(
      request,
      reply,
      (t) => ({
        title: t('verify.forbidden.title'),
        content: forbiddenContent(t, {
          user: visitOf(request).identity?.profile.displayName ?? '',
          host,
          switchUrl: withCarried('/logout', carried),
        }),
        requestId: request.id,
      }),
      403,
    )

  /** Where nginx sends a navigation that the rules refuse. It never leads on by itself: that could loop. */
  app.get('/forbidden', { config: { guard: 'public' } }, (request, reply) => {
    const carried = readCarried(request.query)
    const destination = judge(carried, visitOf(request))
    return destination.kind === 'safe'
      ? notAllowed(request, reply, destination.host, carried)
      : replies.redirect(reply, '/', 302)
  })

  const where = (request: FastifyRequest) => ({
    method: request.method,
    path: pathOf(request),
    request_id: request.id,
  })

  app.register(async (forms) => {
    await forms.register(formbody, { bodyLimit: BODY_LIMIT })

    forms.post('/', { config: { guard: 'public' } }, async (request, reply) => {
      const visit = visitOf(request)
      const form = textFields(request.body)
      const carried = readCarried(form)
      const username = form['username'] ?? ''
      const password = form['password'] ?? ''
      const refused = () => replies.redirect(reply, withCarried('/', carried, { failed: '' }))
      if (username.length > MAX_USERNAME || password.length > MAX_PASSWORD) return refused()
      const remember = form['remember'] === 'on'
      const attempt = await firstFactor({ username, password, remember }, visit, where(request))
      if (attempt.kind === 'refused') return refused()
      // Back to `/` and not on: there we see whether the browser kept the cookie.
      return replies.redirect(
        reply.header('Set-Cookie', attempt.cookie),
        withCarried('/', carried, { 'signed-in': '' }),
      )
    })

    forms.post('/logout', { config: { guard: 'public' } }, async (request, reply) => {
      const { rd } = readCarried(textFields(request.body))
      await endSession(visitOf(request), reply)
      const onward = rd !== '' && isSafeRedirect(rd, domains) ? headerBytes(rd) : logoutUrl
      return replies.redirect(reply, onward ?? '/?signed-out=')
    })
  })

  app.get('/logout', { config: { guard: 'public' } }, (request, reply) => {
    const { identity } = visitOf(request)
    const carried = readCarried(request.query)
    if (identity === undefined) {
      const onward = carried.rd !== '' && isSafeRedirect(carried.rd, domains)
      return replies.redirect(reply, onward ? headerBytes(carried.rd) : '/?signed-out=', 302)
    }
    return show(request, reply, (t) =>
      signOutPage(t, { user: identity.profile.displayName, carried, formAction: destinations }),
    )
  })

  const endSession = async (visit: Visit, reply: FastifyReply): Promise<void> => {
    if (visit.identity !== undefined) await sessions.revoke(visit.identity.session.key)
    reply.header('Set-Cookie', sessions.expireCookie(visit.domain))
  }

  app.register(async (api) => {
    // Bodies are read as JSON whatever their type says, as Authelia does; each handler says what a bad one means.
    api.removeAllContentTypeParsers()
    api.addContentTypeParser('*', { parseAs: 'string', bodyLimit: BODY_LIMIT }, (_, body, done) =>
      done(null, body),
    )

    api.get('/api/state', { config: { guard: 'public' } }, (request, reply) => {
      const { identity, domain } = visitOf(request)
      const url = domain.defaultRedirectionUrl
      return replies.json(
        reply,
        okBody({
          username: identity?.profile.name ?? '',
          authentication_level: identity === undefined ? 0 : levelOf(identity.session),
          factor_knowledge: identity?.session.factors.includes('password') ?? false,
          ...(url !== undefined && { default_redirection_url: url }),
        }),
      )
    })

    api.post('/api/firstfactor', { config: { guard: 'public' } }, async (request, reply) => {
      const visit = visitOf(request)
      const refused = () => {
        const refusal = new AppError('AUTHENTICATION_FAILED')
        return replies.json(reply, koBody(refusal.message), refusal.statusCode)
      }
      const body = FirstFactorBody.safeParse(parseJson(request.body)).data
      if (body === undefined) return refused()
      const { username, password } = body
      const remember = body.keepMeLoggedIn ?? false
      const attempt = await firstFactor({ username, password, remember }, visit, where(request))
      if (attempt.kind === 'refused') return refused()
      reply.header('Set-Cookie', attempt.cookie)
      const subject = { address: visit.address, identity: undefined }
      const carried = { rd: body.targetURL ?? '', rm: body.requestMethod ?? '' }
      const redirect = redirectAfter(
        judgeDestination(carried.rd, carried.rm, subject, options, attempt.profile),
        access.needsTwoFactor ? undefined : visit.domain.defaultRedirectionUrl,
      )
      return replies.json(reply, okBody(redirect === undefined ? undefined : { redirect }))
    })

    api.post('/api/logout', { config: { guard: 'public' } }, async (request, reply) => {
      const visit = visitOf(request)
      const body = LogoutBody.safeParse(parseJson(request.body)).data
      if (body === undefined) log.debug(where(request), 'the body of a logout is not valid JSON')
      await endSession(visit, reply)
      const target = body?.targetURL ?? ''
      return replies.json(reply, okBody({ safeTargetURL: isSafeRedirect(target, domains) }))
    })

    api.post(
      '/api/checks/safe-redirection',
      // Public, because an anonymous caller gets 401 here and not the 403 of guarded routes.
      { config: { guard: 'public' } },
      (request, reply) => {
        if (visitOf(request).identity === undefined) return replies.text(reply, 401)
        const body = SafeRedirectionBody.safeParse(parseJson(request.body)).data
        if (body === undefined || URL.parse(body.uri) === null)
          return replies.json(reply, koBody('Operation failed.'))
        return replies.json(reply, okBody({ ok: isSafeRedirect(body.uri, domains) }))
      },
    )
  })
}

/** http-api §3: where a script is told to go after the first factor; undefined is a plain OK. */
export function redirectAfter(
  destination: Destination,
  defaultRedirection: string | undefined,
): string | undefined {
  if (destination.kind !== 'safe') return defaultRedirection
  return destination.outcome === 'two_factor' ? undefined : destination.url
}

const subjectOf = ({ identity }: Visit) => ({
  user: identity?.profile.name ?? '',
  groups: identity?.profile.groups ?? [],
  clientId: '',
})

/**
 * Where the answer to one of our forms may lead, as form-action sources: every cookie domain and what lies below it,
 * and the configured logout URL. Without them browsers block the redirect after a form.
 */
function formDestinations(domains: readonly string[], logoutUrl: string | undefined): string[] {
  const sources = domains.flatMap((domain) => {
    const schemes =
      domain === 'localhost' || domain.endsWith('.localhost') ? ['https', 'http'] : ['https']
    return schemes.flatMap((scheme) => [`${scheme}://${domain}:*`, `${scheme}://*.${domain}:*`])
  })
  return logoutUrl === undefined ? sources : [...sources, new URL(logoutUrl).origin]
}

function readCarried(source: unknown): Carried {
  const { rd = '', rm = '' } = textFields(source)
  return { rd, rm: /^[A-Z]{1,32}$/.test(rm) ? rm : '' }
}

/** The fields that are there exactly once. A repeated field is no field: nobody can say which one was meant. */
function textFields(source: unknown): Readonly<Record<string, string>> {
  if (typeof source !== 'object' || source === null) return {}
  return Object.fromEntries(
    Object.entries(source).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  )
}

function parseJson(body: unknown): unknown {
  if (typeof body !== 'string') return undefined
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

/** Text as the bytes of its UTF-8, one character a byte: the only way in which Node writes it into a header. */
const headerBytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')
