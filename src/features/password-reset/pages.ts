import { html } from 'ghtml'
import type { PageContent } from '../../http/layout.ts'
import type { Translate } from '../../http/messages.ts'
import { faultsAlert, strengthMeter } from '../password-policy/index.ts'
import type { PasswordPolicy, PolicyFault } from '../passwords/index.ts'

export function askPage(t: Translate, base: string): PageContent {
  return {
    title: t('passwordReset.ask.title'),
    script: true,
    content: html`<h1>${t('passwordReset.ask.title')}</h1>
<p class="lead">${t('passwordReset.ask.text')}</p>
<form method="post" action="${base}/reset-password" data-once>
<div class="field">
<label for="username">${t('login.signIn.username')}</label>
<input type="text" id="username" name="username" autocomplete="username" autocapitalize="none" autocorrect="off" spellcheck="false" maxlength="320" required autofocus>
</div>
<button class="button" type="submit">${t('passwordReset.ask.submit')}</button>
</form>
<a class="button quiet below" href="${base}/">${t('passwordReset.signIn')}</a>`,
  }
}

export const sentPage = (t: Translate, base: string): PageContent => ({
  title: t('passwordReset.sent.title'),
  content: html`<h1>${t('passwordReset.sent.title')}</h1>
<p role="status">${t('passwordReset.sent.text')}</p>
<p class="hint">${t('passwordReset.sent.hint')}</p>
<a class="button quiet" href="${base}/">${t('passwordReset.signIn')}</a>`,
})

/** What is wrong with what was typed. */
type NewPasswordFault = 'different' | 'unusable' | 'fixed'
export interface Faults {
  readonly fault?: NewPasswordFault
  /** What the policy refuses. */
  readonly weak?: readonly PolicyFault[]
}

export function newPasswordPage(
  t: Translate,
  {
    token,
    user,
    fault,
    weak = [],
    policy,
    base,
  }: Faults & {
    readonly token: string
    readonly user: string
    readonly policy: Pick<PasswordPolicy, 'isOn' | 'config'>
    readonly base: string
  },
): PageContent {
  return {
    title: t('passwordReset.change.title'),
    script: true,
    content: html`<h1>${t('passwordReset.change.title')}</h1>
<p class="lead">${t('passwordReset.change.text', { user })}</p>
!${weak.length === 0 ? '' : faultsAlert(t, weak, policy)}
!${fault === undefined ? '' : html`<div class="alert" role="alert" id="wrong"><p>${t(`settings.password.${fault}`)}</p></div>`}
<form method="post" action="${base}/reset-password/step2" data-once>
<input type="hidden" name="token" value="${token}">
<input type="text" name="username" value="${user}" autocomplete="username" readonly hidden>
!${field(t, 'password', weak.length > 0 ? 'unusable' : fault)}
!${strengthMeter(t, policy, base)}
!${field(t, 'repeat', fault)}
<button class="button" type="submit">${t('settings.password.save')}</button>
</form>`,
  }
}

function field(t: Translate, name: 'password' | 'repeat', fault: NewPasswordFault | undefined) {
  const isWrong = fault !== undefined && (name === 'password' || fault === 'different')
  const focused = name === 'password' ? 'autofocus' : ''
  return html`<div class="field">
<label for="${name}">${t(`settings.password.${name}`)}</label>
<input type="password" id="${name}" name="${name}" autocomplete="new-password" maxlength="1024" required !${isWrong ? 'aria-invalid="true" aria-describedby="wrong"' : ''} !${focused}>
</div>`
}

export const donePage = (t: Translate, base: string): PageContent => ({
  title: t('passwordReset.done.title'),
  content: html`<h1>${t('passwordReset.done.title')}</h1>
<p role="status">${t('passwordReset.done.text')}</p>
<a class="button" href="${base}/">${t('passwordReset.signIn')}</a>`,
})

/** One page for every link that is refused. */
export const unusableLinkPage = (t: Translate, base: string): PageContent => ({
  title: t('passwordReset.unusable.title'),
  content: html`<h1>${t('passwordReset.unusable.title')}</h1>
<p role="alert">${t('passwordReset.unusable.text')}</p>
<a class="button" href="${base}/reset-password">${t('passwordReset.unusable.again')}</a>
<a class="button quiet below" href="${base}/">${t('passwordReset.signIn')}</a>`,
})

export const revokePage = (
  t: Translate,
  { token, base }: { readonly token: string; readonly base: string },
): PageContent => ({
  title: t('passwordReset.revoke.title'),
  content: html`<h1>${t('passwordReset.revoke.title')}</h1>
<p class="lead">${t('passwordReset.revoke.text')}</p>
<form method="post" action="${base}/revoke/reset-password">
<input type="hidden" name="token" value="${token}">
<button class="button danger" type="submit">${t('passwordReset.revoke.submit')}</button>
</form>
<a class="button quiet below" href="${base}/">${t('passwordReset.signIn')}</a>`,
})

export const revokedPage = (t: Translate, base: string): PageContent => ({
  title: t('passwordReset.revoked.title'),
  content: html`<h1>${t('passwordReset.revoked.title')}</h1>
<p role="status">${t('passwordReset.revoked.text')}</p>
<a class="button quiet" href="${base}/">${t('passwordReset.signIn')}</a>`,
})
