import type { FastifyPluginAsync } from 'fastify'
import { html } from 'ghtml'
import type { Translate } from '../../../http/messages.ts'
import { ago } from '../../settings/index.ts'
import type { NotedRequest } from '../../verify/index.ts'
import type { AdminPage } from '../page.ts'
import type { AdminServices } from '../services.ts'
import {
  type AskedWhy,
  explainWhy,
  failedOf,
  readAskedWhy,
  type Why,
  type WhyAnswer,
} from '../why.ts'

const PATH = 'why'
/** Rules and readings on the page; the API has all. */
const MAX_SHOWN = 200

/** "Why can't Ann open wiki?": her name, then the request that was refused to her. */
const routes: FastifyPluginAsync<{ readonly services: AdminServices }> = async (
  app,
  { services },
) => {
  const { base, clock, refused, replies, speak } = services
  app.get(`/admin/${PATH}`, { config: { guard: 'admin' } }, async (request, reply) => {
    const asked = readAskedWhy(request.query)
    const { t, language } = speak(request)
    const answer = asked.url === '' ? undefined : await explainWhy(services, asked)
    const here = `${base}/admin/${PATH}`
    return replies.page(request, reply, {
      title: t('admin.why.title'),
      navigation: services.navigation(t, PATH),
      script: true,
      content: html`<h1>${t('admin.why.heading')}</h1>
<p class="lead">${t('admin.why.text')}</p>
!${answer === undefined ? '' : answerOf(t, asked, answer)}
!${form(t, asked, here)}
!${asked.user === '' ? '' : recent(t, asked.user, refused.of(asked.user), { here, ago: (time) => ago(time, clock.now(), language) })}
<a class="button quiet below" href="${base}/">${t('settings.back')}</a>`,
    })
  })
}

function form(t: Translate, { user, url, method, address }: AskedWhy, here: string): string {
  const field = (name: string, key: string, value: string, more: string, hint?: string): string =>
    html`<div class="field"><label for="${name}">${t(`admin.why.${key}`)}</label>
<input type="text" id="${name}" name="${name}" value="${value}" autocapitalize="none" autocorrect="off" autocomplete="off" spellcheck="false" !${more} !${hint === undefined ? '' : html`aria-describedby="${name}-hint"`}>
!${hint === undefined ? '' : html`<p class="hint" id="${name}-hint">${t(`admin.why.${hint}`)}</p>`}</div>`
  return html`<form method="get" action="${here}">
!${field('user', 'user', user, 'maxlength="320"', 'userHint')}
!${field('url', 'url', url, 'dir="ltr" inputmode="url" placeholder="https://wiki.example.com/"')}
!${field('method', 'method', method, 'dir="ltr" maxlength="32"')}
!${field('address', 'address', address, 'dir="ltr" maxlength="64"', 'addressHint')}
<button class="button" type="submit">${t('admin.why.submit')}</button>
</form>`
}

/** What the proxy is told first, and below it why. */
function answerOf(t: Translate, { address }: AskedWhy, answer: WhyAnswer): string {
  const said = (text: string): string =>
    html`<p class="notice" role="status"><strong>${text}</strong></p>`
  switch (answer.kind) {
    case 'malformed':
      return said(t('admin.why.malformed', { reason: answer.reason }))
    case 'bad-address':
      return said(t('admin.why.badAddress', { address }))
    case 'explained':
      return explained(t, answer, said)
    default:
      return answer satisfies never
  }
}

function explained(t: Translate, why: Why, said: (text: string) => string): string {
  const { covered, host, known, subject, explanation, level, headers } = why
  if (!covered) return said(t('admin.why.uncovered', { host }))
  const { verdict } = explanation
  const { policy, rule } = verdict
  const source =
    verdict.refusal !== undefined
      ? t('admin.why.refusedPath')
      : rule === undefined
        ? t('admin.why.byDefault', { policy })
        : t('admin.why.byRule', { rule: ruleName(rule), policy })
  const groups =
    subject.groups.length === 0
      ? t('admin.why.noGroups')
      : t('admin.why.groups', { groups: subject.groups.join(', ') })
  return html`!${said(outcomeOf(t, why))}
<p>${source}</p>
!${subject.user === '' ? '' : html`<p>${known ? groups : t('admin.why.unknownUser', { user: subject.user })}</p>`}
!${rulesOf(t, explanation)}
!${readingsOf(t, explanation)}
!${level === null || !known ? '' : headersOf(t, headers)}`
}

