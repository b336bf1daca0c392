import { html } from 'ghtml'
import type { PageContent } from '../../http/layout.ts'
import type { Translate } from '../../http/messages.ts'
import { type Carried, hiddenFields, withCarried } from '../portal/index.ts'

/** What each of these pages needs besides its own words. */
interface Place {
  /** Base path without a slash at its end; empty at the root. */
  readonly base: string
}

export function signInPage(
  t: Translate,
  {
    carried,
    host,
    failed,
    signedOut,
    waiting,
    rememberMe,
    passkeys,
    forgotten,
    formAction,
    base,
  }: Place & {
    readonly carried: Carried
    /** Where it leads; undefined when nowhere in particular. */
    readonly host: string | undefined
    readonly failed: boolean
    readonly signedOut: boolean
    /** Another tab of this browser may be signing in right now: this one goes on with it. */
    readonly waiting: boolean
    /** Milliseconds; 0 hides the box. */
    readonly rememberMe: number
    /** Users may sign in with a passkey. */
    readonly passkeys: boolean
    /** Where a user who has forgotten the password goes; undefined: nowhere. */
    readonly forgotten?: string | undefined
    readonly formAction: readonly string[]
  },
): PageContent {
  const alert = html`<div class="alert" role="alert" id="failed"><p><strong>${t('login.signIn.failed')}</strong> ${t('login.signIn.failedHint')}</p></div>`
  const notice = html`<p class="hint" role="status">${t('login.signedOut')}</p>`
  const remember = html`<label class="check"><input type="checkbox" name="remember" value="on"> ${t('login.signIn.remember', { duration: { milliseconds: rememberMe } })}</label>`
  return {
    title: t('login.signIn.title'),
    script: true,
    formAction,
    content: html`<h1>${t('login.signIn.title')}</h1>
!${host === undefined ? '' : html`<p class="lead">${t('login.signIn.toContinue', { host })}</p>`}
!${failed ? alert : signedOut ? notice : ''}
<form method="post" action="${base}/" id="sign-in" data-base="${base}" !${failed ? 'data-failed' : ''} !${waiting ? 'data-waiting' : ''}>
!${hiddenFields(carried)}
<div class="field">
<label for="username">${t('login.signIn.username')}</label>
<input type="text" id="username" name="username" autocomplete="username webauthn" autocapitalize="none" autocorrect="off" spellcheck="false" maxlength="320" required !${failed ? 'aria-invalid="true" aria-describedby="failed"' : ''} autofocus>
</div>
<div class="field">
<label for="password">${t('login.signIn.password')}</label>
<div class="with-button">
<input type="password" id="password" name="password" autocomplete="current-password" maxlength="1024" required !${failed ? 'aria-invalid="true" aria-describedby="failed"' : ''}>
<button class="reveal" type="button" id="reveal" aria-controls="password" aria-pressed="false" aria-label="${t('login.signIn.showLabel')}" data-hide="${t('login.signIn.hide')}" hidden>${t('login.signIn.show')}</button>
</div>
<p class="hint" id="caps" role="status" hidden>${t('login.signIn.caps')}</p>
</div>
!${rememberMe > 0 ? remember : ''}
<button class="button" type="submit">${t('login.signIn.submit')}</button>
</form>
!${passkeys ? passkeyButton(t, { carried, base }) : ''}
!${forgotten === undefined ? '' : html`<p class="hint below"><a href="${forgotten}">${t('login.signIn.forgotten')}</a></p>`}`,
  }
}

/** For the script of the portal, which shows it (src/http/client/webauthn.js). Without scripts there are no passkeys. */
function passkeyButton(t: Translate, { carried, base }: Place & { readonly carried: Carried }) {
  const next = withCarried(`${base}/`, carried, { 'signed-in': '' })
  return html`<div id="webauthn-said" class="alert" role="alert" hidden></div>
<button class="button quiet" type="button" id="webauthn" data-purpose="passkey" data-base="${base}" data-next="${next}" data-failed="${t('login.signIn.passkeyFailed')}" data-cancelled="${t('login.signIn.passkeyCancelled')}" data-limited="${t('error.limited.title')}" hidden>${t('login.signIn.passkey')}</button>`
}

