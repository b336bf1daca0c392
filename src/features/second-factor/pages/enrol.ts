import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { html } from 'ghtml'
import type { PageContent } from '../../../http/layout.ts'
import type { Translate } from '../../../http/messages.ts'
import { type Carried, textFields, withCarried } from '../../portal/index.ts'
import type { Totp } from '../method.ts'
import { noFactorPage } from './challenge.ts'
import { alert, inFours, MAX_CODE, notice } from './markup.ts'
import { qrCode } from './qr.ts'
import { askedBy, ENROL, type PageServices, RECOVERY_CODES } from './services.ts'
import { webauthnButton } from './webauthn.ts'

/** In characters; our own are some 200 long. */
const MAX_URL = 1024

/** What a user may enrol. */
const METHODS = ['totp', 'webauthn'] as const
type Enrolled = (typeof METHODS)[number]

/** Another factor is enrolled. It counts for nothing until its first code was right. */
export const enrolRoutes: FastifyPluginAsync<{ readonly services: PageServices }> = async (
  app,
  { services },
) => {
  const config = { guard: 'elevated' } as const
  app.get(ENROL, { config }, (request, reply) => choose(services, request, reply))
  app.get(`${ENROL}/totp`, { config }, (request, reply) => beginTotp(services, request, reply))
  app.post(`${ENROL}/totp`, { config }, (request, reply) => confirmTotp(services, request, reply))
  app.get(`${ENROL}/webauthn`, { config }, (request, reply) =>
    beginWebauthn(services, request, reply),
  )
}

/** An app is enrolled once, keys as often as the user likes. */
async function offered(
  { secondFactor }: Pick<PageServices, 'secondFactor'>,
  user: string,
): Promise<readonly Enrolled[]> {
  const { methods, totp } = secondFactor
  const has = totp !== undefined && (await totp.config(user)) !== undefined
  return METHODS.filter(
    (method) => methods.some(({ name }) => name === method) && !(method === 'totp' && has),
  )
}

