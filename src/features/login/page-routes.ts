import formbody from '@fastify/formbody'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { PageContent } from '../../http/layout.ts'
import type { Translate } from '../../http/messages.ts'
import { readPairs } from '../../kernel/pairs.ts'
import { isSafeRedirect } from '../../kernel/redirect.ts'
import { levelOf } from '../sessions/index.ts'
import { forbiddenContent } from '../verify/index.ts'
import { type Carried, readCarried, textFields, withCarried } from './carried.ts'
import { MAX_PASSWORD, MAX_USERNAME } from './first-factor.ts'
import { next, type Step } from './flow.ts'
import { formDestinations } from './form-destinations.ts'
import { isAway, tripsOver, wayThroughHub, wayToHub } from './hub-routes.ts'
import {
  cookieRefusedPage,
  limitedPage,
  secondFactorPage,
  signedInPage,
  signInPage,
  signOutPage,
} from './pages.ts'
import { BODY_LIMIT, type Portal } from './portal.ts'
import type { Visit } from './visit.ts'

/** What people see. Every form is answered 303: the page behind it can be reloaded, and the back button does no harm. */
export const pageRoutes: FastifyPluginAsync<{ readonly portal: Portal }> = async (
  app,
  { portal },
) => {
  const { access, icons, replies, messages, base, domains, visitOf, where } = portal
  // As a header carries it, whatever script its path was written in.
  const logoutUrl = portal.logoutUrl === undefined ? undefined : new URL(portal.logoutUrl).href
  const formAction = formDestinations(domains, logoutUrl)
  const home = `${base}/`
  await app.register(formbody, { bodyLimit: BODY_LIMIT, parser: readPairs })

  const show = (
    request: FastifyRequest,
    reply: FastifyReply,
    make: (t: Translate) => PageContent,
    status = 200,
  ) => {
    const { t } = messages.negotiate(request.headers['accept-language'])
    return replies.page(request, reply, make(t), status)
  }

  app.get('/', { config: { guard: 'public' } }, (request, reply) => {
    const visit = visitOf(request)
    const { domain, identity } = visit
    const carried = readCarried(request.query)
    // Fastify's parser gives an object for every query.
    const flags = new Set(Object.keys(request.query as object))
    const destination = portal.judge(carried, visit)
    const step = next({
      level: identity === undefined ? 0 : levelOf(identity.session),
      justSignedIn: flags.has('signed-in'),
      destination,
      defaultRedirection: portal.defaultRedirection(visit),
    })
    // Back from the hub, nothing of the trip has to be remembered.
    if (flags.has('hub')) for (const over of tripsOver(request)) reply.header('Set-Cookie', over)
    const way = wayOn(step, flags, request, visit, carried)
    if (way !== undefined) {
      for (const cookie of way.cookies) reply.header('Set-Cookie', cookie)
      return replies.redirect(reply, way.location, 302)
    }
    const user = identity?.profile.displayName ?? ''
    switch (step.kind) {
      case 'sign-in':
        return show(request, reply, (t) =>
          signInPage(t, {
            carried,
            host: destination.kind === 'safe' ? destination.host : undefined,
            failed: flags.has('failed'),
            signedOut: flags.has('signed-out'),
            waiting: isAway(request),
            rememberMe: domain.rememberMe,
            formAction,
            base,
          }),
        )
      case 'cookie-refused':
        return show(request, reply, (t) =>
          cookieRefusedPage(t, {
            carried,
            domain: domain.domain,
            insecure: !visit.secure,
            portal: domain.portalUrl?.href ?? '',
            base,
          }),
        )
      case 'continue':
        return replies.redirect(reply, headerBytes(step.url), 302)
      case 'second-factor':
        return show(
          request,
          reply,
          (t) => secondFactorPage(t, { user, host: step.host, base }),
          403,
        )
      case 'not-allowed':
        return notAllowed(request, reply, step.host, carried)
      case 'signed-in':
        return show(request, reply, (t) =>
          signedInPage(t, {
            user,
            address: identity?.session.address ?? '',
            apps: appsOf(visit),
            pages: portal.ownPages.map(({ path, title }) => ({
              href: `${base}/settings/${path}`,
              title: t(title),
            })),
            formAction,
            base,
          }),
        )
      default:
        return step satisfies never
    }
  })

  /** Across the domains: before the form is shown, and once after somebody has signed in. */
  const wayOn = (
    step: Step,
    flags: ReadonlySet<string>,
    request: FastifyRequest,
    visit: Visit,
    carried: Carried,
  ) => {
    if (step.kind !== 'sign-in')
      return flags.has('signed-in') && !flags.has('hub')
        ? wayThroughHub(portal.hub, request, visit, carried)
        : undefined
    // Whoever signed out, or mistyped, is at the form for a reason.
    const isFresh = [...flags].every((flag) => flag === 'rd' || flag === 'rm')
    return isFresh ? wayToHub(portal.hub, request, visit, carried, portal.clock.now()) : undefined
  }

  const appsOf = ({ identity, address }: Visit) => {
    if (identity === undefined) return []
    const { name, groups } = identity.profile
    return access
      .apps({ user: name, groups, clientId: '' }, levelOf(identity.session), address)
      .map(({ title, url, host, icon }) => {
        const picture = icon === undefined ? undefined : icons.urlOf(icon)
        return { title, url, host, picture: picture === undefined ? undefined : base + picture }
      })
  }

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
          switchUrl: withCarried(`${base}/logout`, carried),
          homeUrl: home,
        }),
        requestId: request.id,
      }),
      403,
    )

  /** Where nginx sends a navigation that the rules refuse. It never leads on by itself: that could loop. */
  app.get('/forbidden', { config: { guard: 'public' } }, (request, reply) => {
    const carried = readCarried(request.query)
    const destination = portal.judge(carried, visitOf(request))
    return destination.kind === 'safe'
      ? notAllowed(request, reply, destination.host, carried)
      : replies.redirect(reply, home, 302)
  })

  app.post('/', { config: { guard: 'public', delayed: true } }, async (request, reply) => {
    const visit = visitOf(request)
    const form = textFields(request.body)
    const carried = readCarried(form)
    const username = form['username'] ?? ''
    const password = form['password'] ?? ''
    const refused = () => replies.redirect(reply, withCarried(home, carried, { failed: '' }))
    if (username.length > MAX_USERNAME || password.length > MAX_PASSWORD) return refused()
    const credentials = { username, password, remember: form['remember'] === 'on' }
    const attempt = await portal.firstFactor(credentials, visit, where(request))
    // Past the limit people get a page that still knows where they wanted to go.
    if (attempt.kind === 'limited') {
      const wait = attempt.error.retryAfter ?? 1
      reply.header('Retry-After', String(wait))
      for (const cookie of attempt.cookies) reply.header('Set-Cookie', cookie)
      return show(request, reply, (t) => limitedPage(t, { carried, wait, base }), 429)
    }
    request.checked = attempt.checked
    if (attempt.kind === 'refused') return refused()
    // Back to `/` and not on: there we see whether the browser kept the cookie.
    return replies.redirect(
      reply.header('Set-Cookie', attempt.cookies),
      withCarried(home, carried, { 'signed-in': '' }),
    )
  })

  app.get('/logout', { config: { guard: 'public' } }, (request, reply) => {
    const { identity, cookies } = visitOf(request)
    const carried = readCarried(request.query)
    // Of several cookies each may stand for a session, also where none of them counts.
    if (identity === undefined && cookies.length < 2)
      return replies.redirect(reply, afterLogout(carried, home), 302)
    const user = identity?.profile.displayName
    return show(request, reply, (t) => signOutPage(t, { user, carried, formAction, base }))
  })

  app.post('/logout', { config: { guard: 'public' } }, async (request, reply) => {
    const carried = readCarried(textFields(request.body))
    await portal.endSession(request, reply)
    return replies.redirect(reply, afterLogout(carried, logoutUrl ?? home))
  })

  /** Measure 29: a safe target, else where the configuration says, else our own page. */
  const afterLogout = ({ rd }: Carried, otherwise: string): string => {
    if (rd !== '' && isSafeRedirect(rd, domains)) return headerBytes(rd)
    return otherwise === home ? `${home}?signed-out=` : otherwise
  }
}

/** Text as the bytes of its UTF-8, one character a byte: the only way in which Node writes it into a header. */
const headerBytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')
