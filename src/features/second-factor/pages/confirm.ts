import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { html } from 'ghtml'
import type { PageContent } from '../../../http/layout.ts'
import { CONFIRM_PATH, readReturn, textFields, withCarried } from '../../portal/index.ts'
import type { ElevationMethod } from '../method.ts'
import { fieldForm, otherWays } from './markup.ts'
import { type Asked, askedBy, type PageServices } from './services.ts'
import { showTyped } from './show-typed.ts'
import { webauthnButton } from './webauthn.ts'

/** Where a confirmation leads that nothing asked for. */
const DEFAULT_RETURN = '/settings/factors'
/** What this page can ask for; a mailed code is none of it. */
const SHOWN = ['password', 'totp', 'webauthn', 'recovery_code'] as const
type Shown = (typeof SHOWN)[number]

/**
 * "Confirm that it's you": elevates the session by a password or a code, and leads back to the page that asked for it, with
 * what is carried.
 */
export const confirmRoutes: FastifyPluginAsync<{ readonly services: PageServices }> = async (
  app,
  { services },
) => {
  const config = { guard: 'user' } as const
  app.get(CONFIRM_PATH, { config }, (request, reply) => ask(services, request, reply))
  const delayed = { ...config, delayed: 'checked' } as const
  app.post(CONFIRM_PATH, { config: delayed }, (request, reply) => take(services, request, reply))
}

interface Confirmation extends Asked {
  /** What would elevate the session, the chosen one first. */
  readonly methods: readonly Shown[]
  /** The page that it leads back to; '' for none. */
  readonly to: string
}

async function confirmationOf(
  { secondFactor }: Pick<PageServices, 'secondFactor'>,
  request: FastifyRequest,
): Promise<Confirmation> {
  const asked = askedBy(request)
  const { with: chosen = '', to = '' } = textFields(request.query)
  const found = await secondFactor.elevation.methods(asked.identity, asked.domain)
  const methods = found.filter(isShown)
  return {
    ...asked,
    methods: methods.toSorted((a, b) => Number(b === chosen) - Number(a === chosen)),
    to: readReturn(to),
  }
}

const isShown = (method: ElevationMethod): method is Shown =>
  SHOWN.some((shown) => shown === method)

/** The address of this page, or of its form. */
const hrefOf = (
  { base }: Pick<PageServices, 'base'>,
  { carried, to }: Confirmation,
  more: Readonly<Record<string, string>>,
): string => withCarried(base + CONFIRM_PATH, carried, { ...(to !== '' && { to }), ...more })

const backFrom = ({ base }: Pick<PageServices, 'base'>, { carried, to }: Confirmation): string =>
  withCarried(base + (to === '' ? DEFAULT_RETURN : to), carried, { confirmed: '' })

async function ask(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { secondFactor, show, base } = services
  const confirmation = await confirmationOf(services, request)
  const [method, ...others] = confirmation.methods
  const digits =
    method === 'totp' ? (await secondFactor.totp?.config(confirmation.user))?.digits : undefined
  return show(request, reply, (t): PageContent => {
    const page = (content: string): PageContent => ({
      title: t('secondFactor.confirm.title'),
      script: true,
      content: html`<h1>${t('secondFactor.confirm.title')}</h1>
!${content}
<a class="button quiet below" href="${base}/">${t('secondFactor.cancel')}</a>`,
    })
    if (method === undefined) return page(html`<p>${t('secondFactor.confirm.none')}</p>`)
    const form =
      method === 'webauthn'
        ? webauthnButton(t, { purpose: 'confirm', base, next: backFrom(services, confirmation) })
        : fieldForm(t, {
            kind: method,
            action: hrefOf(services, confirmation, { with: method }),
            wrong: confirmation.flags.has('wrong'),
            submit: t('secondFactor.confirm.submit'),
            digits,
          })
    const ways = others.flatMap((way) =>
      way === 'password'
        ? []
        : [{ method: way, href: hrefOf(services, confirmation, { with: way }) }],
    )
    return page(html`<p class="lead">${t(`secondFactor.confirm.${method}`)}</p>
!${form}
!${otherWays(t, ways)}`)
  })
}

async function take(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { replies, secondFactor } = services
  const confirmation = await confirmationOf(services, request)
  const [method] = confirmation.methods
  // The script speaks for a key; and what was chosen may have been removed meanwhile.
  if (method === undefined || method === 'webauthn' || !confirmation.flags.has('with'))
    return replies.redirect(reply, hrefOf(services, confirmation, {}))
  // A second factor counts as one, also where it is shown for a setting: the session may rise with it.
  const identity = await showTyped(secondFactor, method, request, reply)
  if (identity === undefined)
    return replies.redirect(reply, hrefOf(services, confirmation, { with: method, wrong: '' }))
  await secondFactor.elevation.grant(request, reply, identity, method)
  return replies.redirect(reply, backFrom(services, confirmation))
}
