import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../../kernel/errors.ts'
import {
  finishedTransactions,
  type HubRedirect,
  hasPendingTransaction,
  redirectThroughHub,
  redirectToHub,
} from '../hub/index.ts'
import {
  type Carried,
  contextOf,
  type Destination,
  type Facts,
  isCarriedName,
  type RequestContext,
  readCarried,
  titleOf,
  withCarried,
} from '../portal/index.ts'
import { levelOf } from '../sessions/index.ts'
import { forbiddenContent } from '../verify/index.ts'
import { next, type Step } from './flow.ts'
import { headerBytes } from './header-bytes.ts'
import { cookieRefusedPage, secondFactorPage, signedInPage, signInPage } from './pages.ts'
import type { LoginServices } from './services.ts'

type Services = Pick<
  LoginServices,
  | 'access'
  | 'base'
  | 'clock'
  | 'contributors'
  | 'defaultRedirection'
  | 'hub'
  | 'icons'
  | 'judge'
  | 'ownPages'
  | 'replies'
  | 'show'
>

/** One request for the portal: its facts, collected before any of them is answered. */
interface Asked {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly context: RequestContext
  readonly carried: Carried
  /** Names in the query. */
  readonly flags: ReadonlySet<string>
  readonly destination: Destination
}

/** The dispatcher: from the facts of a request to the flow's step, and from the step to an answer. */
export function createFlowPages(services: Services, formAction: readonly string[]) {
  const { base, replies } = services
  const home = `${base}/`
  const pages = createStepPages(services, formAction)

  /** @throws whatever a contributor throws: the request then ends with an error page */
  const stepOf = async ({ context, flags, destination }: Asked): Promise<Step> => {
    const { identity } = context
    const facts: Facts = {
      level: identity === undefined ? 0 : levelOf(identity.session),
      justSignedIn: flags.has('signed-in'),
      destination,
      defaultRedirection: services.defaultRedirection(context),
    }
    if (identity === undefined) return next(facts)
    const contributors = await Promise.all(
      services.contributors.map(async (one) => ({
        name: one.name,
        next: await one.prepare(context),
      })),
    )
    return next(facts, contributors)
  }

  /** To another domain's portal: before the form is shown, and once after a sign-in. */
  const hubRedirect = (
    step: Step,
    { flags, request, context, carried }: Asked,
  ): HubRedirect | undefined => {
    const { hub, clock } = services
    if (step.kind !== 'sign-in')
      return flags.has('signed-in') && !flags.has('hub')
        ? redirectThroughHub(hub, request, context, carried)
        : undefined
    // After a sign-out or a wrong password, the user is at the form for a reason.
    const isFresh = [...flags].every(isCarriedName)
    return isFresh ? redirectToHub(hub, request, context, carried, clock.now()) : undefined
  }

  const answer = (step: Step, asked: Asked): FastifyReply => {
    const { request, reply, carried } = asked
    switch (step.kind) {
      case 'sign-in':
        return pages.signIn(asked)
      case 'cookie-refused':
        return pages.cookieRefused(asked)
      case 'continue':
        return replies.redirect(reply, headerBytes(step.url), 302)
      case 'contributed':
        return replies.redirect(reply, withCarried(base + checkedPath(step), carried), 302)
      case 'second-factor':
        return pages.secondFactor(asked, step.host)
      case 'not-allowed':
        return pages.notAllowed(request, reply, step.host, carried)
      case 'signed-in':
        return pages.signedIn(asked)
      default:
        return step satisfies never
    }
  }

  return {
    async portal(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
      const context = contextOf(request)
      const carried = readCarried(request.query)
      // Fastify's parser gives an object for every query.
      const flags = new Set(Object.keys(request.query as object))
      const destination = await services.judge(carried, context)
      const asked: Asked = { request, reply, context, carried, flags, destination }
      const step = await stepOf(asked)
      // Back from the hub, nothing of the transaction has to be remembered.
      if (flags.has('hub'))
        for (const cookie of finishedTransactions(request)) reply.header('Set-Cookie', cookie)
      const away = hubRedirect(step, asked)
      if (away === undefined) return answer(step, asked)
      for (const cookie of away.cookies) reply.header('Set-Cookie', cookie)
      return replies.redirect(reply, away.location, 302)
    },

    /** Where nginx sends a navigation that the rules refuse. It never redirects to the target: that could loop. */
    async forbidden(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
      const carried = readCarried(request.query)
      const destination = await services.judge(carried, contextOf(request))
      return destination.kind === 'safe'
        ? pages.notAllowed(request, reply, destination.host, carried)
        : replies.redirect(reply, home, 302)
    },
  }
}

/** A path of ours and nothing else: `//host` would be another origin. */
function checkedPath({ by, path }: Extract<Step, { kind: 'contributed' }>): string {
  if (!/^(\/[a-z0-9-]+)+$/.test(path))
    throw new AppError('INTERNAL', { reason: `${by} contributed a path that is none: ${path}` })
  return path
}

/** The pages of the flow's own steps. */
function createStepPages(services: Services, formAction: readonly string[]) {
  const { access, icons, base, show, ownPages } = services

  const appsOf = ({ identity, address }: RequestContext) => {
    if (identity === undefined) return []
    const { name, groups } = identity.profile
    return access
      .apps({ user: name, groups, clientId: '' }, levelOf(identity.session), address)
      .map(({ title, url, host, icon }) => {
        const picture = icon === undefined ? undefined : icons.urlOf(icon)
        return { title, url, host, picture: picture === undefined ? undefined : base + picture }
      })
  }
  const displayNameOf = ({ identity }: RequestContext): string =>
    identity?.profile.displayName ?? ''

  return {
    signIn: ({ request, reply, context, carried, flags, destination }: Asked) =>
      show(request, reply, (t) =>
        signInPage(t, {
          carried,
          host: titleOf(destination),
          failed: flags.has('failed'),
          signedOut: flags.has('signed-out'),
          waiting: hasPendingTransaction(request),
          rememberMe: context.domain.rememberMe,
          formAction,
          base,
        }),
      ),

    cookieRefused: ({ request, reply, context, carried }: Asked) =>
      show(request, reply, (t) =>
        cookieRefusedPage(t, {
          carried,
          domain: context.domain.domain,
          insecure: !context.secure,
          portal: context.domain.portalUrl?.href ?? '',
          base,
        }),
      ),

    secondFactor: ({ request, reply, context }: Asked, host: string) =>
      show(
        request,
        reply,
        (t) => secondFactorPage(t, { user: displayNameOf(context), host, base }),
        403,
      ),

    notAllowed: (request: FastifyRequest, reply: FastifyReply, host: string, carried: Carried) =>
      show(
        request,
        reply,
        (t) => ({
          title: t('verify.forbidden.title'),
          content: forbiddenContent(t, {
            user: displayNameOf(contextOf(request)),
            host,
            switchUrl: withCarried(`${base}/logout`, carried),
            homeUrl: `${base}/`,
          }),
          requestId: request.id,
        }),
        403,
      ),

    signedIn: ({ request, reply, context }: Asked) =>
      show(request, reply, (t) =>
        signedInPage(t, {
          user: displayNameOf(context),
          address: context.identity?.session.address ?? '',
          apps: appsOf(context),
          pages: ownPages.map(({ path, title }) => ({
            href: `${base}/settings/${path}`,
            title: t(title),
          })),
          formAction,
          base,
        }),
      ),
  }
}