/** @returns the answer where the user may not enrol this; undefined where they may */
async function refused(
  services: PageServices,
  method: Enrolled | undefined,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | undefined> {
  const { secondFactor, base, show, replies } = services
  const { user, carried } = askedBy(request)
  if (!secondFactor.isOn || !(await secondFactor.mayEnrol(user)))
    return show(request, reply, (t) => noFactorPage(t, secondFactor, base), 403)
  if (method === undefined || (await offered(services, user)).includes(method)) return undefined
  return replies.redirect(reply, withCarried(base + ENROL, carried))
}

async function choose(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const answer = await refused(services, undefined, request, reply)
  if (answer !== undefined) return answer
  const { replies, show, base } = services
  const { user, carried } = askedBy(request)
  const methods = await offered(services, user)
  const hrefOf = (method: Enrolled): string => withCarried(`${base}${ENROL}/${method}`, carried)
  const [only, another] = methods
  // An app is there already, and there are no keys here.
  if (only === undefined) return replies.redirect(reply, `${base}/settings/factors`, 302)
  if (another === undefined) return replies.redirect(reply, hrefOf(only), 302)
  return show(request, reply, (t) => ({
    title: t('secondFactor.enrol.title'),
    content: html`<h1>${t('secondFactor.enrol.title')}</h1>
<p class="lead">${t('secondFactor.enrol.text')}</p>
<ul class="ways">!${methods.map((method) => html`<li><a class="button quiet" href="${hrefOf(method)}">${t(`secondFactor.enrol.${method}`)}</a></li>`).join('')}</ul>
<a class="button quiet below" href="${base}/">${t('secondFactor.later')}</a>`,
  }))
}

async function beginTotp(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const answer = await refused(services, 'totp', request, reply)
  if (answer !== undefined) return answer
  const { identity, user } = askedBy(request)
  const { url } = await totpOf(services).begin(identity.session, user)
  return showSecret(services, request, reply, { url, wrong: false })
}

async function confirmTotp(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const answer = await refused(services, 'totp', request, reply)
  if (answer !== undefined) return answer
  const { secondFactor, replies, base } = services
  const { identity, user, carried } = askedBy(request)
  const { code = '', url = '' } = textFields(request.body)
  const typed = code.replace(/\s/g, '')
  const isRight =
    code.length <= MAX_CODE && (await totpOf(services).confirm(identity.session, user, typed))
  if (!isRight) {
    // What is pending stays as it is. No redirect: the next page would begin anew, and the app has scanned this secret.
    if (isEnrolmentUrl(url)) return showSecret(services, request, reply, { url, wrong: true })
    return replies.redirect(reply, withCarried(`${base}${ENROL}/totp`, carried))
  }
  await secondFactor.enrolled(request, 'totp')
  // A code of it was shown just now.
  await secondFactor.pass(request, reply, 'totp')
  return replies.redirect(reply, await afterEnrolment(services, user, carried))
}

/** Who has no recovery codes is offered some; then it goes on to where the user wanted to go. */
async function afterEnrolment(
  services: PageServices,
  user: string,
  carried: Carried,
): Promise<string> {
  const { secondFactor, base } = services
  if ((await secondFactor.recoveryCodes.status(user)) === undefined)
    return withCarried(base + RECOVERY_CODES, carried, { enrolled: '' })
  return services.finished(carried)
}

async function showSecret(
  { show, base }: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
  { url, wrong }: { readonly url: string; readonly wrong: boolean },
): Promise<FastifyReply> {
  const { carried, flags } = askedBy(request)
  const secret = new URL(url).searchParams.get('secret') ?? ''
  const action = withCarried(`${base}${ENROL}/totp`, carried)
  const confirmed = flags.has('confirmed') && !wrong
  return show(
    request,
    reply,
    await totpPage({ url, secret, wrong, confirmed, action, cancel: `${base}/` }),
    wrong ? 400 : 200,
  )
}

interface Shown {
  readonly url: string
  readonly secret: string
  readonly wrong: boolean
  readonly confirmed: boolean
  readonly action: string
  readonly cancel: string
}

async function totpPage({
  url,
  secret,
  wrong,
  confirmed,
  action,
  cancel,
}: Shown): Promise<(t: Translate) => PageContent> {
  const draw = await qrCode(url)
  return (t) => ({
    title: t('secondFactor.enrolTotp.title'),
    script: true,
    content: html`<h1>${t('secondFactor.enrolTotp.title')}</h1>
!${confirmed ? notice(t('secondFactor.confirm.done')) : ''}
!${wrong ? alert(t('secondFactor.enrolTotp.wrong')) : ''}
<p>${t('secondFactor.enrolTotp.scan')}</p>
!${draw(t('secondFactor.enrolTotp.qr'))}
<p>${t('secondFactor.enrolTotp.type')}</p>
<p><code class="secret">${inFours(secret)}</code></p>
<p><a href="${url}">${t('secondFactor.enrolTotp.open')}</a></p>
<form method="post" action="${action}" data-once>
<input type="hidden" name="url" value="${url}">
<div class="field">
<label for="totp">${t('secondFactor.enrolTotp.label')}</label>
<input class="code" type="text" id="totp" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="10" required !${wrong ? 'aria-invalid="true" aria-describedby="wrong" autofocus' : ''}>
</div>
<button class="button" type="submit">${t('secondFactor.enrolTotp.submit')}</button>
</form>
<a class="button quiet below" href="${cancel}">${t('secondFactor.later')}</a>`,
  })
}

/** Of the kind that we make, which is ASCII: it only comes back from a page of ours, and is shown there again. */
function isEnrolmentUrl(url: string): boolean {
  return /^otpauth:\/\/totp\/[!-~]*$/.test(url) && url.length <= MAX_URL && URL.canParse(url)
}

async function beginWebauthn(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const answer = await refused(services, 'webauthn', request, reply)
  if (answer !== undefined) return answer
  const { show, base } = services
  const { user, carried } = askedBy(request)
  const next = await afterEnrolment(services, user, carried)
  return show(request, reply, (t) => ({
    title: t('secondFactor.enrolWebauthn.title'),
    script: true,
    content: html`<h1>${t('secondFactor.enrolWebauthn.title')}</h1>
<p class="lead">${t('secondFactor.enrolWebauthn.text')}</p>
<div class="field below">
<label for="key-name">${t('secondFactor.enrolWebauthn.label')}</label>
<input type="text" id="key-name" name="name" maxlength="64" autocomplete="off" required autofocus>
</div>
!${webauthnButton(t, { purpose: 'register', base, next })}
<a class="button quiet below" href="${base}/">${t('secondFactor.later')}</a>`,
  }))
}

function totpOf({ secondFactor }: Pick<PageServices, 'secondFactor'>): Totp {
  if (secondFactor.totp === undefined) throw new TypeError('TOTP is offered and is not there')
  return secondFactor.totp
}
