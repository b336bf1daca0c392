import type { FastifyReply, FastifyRequest } from 'fastify'
import { html } from 'ghtml'
import type { Translate } from '../../../../http/messages.ts'
import { textFields } from '../../../portal/index.ts'
import { listUsers, type UserRow } from '../../../users/index.ts'
import type { AdminServices } from '../../services.ts'
import { PATH, userHref } from './path.ts'

/** Users on a page. */
const SHOWN = 50

interface Asked {
  readonly search: string
  readonly group: string
  readonly disabled: '' | 'true' | 'false'
  readonly after: string
}

function readAsked(query: unknown): Asked {
  const { search = '', group = '', disabled = '', after = '' } = textFields(query)
  return {
    ...{ search: search.trim().slice(0, 320), group: group.trim().slice(0, 256) },
    disabled: disabled === 'true' || disabled === 'false' ? disabled : '',
    after: after.slice(0, 1024),
  }
}

export async function showList(
  services: AdminServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { ask, base, clock, replies, speak } = services
  const { t } = speak(request)
  const asked = readAsked(request.query)
  const { search, group, disabled, after } = asked
  const { users, next } = await ask(request, listUsers, {
    ...(search !== '' && { search }),
    ...(group !== '' && { group }),
    ...(disabled !== '' && { disabled: disabled === 'true' }),
    ...(after !== '' && { after }),
    limit: SHOWN,
  })
  const { deleted } = textFields(request.query)
  const here = `${base}${PATH}`
  const now = clock.now()
  return replies.page(request, reply, {
    title: t('admin.users.title'),
    navigation: services.navigation(t, 'users'),
    content: html`<h1>${t('admin.users.title')}</h1>
!${deleted === undefined ? '' : html`<p class="notice" role="status">${t('admin.users.deleted', { user: deleted })}</p>`}
<a class="button" href="${here}/new">${t('admin.users.new')}</a>
!${searchForm(t, asked, here)}
<h2>${t(after === '' ? 'admin.users.found' : 'admin.users.foundMore', { after })}</h2>
!${users.length === 0 ? html`<p>${t('admin.users.none')}</p>` : html`<ul class="entries">!${users.map((user) => entry(t, user, { base, now })).join('')}</ul>`}
!${next === null ? '' : html`<a class="button quiet below" href="${here}?${queryOf({ ...asked, after: next })}">${t('admin.users.next')}</a>`}
!${after === '' ? '' : html`<a class="button quiet below" href="${here}?${queryOf({ ...asked, after: '' })}">${t('admin.users.first')}</a>`}
<a class="button quiet below" href="${base}/">${t('settings.back')}</a>`,
  })
}

const queryOf = (asked: Asked): string =>
  new URLSearchParams(Object.entries(asked).filter(([, value]) => value !== '')).toString()

function searchForm(t: Translate, { search, group, disabled }: Asked, here: string): string {
  const field = (name: 'search' | 'group', value: string): string =>
    html`<div class="field"><label for="${name}">${t(`admin.users.${name}`)}</label>
<input type="text" id="${name}" name="${name}" value="${value}" maxlength="256" autocapitalize="none" autocomplete="off" spellcheck="false" !${name === 'search' ? 'aria-describedby="search-hint"' : ''}>
!${name === 'search' ? html`<p class="hint" id="search-hint">${t('admin.users.searchHint')}</p>` : ''}</div>`
  const option = (value: Asked['disabled'], key: string): string =>
    html`<option value="${value}" !${value === disabled ? 'selected' : ''}>${t(`admin.users.${key}`)}</option>`
  return html`<form method="get" action="${here}">
!${field('search', search)}
!${field('group', group)}
<div class="field"><label for="state">${t('admin.users.state')}</label>
<select id="state" name="disabled">!${option('', 'all')}!${option('false', 'enabledOnes')}!${option('true', 'disabledOnes')}</select></div>
<button class="button quiet" type="submit">${t('admin.users.find')}</button>
</form>`
}

function entry(
  t: Translate,
  user: UserRow,
  { base, now }: { readonly base: string; readonly now: number },
): string {
  const { username, display_name: name, email, groups, disabled, expires_at: until } = user
  const tag = (key: string): string => html` <span class="tag">${t(`admin.users.${key}`)}</span>`
  const isOver = until !== null && Date.parse(until) <= now
  return html`<li class="entry"><div><strong>${name === '' ? username : name}</strong>!${disabled ? tag('isDisabled') : ''}!${isOver ? tag('isExpired') : ''}
<small><bdi>${username}</bdi>!${email === '' ? '' : html` &middot; <bdi>${email}</bdi>`}</small>
!${groups.length === 0 ? '' : html`<small>${groups.join(', ')}</small>`}</div>
<a class="button quiet small" href="${userHref(base, username)}" aria-label="${t('admin.users.openLabel', { user: username })}">${t('admin.users.open')}</a></li>`
}
