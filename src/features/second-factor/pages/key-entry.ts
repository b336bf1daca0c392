import { html } from 'ghtml'
import type { Translate } from '../../../http/messages.ts'
import type { EpochMs } from '../../../kernel/clock.ts'

/** A security key or passkey, as the settings show it. */
export interface SecurityKey {
  readonly id: string
  /** What the user calls it. */
  readonly name: string
  /** The host name at which it works. */
  readonly rpId: string
  /** It remembers whose it is: a passkey. */
  readonly discoverable: boolean
  /** There may be a copy of it; it is refused. */
  readonly cloneWarning: boolean
  readonly createdAt: EpochMs
  readonly lastUsedAt: EpochMs | undefined
}

/** What the settings do with the keys of a user. */
export interface SecurityKeys {
  /** Of all portals, oldest first. */
  list(user: string): Promise<readonly SecurityKey[]>
  rename(user: string, id: string, name: string): Promise<'renamed' | 'unknown' | 'name-taken'>
  /** @returns undefined: the user has no such key */
  remove(user: string, id: string): Promise<unknown>
}

/** One key in the list: when it was used, rename, remove. */
export function keyEntry(
  t: Translate,
  { id, name, rpId, discoverable, cloneWarning, createdAt, lastUsedAt }: SecurityKey,
  { here, when }: { readonly here: string; readonly when: (time: EpochMs) => string },
): string {
  const field = `name-${id}`
  return html`<li class="entry"><div>
<strong>${name}</strong>!${discoverable ? html` <span class="tag">${t('secondFactor.settings.passkey')}</span>` : ''}
<small>${t('secondFactor.settings.worksAt', { host: rpId })}</small>
<small>${t('secondFactor.settings.created')} !${when(createdAt)}, !${lastUsedAt === undefined ? t('secondFactor.settings.neverUsed') : html`${t('secondFactor.settings.lastUsed')} !${when(lastUsedAt)}`}</small>
!${cloneWarning ? html`<small class="alarming">${t('secondFactor.settings.clone')}</small>` : ''}
</div>
<details><summary class="button quiet small" aria-label="${t('secondFactor.settings.changeKey', { name })}">${t('secondFactor.settings.change')}</summary>
<form method="post" action="${here}">
<input type="hidden" name="id" value="${id}">
<div class="field"><label for="${field}">${t('secondFactor.settings.keyName')}</label>
<input type="text" id="${field}" name="name" value="${name}" maxlength="64" autocomplete="off" required></div>
<button class="button quiet" type="submit" name="action" value="rename-key">${t('secondFactor.settings.rename')}</button>
</form>
<form method="post" action="${here}">
<input type="hidden" name="id" value="${id}">
<p>${t('secondFactor.settings.removeKeyText')}</p>
<button class="button danger" type="submit" name="action" value="remove-key">${t('secondFactor.settings.removeKey', { name })}</button>
</form></details></li>`
}
