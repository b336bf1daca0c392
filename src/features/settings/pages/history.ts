import type { FastifyPluginAsync } from 'fastify'
import { html } from 'ghtml'
import { z } from 'zod'
import { loadBrowserNames } from '../../../http/browser-name.ts'
import type { Translate } from '../../../http/messages.ts'
import type { AuditEvent, EventName } from '../../audit/index.ts'
import { contextOf, ownerOf } from '../../portal/index.ts'
import { ago } from '../ago.ts'
import type { SettingsPage } from '../page.ts'
import type { SettingsServices } from '../services.ts'

const PATH = 'history'
const A_PAGE = 25

/** What users see of the audit trail: events about themselves that mean something to them. */
export const SHOWN = [
  'login.succeeded',
  'login.failed',
  'login.banned',
  'session.ended',
  'session.revoked',
  'device.removed',
  'ban.added',
  'ban.lifted',
  'password.changed',
] as const satisfies readonly EventName[]
/** What another person may have done. */
const ALARMING: readonly EventName[] = ['login.failed', 'login.banned', 'ban.added']

/** Whatever else stands in a query is as if it were not there. */
const Query = z.object({
  before: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .optional()
    .catch(undefined),
})

/** Own recent sign-ins and failures: the alarm that needs no mail. */
const routes: FastifyPluginAsync<{ readonly services: SettingsServices }> = async (
  app,
  { services },
) => {
  const { audit, replies, clock, base, speak } = services
  const here = `${base}/settings/${PATH}`

  app.get(`/settings/${PATH}`, { config: { guard: 'public' } }, async (request, reply) => {
    // A page is no place for a bare refusal: the user signs in, and goes on from there.
    if (contextOf(request).identity === undefined) return replies.redirect(reply, `${base}/`, 302)
    const { before } = Query.parse(request.query)
    const user = ownerOf(request).profile.name
    // One more than is shown says whether there is more.
    const events = await audit.list({ user, names: SHOWN, before, limit: A_PAGE + 1 })
    const nameOf = await loadBrowserNames()
    const { t, language } = speak(request)
    const browserOf = (userAgent: string): string => {
      const { browser, system } = nameOf(userAgent)
      return browser !== undefined && system !== undefined
        ? t('settings.sessions.browserOn', { browser, system })
        : (browser ?? system ?? t('settings.sessions.unknown'))
    }
    const rows = events?.slice(0, A_PAGE) ?? []
    const older = (events?.length ?? 0) > A_PAGE ? rows.at(-1)?.id : undefined
    const none = events === undefined ? 'settings.history.notKept' : 'settings.history.none'
    const list = html`<ol class="entries">!${rows.map((event) => entry(t, event, browserOf, ago(event.time, clock.now(), language))).join('')}</ol>`
    return replies.page(request, reply, {
      title: t('settings.history.title'),
      navigation: services.navigation(t, PATH),
      script: true,
      content: html`<h1>${t('settings.history.title')}</h1>
<p class="lead">${t('settings.history.text')}</p>
!${rows.length === 0 ? html`<p>${t(none)}</p>` : list}
!${older === undefined ? '' : html`<a class="button quiet below" href="${here}?before=${older}">${t('settings.history.older')}</a>`}
!${before === undefined ? '' : html`<a class="button quiet below" href="${here}">${t('settings.history.newest')}</a>`}
<a class="button quiet below" href="${base}/">${t('settings.back')}</a>`,
    })
  })
}

function entry(
  t: Translate,
  { name, address, userAgent, details }: AuditEvent,
  browserOf: (userAgent: string) => string,
  when: string,
): string {
  const isNew = details['new_device'] === true
  const where = [
    ...(userAgent === '' ? [] : [browserOf(userAgent)]),
    ...(address === '' ? [] : [t('settings.history.from', { address })]),
  ].join(', ')
  return html`<li class="entry"><div>
<strong !${ALARMING.includes(name) ? 'class="alarming"' : ''}>${t(`settings.history.${name}`)}</strong>!${isNew ? html` <span class="tag">${t('settings.history.newDevice')}</span>` : ''}
<small>!${when}</small>
!${where === '' ? '' : html`<small>${where}</small>`}
</div></li>`
}

export const historyPage: SettingsPage = { path: PATH, title: 'settings.history.title', routes }
