import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { html } from 'ghtml'
import type { PageContent } from '../../../http/layout.ts'
import type { Translate } from '../../../http/messages.ts'
import { textFields, withCarried } from '../../portal/index.ts'
import { hasFactor, levelOf } from '../../sessions/index.ts'
import type { MethodName, SecondFactor } from '../method.ts'
import { fieldForm, otherWays, PATHS, type Typed, trustBox } from './markup.ts'
import { type Asked, askedBy, type PageServices } from './services.ts'
import { showTyped } from './show-typed.ts'
import { webauthnButton } from './webauthn.ts'

const HOME = '/second-factor'
/** A second factor is asked for: the preferred method first, and links to the others. */
export const challengeRoutes: FastifyPluginAsync<{ readonly services: PageServices }> = async (
  app,
  { services },
) => {
  const config = { guard: 'user' } as const
  app.get(HOME, { config }, (request, reply) => chooseMethod(services, request, reply))
  app.get(`${HOME}/webauthn`, { config }, (request, reply) =>
    ask(services, 'webauthn', request, reply),
  )
  for (const method of ['totp', 'recovery_code', 'password'] as const) {
    const path = `${HOME}/${PATHS[method]}`
    app.get(path, { config }, (request, reply) => ask(services, method, request, reply))
    const delayed = { ...config, delayed: 'checked' } as const
    app.post(path, { config: delayed }, (request, reply) => take(services, method, request, reply))
  }
}

/** What this user may show, preferred first. A session without a password lacks that one. */
async function waysOf(
  { secondFactor }: Pick<PageServices, 'secondFactor'>,
  { identity, user, domain }: Asked,
): Promise<readonly (MethodName | 'password')[]> {
  if (!hasFactor(identity.session, 'password')) return ['password']
  return secondFactor.available(user, domain)
}

async function chooseMethod(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { replies, base, secondFactor, show } = services
  const asked = askedBy(request)
  const { identity, user, carried } = asked
  if (levelOf(identity.session) === 2)
    return replies.redirect(reply, withCarried(`${base}/`, carried), 302)
  const [first] = await waysOf(services, asked)
  if (first !== undefined)
    return replies.redirect(reply, withCarried(`${base}${HOME}/${PATHS[first]}`, carried), 302)
  if (secondFactor.isOn && (await secondFactor.mayEnrol(user)))
    return replies.redirect(reply, withCarried(`${base}${HOME}/enrol`, carried), 302)
  return show(request, reply, (t) => noFactorPage(t, secondFactor, base), 403)
}

/** Shown where a user has no factor and may enrol none. */
export function noFactorPage(
  t: Translate,
  { isOn }: Pick<SecondFactor, 'isOn'>,
  base: string,
): PageContent {
  return {
    title: t('secondFactor.none.title'),
    content: html`<h1>${t('secondFactor.none.title')}</h1>
<p>${t(isOn ? 'secondFactor.none.notInvited' : 'secondFactor.none.off')}</p>
<a class="button quiet" href="${base}/">${t('secondFactor.home')}</a>
<a class="button quiet below" href="${base}/logout">${t('secondFactor.signOut')}</a>`,
  }
}

async function ask(
  services: PageServices,
  method: MethodName | 'password',
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { replies, base, secondFactor, show, formAction, onward } = services
  const asked = askedBy(request)
  const { identity, user, carried, flags } = asked
  if (method === 'recovery_code' && flags.has('used') && levelOf(identity.session) === 2) {
    const remaining = (await secondFactor.recoveryCodes.status(user))?.remaining ?? 0
    return show(request, reply, (t) =>
      usedPage(t, { remaining, next: onward(carried), settings: `${base}/settings/factors` }),
    )
  }
  const ways = await waysOf(services, asked)
  if (levelOf(identity.session) === 2 || !ways.includes(method))
    return replies.redirect(reply, withCarried(base + HOME, carried), 302)
  const hrefOf = (way: keyof typeof PATHS): string =>
    withCarried(`${base}${HOME}/${PATHS[way]}`, carried)
  const digits = method === 'totp' ? (await secondFactor.totp?.config(user))?.digits : undefined
  const others = ways.flatMap((way) =>
    way === method || way === 'password' ? [] : [{ method: way, href: hrefOf(way) }],
  )
  return show(request, reply, (t) => {
    const trust = trustBox(t, secondFactor.trusted.duration)
    return {
      title: t('secondFactor.title'),
      script: true,
      formAction,
      content: html`<h1>${t('secondFactor.title')}</h1>
<p class="lead">${t(`secondFactor.${method}.text`)}</p>
!${
        method === 'webauthn'
          ? html`!${trust}!${webauthnButton(t, { purpose: 'sign-in', base, next: onward(carried) })}`
          : fieldForm(t, {
              kind: method,
              action: hrefOf(method),
              wrong: flags.has('wrong'),
              submit: t('secondFactor.continue'),
              digits,
              trust,
            })
      }
!${otherWays(t, others)}
<a class="button quiet below" href="${base}/logout">${t('secondFactor.signOut')}</a>`,
    }
  })
}

async function take(
  services: PageServices,
  method: Exclude<Typed, 'mail'>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { replies, base, secondFactor, onward } = services
  const asked = askedBy(request)
  const { identity, carried } = asked
  const ways = await waysOf(services, asked)
  // Sent twice, or removed meanwhile.
  if (levelOf(identity.session) === 2 || !ways.includes(method))
    return replies.redirect(reply, withCarried(base + HOME, carried))
  const here = `${base}${HOME}/${PATHS[method]}`
  const trust = secondFactor.trusted.prepare(request, textFields(request.body)['trust'] === 'on')
  const typed = await showTyped(secondFactor, method, request, reply)
  if (typed === undefined) return replies.redirect(reply, withCarried(here, carried, { wrong: '' }))
  const shown = method === 'password' ? await secondFactor.pass(request, reply, 'password') : typed
  await trust(reply, shown.session)
  const next =
    method === 'recovery_code' ? withCarried(here, carried, { used: '' }) : onward(carried)
  return replies.redirect(reply, next)
}

function usedPage(
  t: Translate,
  {
    remaining,
    next,
    settings,
  }: { readonly remaining: number; readonly next: string; readonly settings: string },
): PageContent {
  const left = remaining === 0 ? 'noneLeft' : remaining === 1 ? 'oneLeft' : 'left'
  return {
    title: t('secondFactor.used.title'),
    content: html`<h1>${t('secondFactor.used.title')}</h1>
<p>${t(`secondFactor.used.${left}`, { remaining })}</p>
<a class="button" href="${next}">${t('secondFactor.continue')}</a>
<a class="button quiet below" href="${settings}">${t('secondFactor.used.settings')}</a>`,
  }
}
