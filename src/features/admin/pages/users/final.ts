/** What cannot be undone: asked about on a page of its own before it is done. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { html } from 'ghtml'
import { textFields } from '../../../portal/index.ts'
import { resetFactors } from '../../../second-factor/index.ts'
import { deleteUser, showUser } from '../../../users/index.ts'
import type { AdminServices } from '../../services.ts'
import { actHref, nameIn, PATH, userHref } from './path.ts'
import { refusalOf } from './refusal.ts'
import { showUserPage } from './user.ts'

type Final = 'delete' | 'factors'

export async function askFinal(
  services: AdminServices,
  request: FastifyRequest,
  reply: FastifyReply,
  act: Final,
): Promise<FastifyReply> {
  const { ask, base, replies, speak } = services
  const { t } = speak(request)
  const { username, version } = await ask(request, showUser, { username: nameIn(request) })
  const key = act === 'delete' ? 'delete' : 'resetFactors'
  const title = t(`admin.users.${key}`)
  return replies.page(request, reply, {
    title,
    navigation: services.navigation(t, 'users'),
    content: html`<h1>${title}</h1>
<p>${t(`admin.users.${key}Text`, { user: username })}</p>
<form method="post" action="${actHref(base, username, act)}">
<input type="hidden" name="version" value="${version}">
<button class="button danger" type="submit">${title}</button>
</form>
<a class="button quiet below" href="${userHref(base, username)}">${t('admin.users.cancel')}</a>`,
  })
}

export async function doFinal(
  services: AdminServices,
  request: FastifyRequest,
  reply: FastifyReply,
  act: Final,
): Promise<FastifyReply> {
  const { ask, base, replies, speak } = services
  const user = nameIn(request)
  const { version = '' } = textFields(request.body)
  try {
    if (act === 'factors') {
      await ask(request, resetFactors, { user })
      return replies.redirect(reply, userHref(base, user, ['reset']))
    }
    await ask(request, deleteUser, { username: user, version })
  } catch (error) {
    const { status, text } = refusalOf(speak(request).t, error, services)
    return showUserPage(services, request, reply, { status, alert: text })
  }
  return replies.redirect(reply, `${base}${PATH}?deleted=${encodeURIComponent(user)}`)
}
