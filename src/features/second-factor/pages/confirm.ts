import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { html } from 'ghtml'
import type { PageContent } from '../../../http/layout.ts'
import type { Translate } from '../../../http/messages.ts'
import { CONFIRM_PATH, readReturn, textFields, withCarried } from '../../portal/index.ts'
import type { ElevationMethod } from '../method.ts'
import { alert, fieldForm, otherWays } from './markup.ts'
import { type Asked, askedBy, type PageServices } from './services.ts'
import { showTyped } from './show-typed.ts'
import { webauthnButton } from './webauthn.ts'

/** Where a confirmation leads that nothing asked for. */
const DEFAULT_RETURN = '/settings/factors'
/**
 * "Confirm that it's you": elevates the session by a password, a factor or a mailed code, and leads back to the page that asked for it, with
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
  readonly methods: readonly ElevationMethod[]
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
  return {
    ...asked,
    methods: found.toSorted((a, b) => Number(b === chosen) - Number(a === chosen)),
    to: readReturn(to),
  }
}

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
        : method === 'mail'
          ? mailForms(t, services, confirmation)
          : fieldForm(t, {
              kind: method,
              action: hrefOf(services, confirmation, { with: method }),
              wrong: confirmation.flags.has('wrong'),
              submit: t('secondFactor.confirm.submit'),
              digits,
            })
    const ways = others.map((way) => ({
      method: way,
      href: hrefOf(services, confirmation, { with: way }),
    }))
    const text = method === 'mail' && confirmation.flags.has('sent') ? 'sent' : method
    return page(html`<p class="lead">${t(`secondFactor.confirm.${text}`)}</p>
!${form}
!${otherWays(t, ways)}`)
  })
}

/** First a button that sends a code, then the field for it and the button again. */
function mailForms(t: Translate, services: PageServices, confirmation: Confirmation): string {
  const { flags } = confirmation
  const isSent = flags.has('sent')
  const send = html`<form method="post" action="${hrefOf(services, confirmation, { with: 'mail', send: '' })}" data-once>
<button class="button !${isSent ? 'quiet below' : ''}" type="submit">${t(`secondFactor.confirm.${isSent ? 'sendAgain' : 'send'}`)}</button>
</form>`
  if (!isSent)
    return html`!${flags.has('not-sent') ? alert(t('secondFactor.confirm.notSent')) : ''}
!${send}`
  const field = fieldForm(t, {
    kind: 'mail',
    action: hrefOf(services, confirmation, { with: 'mail', sent: '' }),
    wrong: flags.has('wrong'),
    submit: t('secondFactor.confirm.submit'),
  })
  return html`!${field}
!${send}`
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
  const again = { with: method, ...(method === 'mail' && { sent: '' }) }
  if (method === 'mail' && confirmation.flags.has('send')) {
    const id = await secondFactor.mailedCodes?.send(request)
    const next = id === undefined ? { with: method, 'not-sent': '' } : again
    return replies.redirect(reply, hrefOf(services, confirmation, next))
  }
  // A second factor counts as one, also where it is shown for a setting: the session may rise with it.
  const identity = await showTyped(secondFactor, method, request, reply)
  if (identity === undefined)
    return replies.redirect(reply, hrefOf(services, confirmation, { ...again, wrong: '' }))
  await secondFactor.elevation.grant(request, reply, identity, method)
  return replies.redirect(reply, backFrom(services, confirmation))
}
