import { html } from 'ghtml'
import type { Translate } from '../../../http/messages.ts'

/**
 * The button that asks a security key or a passkey. The script of the webauthn method finds it by its id, takes away `hidden`,
 * and puts what it has to say into `#webauthn-said`. Without the script the page says what is missing.
 * @param purpose `data-purpose`: which ceremony the script begins
 * @param next where the script goes when the key was right
 */
export function webauthnButton(
  t: Translate,
  {
    purpose,
    base,
    next,
  }: {
    readonly purpose: 'sign-in' | 'confirm' | 'register'
    readonly base: string
    readonly next: string
  },
): string {
  return html`<div id="webauthn-said" class="alert" role="alert" hidden></div>
<p class="below"><button class="button" type="button" id="webauthn" data-purpose="${purpose}" data-base="${base}" data-next="${next}" data-failed="${t('secondFactor.webauthn.failed')}" data-cancelled="${t('secondFactor.webauthn.cancelled')}" data-unsupported="${t('secondFactor.webauthn.unsupported')}" data-name-taken="${t('secondFactor.webauthn.nameTaken')}" data-limited="${t('secondFactor.webauthn.limited')}" hidden>${t(`secondFactor.webauthn.${purpose}`)}</button></p>
<noscript><p>${t('secondFactor.webauthn.noScript')}</p></noscript>`
}
