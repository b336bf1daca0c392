import formbody from '@fastify/formbody'
import type { FastifyPluginAsync } from 'fastify'
import { html } from 'ghtml'
import type { Translate } from '../../../http/messages.ts'
import { readPairs } from '../../../kernel/pairs.ts'
import { contextOf, ownerOf } from '../../portal/index.ts'
import { ago } from '../ago.ts'
import type { OwnSignIn } from '../own-sessions.ts'
import type { SettingsPage } from '../page.ts'
import type { SettingsServices } from '../services.ts'

const PATH = 'sessions'
/** Sessions on the page; "all others" ends those that are not shown too. */
const MAX_SHOWN = 50
/** An id is 22 characters. */
const BODY_LIMIT = 1024

const routes: FastifyPluginAsync<{ readonly services: SettingsServices }> = async (
  app,
  { services },
) => {
  const { own, places, replies, audit, clock, base, speak } = services
  const here = `${base}/settings/${PATH}`
  await app.register(formbody, { bodyLimit: BODY_LIMIT, parser: readPairs })

  app.get(`/settings/${PATH}`, { config: { guard: 'public' } }, async (request, reply) => {
    // A page is no place for a bare refusal: the user signs in, and goes on from there.
    if (contextOf(request).identity === undefined) return replies.redirect(reply, `${base}/`, 302)
    const signIns = await own.signIns(ownerOf(request))
    const { t, language } = speak(request)
    const placeOf = await places.load(language)
    // Fastify's parser gives an object for every query.
    const said = NOTICES.find((flag) => flag in (request.query as object))
    return replies.page(request, reply, {
      title: t('settings.sessions.title'),
      navigation: services.navigation(t, PATH),
      script: true,
      content: content(t, { signIns, said, base, here, language, placeOf, now: clock.now() }),
    })
  })

  app.post(`/settings/${PATH}`, { config: { guard: 'user' } }, async (request, reply) => {
    const owner = ownerOf(request)
    // formbody gives an object, or nothing for no body.
    const form = (request.body ?? {}) as Readonly<Record<string, unknown>>
    const { id } = form
    const others = form['others'] !== undefined
    const ended = others
      ? await own.endOthers(owner)
      : typeof id === 'string'
        ? await own.end(owner, id)
        : undefined
    if (ended !== undefined && ended.count > 0) {
      const { address, userAgent } = contextOf(request)
      const user = owner.session.user
      audit.record('session.revoked', {
        ...{ user, actor: `user:${user}`, address, userAgent, requestId: request.id },
        details: { sessions: ended.count, reason: 'asked' },
      })
    }
    const said = others ? 'others-ended' : ended === undefined ? 'gone' : 'ended'
    return replies.redirect(reply, `${here}?${said}=`)
  })
}

const NOTICES = ['ended', 'others-ended', 'gone', 'password-changed'] as const
const NOTICE_KEYS: Readonly<Record<(typeof NOTICES)[number], string>> = {
  ended: 'settings.sessions.ended',
  'others-ended': 'settings.sessions.othersEnded',
  gone: 'settings.sessions.gone',
  'password-changed': 'settings.sessions.passwordChanged',
}

interface Shown {
  readonly signIns: readonly OwnSignIn[]
  readonly said: (typeof NOTICES)[number] | undefined
  readonly base: string
  readonly here: string
  readonly language: string
  readonly placeOf: (address: string) => string | undefined
  readonly now: number
}

function content(t: Translate, shown: Shown): string {
  const { signIns, said, base, here } = shown
  const listed = signIns.slice(0, MAX_SHOWN)
  const rest = signIns.length - listed.length
  const others = signIns.some(({ current }) => !current)
  const linked = signIns.some(({ sessions }) => sessions.length > 1)
  return html`<h1>${t('settings.sessions.title')}</h1>
<p class="lead">${t('settings.sessions.text')}</p>
!${said === undefined ? '' : html`<p class="notice" role="status">${t(NOTICE_KEYS[said])}</p>`}
<ul class="entries">!${listed.map((one) => entry(t, one, shown)).join('')}</ul>
!${rest > 0 ? html`<p class="hint">${t('settings.sessions.more', { count: rest })}</p>` : ''}
!${linked ? html`<p class="hint">${t('settings.sessions.endAll')}</p>` : ''}
!${others ? html`<form method="post" action="${here}"><button class="button danger" type="submit" name="others" value="end">${t('settings.sessions.others')}</button></form>` : ''}
<a class="button quiet below" href="${base}/">${t('settings.back')}</a>`
}

function entry(
  t: Translate,
  signIn: OwnSignIn,
  { base, here, language, now, placeOf }: Shown,
): string {
  const { browser, system, sessions, current, lastSeen } = signIn
  const [first] = sessions
  const name =
    browser === undefined
      ? (system ?? t('settings.sessions.unknown'))
      : system === undefined
        ? browser
        : t('settings.sessions.browserOn', { browser, system })
  const domains = [...new Set(sessions.map(({ domain }) => domain))].sort().join(', ')
  const end = html`<form method="post" action="${here}"><input type="hidden" name="id" value="${first.id}"><button class="button quiet small" type="submit" aria-label="${t('settings.sessions.endLabel', { browser: name, address: first.address })}">${t('settings.sessions.end')}</button></form>`
  const signOut = html`<a class="button quiet small" href="${base}/logout">${t('settings.sessions.signOut')}</a>`
  return html`<li class="entry">
<div>
<strong>${name}</strong>!${current ? html` <span class="tag">${t('settings.sessions.here')}</span>` : ''}
!${first.address === '' ? '' : html`<small>${from(t, first.address, placeOf(first.address))}</small>`}
<small>${t('settings.sessions.domains', { domains })}</small>
<small>${t('settings.sessions.signedIn')} !${ago(first.createdAt, now, language)}, ${t('settings.sessions.lastSeen')} !${ago(lastSeen, now, language)}!${first.remembered ? html`, ${t('settings.sessions.remembered')}` : ''}</small>
</div>
!${current ? signOut : end}
</li>`
}

const from = (t: Translate, address: string, place: string | undefined): string =>
  place === undefined
    ? t('settings.sessions.from', { address })
    : t('settings.sessions.fromPlace', { address, place })

export const sessionsPage: SettingsPage = {
  path: PATH,
  title: 'settings.sessions.title',
  routes,
}
