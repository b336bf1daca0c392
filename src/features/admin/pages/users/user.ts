import type { FastifyReply, FastifyRequest } from 'fastify'
import { html } from 'ghtml'
import type { Translate } from '../../../../http/messages.ts'
import {
  CONFIRM_PATH,
  isElevated,
  NOTHING_CARRIED,
  ownerOf,
  withCarried,
} from '../../../portal/index.ts'
import { listBans } from '../../../throttle/index.ts'
import { showUser, type UserRow } from '../../../users/index.ts'
import type { AdminServices } from '../../services.ts'
import {
  check,
  FIELDS,
  type FieldFaults,
  fieldsOf,
  NO_FAULTS,
  type Typed,
  textField,
  typedOf,
} from './fields.ts'
import { actHref, nameIn, userHref } from './path.ts'

/** What an administrator has just done, or tried to. */
export interface Shown {
  readonly status?: number
  readonly notice?: string
  readonly alert?: string
  readonly faults?: FieldFaults
  /** What stood in the form, where it was not taken. */
  readonly typed?: Typed
  /** Another administrator has changed the user: both versions are shown. */
  readonly isStale?: boolean
  /** A password that was made for the user. Shown once. */
  readonly generated?: string
}

const DONE = ['added', 'changed', 'password-set', 'ended', 'lifted', 'reset'] as const

/** The user as they are now. @throws AppError USER_UNKNOWN */
export async function showUserPage(
  services: AdminServices,
  request: FastifyRequest,
  reply: FastifyReply,
  shown: Shown = {},
): Promise<FastifyReply> {
  const { ask, base, replies, speak } = services
  const { t } = speak(request)
  const user = await ask(request, showUser, { username: nameIn(request) })
  const { username } = user
  const bans = (await ask(request, listBans, {})).filter(
    ({ kind, name }) => kind === 'user' && name === username,
  )
  // Fastify's parser gives an object for every query.
  const done = DONE.find((flag) => flag in (request.query as object))
  const notice = shown.notice ?? (done === undefined ? undefined : t(`admin.users.${done}`))
  const mayChange = await isElevated(ownerOf(request), {
    elevation: services.elevation,
    clock: services.clock,
  })
  const content = html`<h1>${user.display_name === '' ? username : user.display_name}</h1>
!${notice === undefined ? '' : html`<p class="notice" role="status">${notice}</p>`}
!${shown.alert === undefined ? '' : html`<div class="alert" role="alert"><p>${shown.alert}</p></div>`}
!${shown.generated === undefined ? '' : html`<p>${t('admin.users.generatedText')}</p><p class="secret" dir="ltr"><strong>${shown.generated}</strong></p>`}
!${shown.isStale === true && shown.typed !== undefined ? versions(t, shown.typed, typedOf(user)) : ''}
!${facts(t, user)}
!${mayChange ? forms(t, user, { bans: bans.length, shown, base }) : confirmation(t, username, base)}
<a class="button quiet below" href="${base}/admin/users">${t('admin.users.back')}</a>`
  return replies.page(
    request,
    reply,
    {
      ...{ title: username, navigation: services.navigation(t, 'users'), content, script: true },
      back: request.method === 'GET' ? base + request.url : userHref(base, username),
    },
    shown.status,
  )
}

function facts(t: Translate, user: UserRow): string {
  const { username, source, factors, last_sign_in: last } = user
  const item = (key: string, value: string): string =>
    html`<li class="entry"><div><small>${t(`admin.users.${key}`)}</small><bdi>${value}</bdi></div></li>`
  return html`<ul class="entries">
!${item('username', username)}
!${item('source', source)}
!${item('factors', factors.length === 0 ? t('admin.users.noFactors') : factors.join(', '))}
!${item('lastSignIn', last === null ? t('admin.users.never') : moment(last))}
</ul>`
}

/** To the minute, in UTC. */
const moment = (iso: string): string => `${iso.slice(0, 16).replace('T', ' ')} UTC`

const confirmation = (t: Translate, name: string, base: string): string =>
  html`<p class="below">${t('admin.users.confirmText')}</p>
<a class="button" href="${withCarried(base + CONFIRM_PATH, NOTHING_CARRIED, { to: userHref('', name) })}">${t('admin.users.confirm')}</a>`

/** What was typed, and what is stored by now. */
function versions(t: Translate, typed: Typed, stored: Typed): string {
  const said = (value: string | boolean): string =>
    typeof value === 'string'
      ? value === ''
        ? '\u2013'
        : value.replaceAll('\n', ', ')
      : t(value ? 'admin.users.yes' : 'admin.users.no')
  const item = (field: (typeof FIELDS)[number]): string =>
    html`<li class="entry"><div><strong>${t(`admin.users.${field}`)}</strong>
<small>${t('admin.users.yours')}: <bdi>${said(typed[field])}</bdi></small>
<small>${t('admin.users.stored')}: <bdi>${said(stored[field])}</bdi></small></div></li>`
  const different = FIELDS.filter((field) => typed[field] !== stored[field])
  return html`<h2>${t('admin.users.versions')}</h2>
<ul class="entries" id="versions">!${different.map(item).join('')}</ul>
<p class="hint">${t('admin.users.versionsText')}</p>`
}

interface Context {
  readonly bans: number
  readonly shown: Shown
  readonly base: string
}

function forms(t: Translate, user: UserRow, { bans, shown, base }: Context): string {
  const { username, version } = user
  const { typed = typedOf(user), faults = NO_FAULTS } = shown
  const here = userHref(base, username)
  const form = (content: string): string =>
    html`<form method="post" action="${here}"><input type="hidden" name="version" value="${version}">
!${content}</form>`
  const button = (act: string, key: string, kind = 'quiet'): string =>
    html`<button class="button ${kind}" type="submit" name="act" value="${act}">${t(`admin.users.${key}`)}</button>`
  const link = (act: string, key: string): string =>
    html`<a class="button quiet" href="${actHref(base, username, act)}">${t(`admin.users.${key}`)}</a>`
  return html`<h2>${t('admin.users.fields')}</h2>
!${form(html`!${fieldsOf(t, typed, faults)}!${button('change', 'save', '')}`)}
<h2>${t('admin.users.newPassword')}</h2>
<p class="hint">${t('admin.users.passwordText')}</p>
!${form(html`!${textField(t, 'password', { value: '', faults, more: 'type="password" autocomplete="new-password" maxlength="1024"' })}
!${check(t, 'must_change', true)}!${button('password', 'setPassword')}!${button('generate', 'generate')}`)}
<h2>${t('admin.users.access')}</h2>
!${bans === 0 ? '' : form(html`<p>${t('admin.users.banned', { count: bans })}</p>!${button('lift', 'lift')}`)}
!${form(button('end', 'end'))}
!${user.factors.length === 0 ? '' : html`<p class="below">!${link('factors', 'resetFactors')}</p>`}
<p class="below">!${link('delete', 'delete')}</p>
<p><a class="button quiet" href="${base}/admin/why?user=${encodeURIComponent(username)}">${t('admin.users.why')}</a></p>`
}
