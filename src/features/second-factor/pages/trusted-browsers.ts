import type { FastifyReply, FastifyRequest } from 'fastify'
import { html } from 'ghtml'
import { loadBrowserNames } from '../../../http/browser-name.ts'
import type { Translate } from '../../../http/messages.ts'
import type { EpochMs } from '../../../kernel/clock.ts'
import { contextOf, ownerOf, textFields } from '../../portal/index.ts'
import type { SettingsServices } from '../../settings/index.ts'
import type { TrustedDevice, TrustedDevices } from '../trusted-devices.ts'

interface Browser extends TrustedDevice {
  readonly name: string
}

/** The browsers that a user has trusted, as the settings show them. */
export async function trustedBrowsers(
  trusted: TrustedDevices,
  user: string,
): Promise<readonly Browser[]> {
  const found = await trusted.list(user)
  if (found.length === 0) return []
  const nameOf = await loadBrowserNames()
  return found.map((one) => {
    const { browser, system } = nameOf(one.device.userAgent)
    return { ...one, name: [browser, system].filter((part) => part !== undefined).join(', ') }
  })
}

/** Nothing where there are none. */
export function trustedList(
  t: Translate,
  browsers: readonly Browser[],
  { here, when }: { readonly here: string; readonly when: (time: EpochMs) => string },
): string {
  if (browsers.length === 0) return ''
  const entry = ({ name, device, trustedAt }: Browser): string =>
    html`<li class="entry"><div>
<strong>${name === '' ? device.address : name}</strong>
<small>${t('secondFactor.settings.trustedSince')} !${when(trustedAt)}</small>
</div>
<form method="post" action="${here}/forget">
<button class="button quiet small" type="submit" name="device" value="${device.id}">${t('secondFactor.settings.forget')}</button>
</form></li>`
  return html`<h2>${t('secondFactor.settings.trusted')}</h2>
<p>${t('secondFactor.settings.trustedText')}</p>
<ul class="entries">!${browsers.map(entry).join('')}</ul>`
}

/** Ends the trust in one browser. Without elevation: it takes a right away. */
export async function forgetBrowser(
  trusted: TrustedDevices,
  { replies, audit }: Pick<SettingsServices, 'replies' | 'audit'>,
  here: string,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { user } = ownerOf(request).session
  const { device = '' } = textFields(request.body)
  const count = await trusted.forget(user, device)
  const { address, userAgent } = contextOf(request)
  if (count > 0)
    audit.record('device.untrusted', {
      ...{ user, actor: `user:${user}`, address, userAgent, requestId: request.id },
      details: { device },
    })
  return replies.redirect(reply, `${here}?${count > 0 ? 'forgotten' : 'gone'}=`)
}
