import { html } from 'ghtml'
import type { Translate } from '../../http/messages.ts'

/** The page of a refused request: the user, what was refused, what to do next. */
export function forbiddenContent(
  t: Translate,
  {
    user,
    host,
    switchUrl,
    homeUrl,
  }: {
    readonly user: string
    readonly host: string
    readonly switchUrl: string | undefined
    /** The portal's first page: a way on that is always open. */
    readonly homeUrl: string | undefined
  },
): string {
  const known = user !== ''
  return html`<h1>${t('verify.forbidden.title')}</h1>
<p class="lead">${
    known
      ? t('verify.forbidden.signedIn', { user, host })
      : t('verify.forbidden.anonymous', { host })
  }</p>
<p>${known && switchUrl !== undefined ? t('verify.forbidden.next') : t('verify.forbidden.ask')}</p>
!${known && switchUrl !== undefined ? html`<a class="button quiet" href="${switchUrl}">${t('verify.forbidden.switch')}</a>` : ''}
!${homeUrl === undefined ? '' : html`<a class="button quiet below" href="${homeUrl}">${t('verify.forbidden.home')}</a>`}`
}