export function signedInPage(
  t: Translate,
  {
    user,
    address,
    apps,
    pages,
    formAction,
    base,
  }: Place & {
    readonly user: string
    readonly address: string
    readonly apps: readonly Tile[]
    /** Own pages, by address and title. */
    readonly pages: readonly { readonly href: string; readonly title: string }[]
    readonly formAction: readonly string[]
  },
): PageContent {
  const list = html`<nav aria-label="${t('login.signedIn.apps')}"><ul class="apps">!${apps.map(tile).join('')}</ul></nav>`
  return {
    title: t(apps.length === 0 ? 'login.signedIn.title' : 'login.signedIn.apps'),
    wide: apps.length > 0,
    formAction,
    content: html`<h1>${t(apps.length === 0 ? 'login.signedIn.title' : 'login.signedIn.apps')}</h1>
<p class="lead">${t(apps.length === 0 ? 'login.signedIn.as' : 'login.signedIn.signedInAs', { user })}</p>
!${apps.length === 0 ? '' : list}
<section class="account">
<h2>${t('login.signedIn.account')}</h2>
<ul class="links">!${pages.map(({ href, title }) => html`<li><a href="${href}">${title}</a></li>`).join('')}</ul>
<form method="post" action="${base}/logout"><button class="button quiet" type="submit">${t('login.signedIn.signOut')}</button></form>
!${address === '' ? '' : html`<p class="hint">${t('login.signedIn.from', { address })}</p>`}
</section>`,
  }
}

/** An app as the portal shows it. */
export interface Tile {
  readonly title: string
  readonly url: string
  readonly host: string
  /** The address of its picture; undefined: its initials. */
  readonly picture: string | undefined
}

const TINTS = 6

function tile({ title, url, host, picture }: Tile): string {
  const tint =
    [...host].reduce((sum, character) => sum + (character.codePointAt(0) ?? 0), 0) % TINTS
  const icon =
    picture === undefined
      ? html`<span class="icon initials tint-${String(tint)}" aria-hidden="true">${initialsOf(title)}</span>`
      : html`<img class="icon" src="${picture}" alt="" width="48" height="48">`
  return html`<li><a href="${url}">!${icon}<span>${title}<small>!${host
    .split('.')
    .map((label) => html`${label}`)
    .join('.<wbr>')}</small></span></a></li>`
}

/** `Home Assistant` → `HA`, `wiki` → `W`. */
const initialsOf = (title: string): string =>
  title
    .split(/\s+/u)
    .filter(Boolean)
    .slice(0, 2)
    .map((word) => [...word][0]?.toUpperCase() ?? '')
    .join('')

export function signOutPage(
  t: Translate,
  {
    user,
    carried,
    formAction,
    base,
  }: Place & {
    /** Undefined when several cookies came along, and it is not clear whose they are. */
    readonly user: string | undefined
    readonly carried: Carried
    readonly formAction: readonly string[]
  },
): PageContent {
  return {
    title: t('login.signOut.title'),
    formAction,
    content: html`<h1>${t('login.signOut.title')}</h1>
<p class="lead">${user === undefined ? t('login.signOut.several') : t('login.signOut.text', { user })}</p>
<form method="post" action="${base}/logout">
!${hiddenFields(carried)}
<button class="button danger" type="submit">${t('login.signOut.submit')}</button>
</form>
<a class="button quiet below" href="${base}/">${t('login.signOut.stay')}</a>`,
  }
}

export function cookieRefusedPage(
  t: Translate,
  {
    carried,
    domain,
    insecure,
    portal,
    base,
  }: Place & {
    readonly carried: Carried
    readonly domain: string
    /** The page came over plain http from another machine, where Secure cookies are dropped. */
    readonly insecure: boolean
    readonly portal: string
  },
): PageContent {
  return {
    title: t('login.cookieRefused.title'),
    content: html`<h1>${t('login.cookieRefused.title')}</h1>
<p>${t('login.cookieRefused.text')}</p>
<p>${insecure ? t('login.cookieRefused.insecure', { portal }) : t('login.cookieRefused.blocked', { domain })}</p>
<a class="button" href="${withCarried(`${base}/`, carried)}">${t('login.tryAgain')}</a>`,
  }
}

export function secondFactorPage(
  t: Translate,
  { user, host, base }: Place & { readonly user: string; readonly host: string },
): PageContent {
  return {
    title: t('login.secondFactor.title'),
    content: html`<h1>${t('login.secondFactor.title')}</h1>
<p>${t('login.secondFactor.text', { user, host })}</p>
<p>${t('login.secondFactor.next', { host })}</p>
<a class="button quiet" href="${base}/">${t('login.home')}</a>
<a class="button quiet below" href="${base}/logout">${t('login.signedIn.signOut')}</a>`,
  }
}
