import formbody from '@fastify/formbody'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { html } from 'ghtml'
import type { Translate } from '../../../http/messages.ts'
import { AppError } from '../../../kernel/errors.ts'
import { readPairs } from '../../../kernel/pairs.ts'
import { faultsAlert, faultsIn, strengthMeter } from '../../password-policy/index.ts'
import type { PasswordPolicy } from '../../passwords/index.ts'
import { contextOf, ownerOf, pageRefusals, textFields } from '../../portal/index.ts'
import type { Users } from '../../users/index.ts'
import type { SettingsPage } from '../page.ts'
import type { SettingsServices } from '../services.ts'

const PATH = 'password'
/** Two passwords of 1024 bytes, percent-encoded. */
const BODY_LIMIT = 8192

export interface PasswordPageOptions {
  readonly users: Pick<Users, 'setPassword' | 'profile'>
  readonly policy: PasswordPolicy
}

/** A new password. All other sessions of the user end with it. */
export const createPasswordPage = (options: PasswordPageOptions): SettingsPage => ({
  path: PATH,
  title: 'settings.password.title',
  async routes(app, { services }) {
    await app.register(pageRefusals, services)
    await app.register(formbody, { bodyLimit: BODY_LIMIT, parser: readPairs })
    const config = { guard: 'elevated' } as const
    app.get(`/settings/${PATH}`, { config }, (request, reply) =>
      show(options, services, request, reply),
    )
    app.post(`/settings/${PATH}`, { config }, (request, reply) =>
      change(options, services, request, reply),
    )
  },
})

/** What is wrong with what was typed. */
const FAULTS = ['different', 'unusable', 'fixed'] as const
type Fault = (typeof FAULTS)[number]

function show(
  { policy }: PasswordPageOptions,
  services: SettingsServices,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const { replies, speak, base } = services
  const { t } = speak(request)
  // Fastify's parser gives an object for every query.
  const flags = request.query as object
  const weak = faultsIn(textFields(request.query)['weak'] ?? '')
  const fault = FAULTS.find((one) => one in flags)
  const { name } = ownerOf(request).profile
  return replies.page(request, reply, {
    title: t('settings.password.title'),
    navigation: services.navigation(t, PATH),
    script: true,
    content: html`<h1>${t('settings.password.title')}</h1>
<p class="lead">${t('settings.password.text')}</p>
!${'confirmed' in flags ? html`<p class="notice" role="status">${t('settings.password.confirmed')}</p>` : ''}
!${weak.length === 0 ? '' : faultsAlert(t, weak, policy)}
!${fault === undefined ? '' : html`<div class="alert" role="alert" id="wrong"><p>${t(`settings.password.${fault}`)}</p></div>`}
<form method="post" action="${base}/settings/${PATH}" data-once>
<input type="text" name="username" value="${name}" autocomplete="username" readonly hidden>
!${field(t, 'password', weak.length > 0 ? 'unusable' : fault)}
!${strengthMeter(t, policy, base)}
!${field(t, 'repeat', fault)}
<button class="button" type="submit">${t('settings.password.save')}</button>
</form>
<a class="button quiet below" href="${base}/">${t('settings.back')}</a>`,
  })
}

function field(t: Translate, name: 'password' | 'repeat', fault: Fault | undefined): string {
  // The field that has to be corrected has the focus.
  const isWrong = fault !== undefined && (name === 'password' || fault === 'different')
  const focused = name === 'password' ? 'autofocus' : ''
  return html`<div class="field">
<label for="${name}">${t(`settings.password.${name}`)}</label>
<input type="password" id="${name}" name="${name}" autocomplete="new-password" maxlength="1024" required !${isWrong ? 'aria-invalid="true" aria-describedby="wrong"' : ''} !${focused}>
</div>`
}

async function change(
  { users, policy }: PasswordPageOptions,
  services: SettingsServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { replies, audit, base } = services
  const here = `${base}/settings/${PATH}`
  const { session } = ownerOf(request)
  const { password = '', repeat = '' } = textFields(request.body)
  if (password !== repeat) return replies.redirect(reply, `${here}?different=`)
  try {
    const approved = await policy.approve(password, ownerOf(request).profile)
    await users.setPassword(session.user, approved)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    if (error.code === 'PASSWORD_WEAK')
      return replies.redirect(reply, `${here}?weak=${faultsIn(error).join(',')}`)
    if (error.code === 'PASSWORD_UNUSABLE') return replies.redirect(reply, `${here}?unusable=`)
    if (error.code === 'USERS_UNWRITABLE') return replies.redirect(reply, `${here}?fixed=`)
    throw error
  }
  const { address, userAgent } = contextOf(request)
  audit.record('password.changed', {
    ...{ user: session.user, actor: `user:${session.user}`, address, userAgent },
    ...{ requestId: request.id, details: { reason: 'settings' } },
  })
  const cookie = await goOn(users, services, request)
  // The password is changed all the same: the user signs in with it.
  if (cookie === undefined) return replies.redirect(reply, `${base}/`)
  // The new session is not elevated: this page would ask for a confirmation again.
  return replies.redirect(
    reply.header('Set-Cookie', cookie),
    `${base}/settings/sessions?password-changed=`,
  )
}

/**
 * With the old password, every session of the user has ended, this one too. The browser that changed it gets another one, as
 * after a sign-in with what this one had shown.
 * @returns undefined: something else has ended the user's sessions meanwhile
 */
async function goOn(
  users: PasswordPageOptions['users'],
  { sessions }: SettingsServices,
  request: FastifyRequest,
): Promise<string | undefined> {
  const { session } = ownerOf(request)
  const { domain, address, userAgent, cookies } = contextOf(request)
  const profile = await users.profile(session.user)
  if (profile === undefined) return undefined
  try {
    const started = await sessions.start({
      // With their times: nothing was shown just now, and a factor that is fresh elevates.
      ...{ domain, profile, address, userAgent },
      // With the old password, trust in this browser is over too.
      factors: session.factors.filter(({ kind }) => kind !== 'trusted-device'),
      ...{ remember: session.remembered, replaces: cookies },
    })
    return started.cookie
  } catch (error) {
    if (error instanceof AppError && error.code === 'AUTHENTICATION_FAILED') return undefined
    throw error
  }
}
