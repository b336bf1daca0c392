import { html } from 'ghtml'
import type { PageContent } from '../../http/layout.ts'
import type { Translate } from '../../http/messages.ts'

/**
 * Too many wrong passwords or codes, and when the next try makes sense.
 * @param href where that try is made
 * @param wait seconds
 */
export function limitedPage(
  t: Translate,
  { href, wait }: { readonly href: string; readonly wait: number },
): PageContent {
  return {
    title: t('error.limited.title'),
    script: true,
    // The script counts the seconds down, and enables the button when they are over. Without it the button works at any time.
    content: html`<h1>${t('error.limited.title')}</h1>
<p>${t('error.limited.text', { wait: { milliseconds: wait * 1000 } })}</p>
<p class="hint" id="countdown" role="timer" data-seconds="${String(wait)}" data-text="${t('error.limited.countdown', { time: '{time}' })}" data-over="${t('error.limited.over')}" hidden></p>
<a class="button" id="retry" href="${href}">${t('error.retry')}</a>`,
  }
}
