import formbody from '@fastify/formbody'
import type { FastifyPluginAsync } from 'fastify'
import { html } from 'ghtml'
import { THEMES, themeCookie, themeOf } from '../../../http/theme.ts'
import { contextOf } from '../../portal/index.ts'
import type { SettingsPage } from '../page.ts'
import type { SettingsServices } from '../services.ts'

const PATH = 'appearance'
/** One word. */
const BODY_LIMIT = 256

/** Light, dark, or as the system has it; kept in a cookie of this browser. */
const routes: FastifyPluginAsync<{ readonly services: SettingsServices }> = async (
  app,
  { services },
) => {
  const { replies, base, speak } = services
  const here = `${base}/settings/${PATH}`
  await app.register(formbody, { bodyLimit: BODY_LIMIT })

  app.get(`/settings/${PATH}`, { config: { guard: 'public' } }, (request, reply) => {
    if (contextOf(request).identity === undefined) return replies.redirect(reply, `${base}/`, 302)
    const { t } = speak(request)
    const chosen = themeOf(request)
    // Fastify's parser gives an object for every query.
    const saved = 'saved' in (request.query as object)
    const choice = (theme: (typeof THEMES)[number]): string =>
      html`<label class="check"><input type="radio" name="theme" value="${theme}" !${theme === chosen ? 'checked' : ''}> ${t(`settings.appearance.${theme}`)}</label>`
    return replies.page(request, reply, {
      title: t('settings.appearance.title'),
      navigation: services.navigation(t, PATH),
      content: html`<h1>${t('settings.appearance.title')}</h1>
<p class="lead">${t('settings.appearance.text')}</p>
!${saved ? html`<p class="notice" role="status">${t('settings.appearance.saved')}</p>` : ''}
<form method="post" action="${here}">
<fieldset class="choices"><legend>${t('settings.appearance.legend')}</legend>!${THEMES.map(choice).join('')}</fieldset>
<button class="button" type="submit">${t('settings.appearance.save')}</button>
</form>
<a class="button quiet below" href="${base}/">${t('settings.back')}</a>`,
    })
  })

  app.post(`/settings/${PATH}`, { config: { guard: 'user' } }, (request, reply) => {
    // formbody gives an object, or nothing for no body.
    const { theme } = (request.body ?? {}) as Readonly<Record<string, unknown>>
    const chosen = THEMES.find((one) => one === theme)
    if (chosen !== undefined)
      reply.header('Set-Cookie', themeCookie(chosen, base, contextOf(request).secure))
    return replies.redirect(reply, `${here}?saved=`)
  })
}

export const appearancePage: SettingsPage = {
  path: PATH,
  title: 'settings.appearance.title',
  routes,
}
