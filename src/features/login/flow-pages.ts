import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../../kernel/errors.ts'
import {
  finishedTransactions,
  type HubRedirect,
  redirectThroughHub,
  redirectToHub,
} from '../hub/index.ts'
import { contextOf, type Facts, isCarriedName, readCarried, withCarried } from '../portal/index.ts'
import { levelOf } from '../sessions/index.ts'
import { next, type Step } from './flow.ts'
import { headerBytes } from './header-bytes.ts'
import type { LoginServices } from './services.ts'
import { type Asked, createStepPages, type StepPagesServices } from './step-pages.ts'

export type FlowPagesServices = StepPagesServices &
  Pick<LoginServices, 'clock' | 'contributors' | 'defaultRedirection' | 'hub' | 'judge' | 'replies'>

/** The dispatcher: from the facts of a request to the flow's step, and from the step to an answer. */
export function createFlowPages(services: FlowPagesServices, formAction: readonly string[]) {
  const { base, replies } = services
  const home = `${base}/`
  const pages = createStepPages(services, formAction)

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
      const step = await stepOf(services, asked)
      // Back from the hub, nothing of the transaction has to be remembered.
      if (flags.has('hub'))
        for (const cookie of finishedTransactions(request)) reply.header('Set-Cookie', cookie)
      const away = hubRedirect(services, step, asked)
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

/** @throws whatever a contributor throws: the request then ends with an error page */
async function stepOf(
  { contributors, defaultRedirection }: FlowPagesServices,
  { context, flags, destination }: Asked,
): Promise<Step> {
  const { identity } = context
  const facts: Facts = {
    level: identity === undefined ? 0 : levelOf(identity.session),
    justSignedIn: flags.has('signed-in'),
    destination,
    defaultRedirection: defaultRedirection(context),
  }
  if (identity === undefined) return next(facts)
  const prepared = contributors.map(async (one) => ({
    name: one.name,
    next: await one.prepare(context),
  }))
  return next(facts, await Promise.all(prepared))
}

/** To another domain's portal: before the form is shown, and once after a sign-in. */
function hubRedirect(
  { hub, clock }: FlowPagesServices,
  step: Step,
  { flags, request, context, carried }: Asked,
): HubRedirect | undefined {
  if (step.kind !== 'sign-in')
    return flags.has('signed-in') && !flags.has('hub')
      ? redirectThroughHub(hub, request, context, carried)
      : undefined
  // After a sign-out or a wrong password, the user is at the form for a reason.
  const isFresh = [...flags].every(isCarriedName)
  return isFresh ? redirectToHub(hub, request, context, carried, clock.now()) : undefined
}

/** A path of ours and nothing else: `//host` would be another origin. */
function checkedPath({ by, path }: Extract<Step, { kind: 'contributed' }>): string {
  if (!/^(\/[a-z0-9-]+)+$/.test(path))
    throw new AppError('INTERNAL', { reason: `${by} contributed a path that is none: ${path}` })
  return path
}
