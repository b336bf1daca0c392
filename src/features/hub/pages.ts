import { html } from 'ghtml'
import type { PageContent } from '../../http/layout.ts'
import type { Translate } from '../../http/messages.ts'

/** Another user has signed in with this browser: does its owner want to be signed in as this one? */
export function takeOverPage(
  t: Translate,
  {
    user,
    fields,
    other,
    formAction,
    base,
  }: {
    /** Base path without a slash at its end; empty at the root. */
    readonly base: string
    readonly user: string
    readonly fields: Readonly<Record<string, string>>
    /** The form of this portal. */
    readonly other: string
    readonly formAction: readonly string[]
  },
): PageContent {
  const inputs = Object.entries(fields).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )
  return {
    title: t('hub.takeOver.title', { user }),
    formAction,
    content: html`<h1>${t('hub.takeOver.title', { user })}</h1>
<p class="lead">${t('hub.takeOver.text', { user })}</p>
<form method="post" action="${base}/hub/return">
!${inputs.join('\n')}
<button class="button" type="submit">${t('hub.takeOver.submit', { user })}</button>
</form>
<a class="button quiet below" href="${other}">${t('hub.takeOver.other')}</a>`,
  }
}
