import type { FastifyPluginAsync } from 'fastify'
import { html } from 'ghtml'
import type { PageContent } from '../../../http/layout.ts'
import { textFields } from '../../portal/index.ts'
import { REVOKE_PATH } from '../mailed-codes.ts'
import { revokeMailedCode } from '../revoke.ts'
import type { PageServices } from './services.ts'

/**
 * Where the link of a mailed code leads: "I did not ask for it". The page asks, and its form revokes: programs that look at
 * mails open every link. It says the same whether there was such a code or not.
 */
export const revokeRoutes: FastifyPluginAsync<{ readonly services: PageServices }> = async (
  app,
  { services },
) => {
  const { show, base, secondFactor, audit } = services
  const config = { guard: 'public' } as const

  app.get(REVOKE_PATH, { config }, (request, reply) => {
    const { id = '' } = textFields(request.query)
    const action = `${base}${REVOKE_PATH}?${new URLSearchParams({ id })}`
    return show(
      request,
      reply,
      (t): PageContent => ({
        title: t('secondFactor.revoke.title'),
        script: true,
        content: html`<h1>${t('secondFactor.revoke.title')}</h1>
<p class="lead">${t('secondFactor.revoke.text')}</p>
<form method="post" action="${action}" data-once>
<button class="button" type="submit">${t('secondFactor.revoke.submit')}</button>
</form>
<a class="button quiet below" href="${base}/">${t('secondFactor.cancel')}</a>`,
      }),
    )
  })

  app.post(REVOKE_PATH, { config }, async (request, reply) => {
    const { id = '' } = textFields(request.query)
    await revokeMailedCode({ secondFactor, audit }, request, id)
    return show(
      request,
      reply,
      (t): PageContent => ({
        title: t('secondFactor.revoke.done'),
        content: html`<h1>${t('secondFactor.revoke.done')}</h1>
<p class="lead" role="status">${t('secondFactor.revoke.after')}</p>
<a class="button" href="${base}/">${t('secondFactor.home')}</a>`,
      }),
    )
  })
}
