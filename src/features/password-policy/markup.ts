import { html } from 'ghtml'
import type { Translate } from '../../http/messages.ts'
import { AppError } from '../../kernel/errors.ts'
import { type PasswordPolicy, POLICY_FAULTS, type PolicyFault } from '../passwords/index.ts'

/** @param list an error of the policy, or a text with their names and commas, from anywhere. Others are left out */
export function faultsIn(list: unknown): readonly PolicyFault[] {
  const given = list instanceof AppError ? list.details['faults'] : String(list).split(',')
  return Array.isArray(given) ? POLICY_FAULTS.filter((fault) => given.includes(fault)) : []
}

export function faultText(
  t: Translate,
  fault: PolicyFault,
  { standard }: PasswordPolicy['config'],
): string {
  return t(`passwordPolicy.${fault}`, { min: standard.min_length, max: standard.max_length })
}

/** What is wrong with a password, for the top of its form. */
export const faultsAlert = (
  t: Translate,
  faults: readonly PolicyFault[],
  { config }: Pick<PasswordPolicy, 'config'>,
): string =>
  html`<div class="alert" role="alert" id="wrong">!${faults.map((fault) => html`<p>${faultText(t, fault, config)}</p>`).join('')}</div>`

/** Shown by the portal's script while the field `password` is typed in; without scripts it stays hidden. */
export const strengthMeter = (
  t: Translate,
  { isOn }: Pick<PasswordPolicy, 'isOn'>,
  base: string,
): string =>
  isOn
    ? html`<div id="strength" data-url="${base}/api/password-strength" hidden>
<meter min="0" max="4" low="2" high="3" optimum="4" value="0" aria-label="${t('passwordPolicy.meter')}"></meter>
<p class="hint" role="status"></p>
</div>`
    : ''