function outcomeOf(t: Translate, { decision, level }: Why): string {
  if (decision === 'sign-in') return t('admin.why.signInFirst')
  return level === null ? t('admin.why.denied') : t(`admin.why.level.${level}`)
}

/** As the faults of the configuration name it. */
const ruleName = (index: number): string => `rules[${index}]`

function rulesOf(t: Translate, { rules, verdict }: Why['explanation']): string {
  if (rules.length === 0) return ''
  const item = (rule: (typeof rules)[number]): string => {
    const { index, title, policy } = rule
    const answer =
      rule.verdict === 'miss'
        ? t('admin.why.failed', { criteria: failedOf(rule).join(', ') })
        : t(`admin.why.${rule.verdict}`)
    return html`<li class="entry"!${index === verdict.rule ? ' aria-current="true"' : ''}><div><strong><code>${ruleName(index)}</code> ${title ?? ''}</strong> <span class="tag">${policy}</span><small>${answer}</small></div></li>`
  }
  return html`<h2>${t('admin.why.rules')}</h2>
<ol class="entries">!${shown(rules, verdict.rule).map(item).join('')}</ol>`
}

/** The first ones, and the one that decides. */
const shown = <T extends { readonly index: number }>(
  rules: readonly T[],
  deciding?: number,
): readonly T[] => rules.filter(({ index }) => index < MAX_SHOWN || index === deciding)

function readingsOf(t: Translate, { askings }: Why['explanation']): string {
  if (askings.length < 2) return ''
  const item = ({ path, query, rule, policy }: (typeof askings)[number]): string =>
    html`<li class="entry"><div><code dir="ltr">${query === null ? path : `${path}?${query}`}</code> <span class="tag">${policy}</span><small>${rule === null ? t('admin.why.byDefault', { policy }) : ruleName(rule)}</small></div></li>`
  return html`<h2>${t('admin.why.readings')}</h2>
<p class="hint">${t('admin.why.readingsText')}</p>
<ul class="entries">!${askings.slice(0, MAX_SHOWN).map(item).join('')}</ul>`
}

function headersOf(t: Translate, headers: Why['headers']): string {
  const item = ([name, value]: readonly [string, string]): string =>
    html`<li class="entry"><div><code>${name}</code><small><bdi>${value === '' ? '\u2013' : value}</bdi></small></div></li>`
  return html`<h2>${t('admin.why.headers')}</h2><ul class="entries">!${headers.map(item).join('')}</ul>`
}

function recent(
  t: Translate,
  user: string,
  requests: readonly NotedRequest[],
  { here, ago: when }: { readonly here: string; readonly ago: (time: number) => string },
): string {
  const item = ({ url, method, address, why, time, times }: NotedRequest): string => {
    const query = new URLSearchParams({ user, url, method, address }).toString()
    const reason = why === 'second-factor-needed' ? why : 'policy-deny'
    return html`<li class="entry"><div><code dir="ltr">${method} ${url}</code>
<small>${t(`admin.why.${reason}`)} &middot; <bdi>${address}</bdi> &middot; !${when(time)}!${times > 1 ? html` &middot; ${t('admin.why.times', { count: times })}` : ''}</small></div>
<a class="button quiet small" href="${here}?${query}" aria-label="${t('admin.why.explain')} ${method} ${url}">${t('admin.why.explain')}</a></li>`
  }
  const list = html`<ul class="entries">!${requests.map(item).join('')}</ul>`
  return html`<h2 id="recent">${t('admin.why.recent')}</h2>
<p class="hint">${requests.length === 0 ? t('admin.why.recentNone', { user }) : t('admin.why.recentText')}</p>
!${requests.length === 0 ? '' : list}`
}

export const whyPage: AdminPage = { path: PATH, title: 'admin.why.title', routes }
