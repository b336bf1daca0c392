/** Pieces that several pages of this folder share. */
import { html } from 'ghtml'
import type { Translate } from '../../../http/messages.ts'
import { formatDuration } from '../../../kernel/duration.ts'
import type { ElevationMethod, MethodName } from '../method.ts'

/** Of the methods' pages, below `/second-factor/`. */
export const PATHS: Readonly<Record<MethodName | 'password', string>> = {
  totp: 'totp',
  webauthn: 'webauthn',
  recovery_code: 'recovery-code',
  password: 'password',
}

/** What is typed to show a factor. */
export type Typed = 'totp' | 'recovery_code' | 'password' | 'mail'

/** In characters: longer codes are wrong, and not looked at. */
export const MAX_CODE = 64

/** A form with one field. `wrong`: the last one was; it is said, and the field has the focus. */
export function fieldForm(
  t: Translate,
  {
    kind,
    action,
    wrong,
    submit,
    digits = 6,
    trust = '',
  }: {
    readonly kind: Typed
    readonly action: string
    readonly wrong: boolean
    /** Words of the button. */
    readonly submit: string
    readonly digits?: number | undefined
    /** `trustBox` */
    readonly trust?: string
  },
): string {
  const invalid = wrong ? 'aria-invalid="true" aria-describedby="wrong"' : ''
  return html`!${wrong ? alert(t(`secondFactor.${kind}.wrong`)) : ''}
<form method="post" action="${action}" data-once>
<div class="field">
<label for="${kind}">${t(`secondFactor.${kind}.label`, { digits })}</label>
!${fieldOf(kind, digits, invalid)}
</div>
!${trust}
<button class="button" type="submit">${submit}</button>
</form>`
}

/** Lets the browser be trusted; nothing where that is switched off. @param duration milliseconds */
export const trustBox = (t: Translate, duration: number): string =>
  duration === 0
    ? ''
    : html`<label class="check"><input type="checkbox" id="trust-device" name="trust" value="on"> ${t('secondFactor.trust', { time: formatDuration(duration) })}</label>`

function fieldOf(kind: Typed, digits: number, invalid: string): string {
  switch (kind) {
    case 'totp':
      // Two more than the code has, for spaces that are pasted along.
      return html`<input class="code" type="text" id="totp" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="${String(digits + 2)}" required !${invalid} autofocus>`
    case 'recovery_code':
      return html`<input class="code" type="text" id="recovery_code" name="code" autocomplete="off" autocapitalize="characters" autocorrect="off" spellcheck="false" maxlength="${String(MAX_CODE)}" required !${invalid} autofocus>`
    case 'mail':
      return html`<input class="code" type="text" id="mail" name="code" autocomplete="one-time-code" autocapitalize="characters" autocorrect="off" spellcheck="false" maxlength="${String(MAX_CODE)}" required !${invalid} autofocus>`
    case 'password':
      return html`<input type="password" id="password" name="password" autocomplete="current-password" maxlength="1024" required !${invalid} autofocus>`
    default:
      return kind satisfies never
  }
}

export const alert = (text: string): string =>
  html`<div class="alert" role="alert" id="wrong"><p>${text}</p></div>`

export const notice = (text: string): string => html`<p class="notice" role="status">${text}</p>`

/** A link to each of the other ways, if there are any. */
export function otherWays(
  t: Translate,
  ways: readonly { readonly method: ElevationMethod; readonly href: string }[],
): string {
  if (ways.length === 0) return ''
  return html`<section class="account"><h2>${t('secondFactor.otherWays')}</h2>
<ul class="links">!${ways.map(({ method, href }) => html`<li><a href="${href}">${t(`secondFactor.${method}.way`)}</a></li>`).join('')}</ul></section>`
}

/** `JBSWY3DPEHPK3PXP` → `JBSW Y3DP EHPK 3PXP`: people type it. */
export const inFours = (secret: string): string => secret.replace(/(.{4})(?=.)/g, '$1 ')
