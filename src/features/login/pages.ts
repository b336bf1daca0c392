import { html } from 'ghtml'
import type { Page } from '../../http/layout.ts'
import type { Translate } from '../../http/messages.ts'
import { formatDuration } from '../../kernel/duration.ts'
import type { App } from '../access/index.ts'
import { type Carried, withCarried } from './carried.ts'

type Content = Omit<Page, 'language' | 't'>

const hidden = ({ rd, rm }: Carried): string =>
  html`!${
    rd === '' ? '' : html`<input type="hidden" name="rd" value="${rd}">`
  }!${rm === '' ? '' : html`<input type="hidden" name="rm" value="${rm}">`}`

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
    readonly formAction: readonly string[]
  },
): Content {
  const alert = html`<div class="alert" role="alert" id="failed"><p><strong>${t('login.signIn.failed')}</strong> ${t('login.signIn.failedHint')}</p></div>`
  const notice = html`<p class="hint" role="status">${t('login.signedOut')}</p>`
  const remember = html`<label class="check"><input type="checkbox" name="remember" value="on"> ${t('login.signIn.remember', { duration: formatDuration(rememberMe) })}</label>`
  return {
    title: t('login.signIn.title'),
    script: true,
    formAction,
    content: html`<h1>${t('login.signIn.title')}</h1>
!${host === undefined ? '' : html`<p class="lead">${t('login.signIn.toContinue', { host })}</p>`}
!${failed ? alert : signedOut ? notice : ''}
<form method="post" action="${base}/" id="sign-in" data-base="${base}" !${failed ? 'data-failed' : ''} !${waiting ? 'data-waiting' : ''}>
!${hidden(carried)}
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
</form>`,
  }
}

export function signedInPage(
  t: Translate,
  {
    user,
    address,
    apps,
    formAction,
    base,
  }: Place & {
    readonly user: string
    readonly address: string
    readonly apps: readonly App[]
    readonly formAction: readonly string[]
  },
): Content {
  const list = html`<h2>${t('login.signedIn.apps')}</h2>
<ul class="apps">!${apps
    .map(
      ({ title, url, host }) =>
        html`<li><a href="${url}"><span>${title}<small>${host}</small></span></a></li>`,
    )
    .join('')}</ul>`
  return {
    title: t('login.signedIn.title'),
    formAction,
    content: html`<h1>${t('login.signedIn.title')}</h1>
<p class="lead">${t('login.signedIn.as', { user })}</p>
!${address === '' ? '' : html`<p class="hint">${t('login.signedIn.from', { address })}</p>`}
!${apps.length === 0 ? '' : list}
<a class="button quiet below" href="${base}/settings/sessions">${t('login.signedIn.sessions')}</a>
<a class="button quiet below" href="${base}/settings/history">${t('login.signedIn.history')}</a>
<form method="post" action="${base}/logout"><button class="button quiet" type="submit">${t('login.signedIn.signOut')}</button></form>`,
  }
}

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
): Content {
  return {
    title: t('login.signOut.title'),
    formAction,
    content: html`<h1>${t('login.signOut.title')}</h1>
<p class="lead">${user === undefined ? t('login.signOut.several') : t('login.signOut.text', { user })}</p>
<form method="post" action="${base}/logout">
!${hidden(carried)}
<button class="button" type="submit">${t('login.signOut.submit')}</button>
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
): Content {
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
): Content {
  return {
    title: t('login.secondFactor.title'),
    content: html`<h1>${t('login.secondFactor.title')}</h1>
<p>${t('login.secondFactor.text', { user, host })}</p>
<p>${t('login.secondFactor.next', { host })}</p>
<a class="button quiet" href="${base}/">${t('login.home')}</a>
<a class="button quiet below" href="${base}/logout">${t('login.signedIn.signOut')}</a>`,
  }
}

/** Somebody else has signed in with this browser: does its owner mean to be this user? */
export function takeOverPage(
  t: Translate,
  {
    user,
    fields,
    other,
    formAction,
    base,
  }: Place & {
    readonly user: string
    readonly fields: Readonly<Record<string, string>>
    /** The form of this portal. */
    readonly other: string
    readonly formAction: readonly string[]
  },
): Content {
  const inputs = Object.entries(fields).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )
  return {
    title: t('login.takeOver.title', { user }),
    formAction,
    content: html`<h1>${t('login.takeOver.title', { user })}</h1>
<p class="lead">${t('login.takeOver.text', { user })}</p>
<form method="post" action="${base}/hub/return">
!${inputs.join('\n')}
<button class="button" type="submit">${t('login.takeOver.submit', { user })}</button>
</form>
<a class="button quiet below" href="${other}">${t('login.takeOver.other')}</a>`,
  }
}

/** @param wait seconds */
export function limitedPage(
  t: Translate,
  { carried, wait, base }: Place & { readonly carried: Carried; readonly wait: number },
): Content {
  return {
    title: t('error.limited.title'),
    content: html`<h1>${t('error.limited.title')}</h1>
<p>${t('error.limited.text', { wait: formatDuration(wait * 1000) })}</p>
<a class="button quiet" href="${withCarried(`${base}/`, carried)}">${t('error.retry')}</a>`,
  }
}
