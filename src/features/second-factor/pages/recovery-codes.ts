import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { html } from 'ghtml'
import type { PageContent } from '../../../http/layout.ts'
import type { Translate } from '../../../http/messages.ts'
import { withCarried } from '../../portal/index.ts'
import { notice } from './markup.ts'
import { askedBy, type PageServices, RECOVERY_CODES } from './services.ts'

/** Recovery codes are made, and shown once. */
export const recoveryCodesRoutes: FastifyPluginAsync<{ readonly services: PageServices }> = async (
  app,
  { services },
) => {
  const config = { guard: 'elevated' } as const
  app.get(RECOVERY_CODES, { config }, (request, reply) => offer(services, request, reply))
  app.post(RECOVERY_CODES, { config }, (request, reply) => make(services, request, reply))
}

/** Recovery codes stand in for a factor: they are of no use to a user who has none. */
async function hasFactor(
  { secondFactor }: PageServices,
  request: FastifyRequest,
): Promise<boolean> {
  return secondFactor.hasFactor(askedBy(request).user)
}

async function offer(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { secondFactor, replies, show, base } = services
  const { user, carried, flags } = askedBy(request)
  if (!(await hasFactor(services, request)))
    return replies.redirect(reply, `${base}/settings/factors`, 302)
  const replaces = (await secondFactor.recoveryCodes.status(user)) !== undefined
  const next = services.finished(carried)
  return show(request, reply, (t) => ({
    title: t('secondFactor.codes.title'),
    content: html`<h1>${t('secondFactor.codes.title')}</h1>
!${flags.has('enrolled') ? notice(t('secondFactor.codes.enrolled')) : ''}
<p>${t('secondFactor.codes.text')}</p>
!${replaces ? html`<p>${t('secondFactor.codes.replaces')}</p>` : ''}
<form method="post" action="${withCarried(base + RECOVERY_CODES, carried)}">
<button class="button" type="submit">${t('secondFactor.codes.make')}</button>
</form>
<a class="button quiet below" href="${next}">${t('secondFactor.later')}</a>`,
  }))
}

/** Answered with the codes and not with a redirect: they are kept nowhere from where the next page could read them. */
async function make(
  services: PageServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { secondFactor, replies, show, base } = services
  const { user, carried } = askedBy(request)
  if (!(await hasFactor(services, request)))
    return replies.redirect(reply, `${base}/settings/factors`)
  const codes = await secondFactor.recoveryCodes.generate(user)
  await secondFactor.enrolled(request, 'recovery-code')
  const next = services.finished(carried)
  return show(request, reply, (t) => codesPage(t, { codes, next }))
}

function codesPage(
  t: Translate,
  { codes, next }: { readonly codes: readonly string[]; readonly next: string },
): PageContent {
  const text = `${codes.join('\n')}\n`
  // A link and no script: the browser saves what the address itself holds.
  const file = `data:text/plain;charset=utf-8,${encodeURIComponent(text)}`
  return {
    title: t('secondFactor.codes.title'),
    script: true,
    content: html`<h1>${t('secondFactor.codes.title')}</h1>
<p>${t('secondFactor.codes.once')}</p>
<ol class="codes" id="codes">!${codes.map((code) => html`<li><code>${code}</code></li>`).join('')}</ol>
<div class="on-screen">
<a class="button quiet" href="${file}" download="${t('secondFactor.codes.file')}">${t('secondFactor.codes.save')}</a>
<button class="button quiet below" type="button" id="copy" data-done="${t('secondFactor.codes.copied')}" hidden>${t('secondFactor.codes.copy')}</button>
<button class="button quiet below" type="button" id="print" hidden>${t('secondFactor.codes.print')}</button>
<p class="hint" id="copy-said" role="status"></p>
<a class="button below" href="${next}">${t('secondFactor.codes.done')}</a>
</div>`,
  }
}
