import { html } from 'ghtml'
import type { Assets } from './assets.ts'
import type { HeaderSets } from './headers.ts'
import type { Translate } from './messages.ts'
import type { Theme } from './theme.ts'

/** What every page shares: the card, the words' language, the policy that the browser holds it to. */
export interface Layout {
  /** @returns the page and its headers, Content-Security-Policy included */
  render(page: Page): { readonly body: string; readonly headers: Readonly<Record<string, string>> }
}

export interface Page {
  readonly language: string
  readonly t: Translate
  readonly theme: Theme
  readonly title: string
  /** Markup made with the escaping tag; goes in as it is. */
  readonly content: string
  readonly requestId?: string
  /** Space for tiles or a list, on screens that have it. */
  readonly wide?: boolean
  /** Links to neighbouring pages, as markup; beside the content on screens that have the space. */
  readonly navigation?: string
  /** Runs the portal's script. */
  readonly script?: boolean
  /** Carries its style with it: for pages that leave at another origin, where our files are not. */
  readonly selfContained?: boolean
  /** Sources for `form-action` besides 'self': where a form's answer may redirect to. */
  readonly formAction?: readonly string[]
}

/** What a page has besides what the request decides. */
export type PageContent = Omit<Page, 'language' | 't' | 'theme'>

/** A keyhole in the accent colour; inline, so that it costs no request. */
const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32' rx='8' fill='%233454d1'/%3E%3Cpath d='M16 8a5 5 0 0 0-2.2 9.5L12.5 24h7l-1.3-6.5A5 5 0 0 0 16 8z' fill='%23fff'/%3E%3C/svg%3E"
const LOGO = html`<svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false"><rect width="32" height="32" rx="8"></rect><path d="M16 8a5 5 0 0 0-2.2 9.5L12.5 24h7l-1.3-6.5A5 5 0 0 0 16 8z"></path></svg>`

export function createLayout({
  assets,
  headers,
  brand,
  base,
}: {
  readonly assets: Assets
  readonly headers: HeaderSets
  readonly brand: string
  /** Base path without a slash at its end; empty at the root. */
  readonly base: string
}): Layout {
  return {
    render(page) {
      const { language, t, theme, title, content, requestId, script, selfContained } = page
      const { formAction = [], wide, navigation } = page
      const style = selfContained
        ? html`<style>!${assets.style.text}</style>`
        : html`<link rel="stylesheet" href="${base}${assets.style.url}">`
      const body = html`<!doctype html>
<html lang="${language}" !${theme === 'auto' ? '' : html`data-theme="${theme}"`}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="${theme === 'auto' ? 'light dark' : theme}">
<meta name="robots" content="noindex">
<title>${title} &middot; ${brand}</title>
<link rel="icon" href="!${ICON}">
!${selfContained ? '' : html`<link rel="apple-touch-icon" href="${base}/apple-touch-icon.png">`}
!${style}
!${script ? html`<script src="${base}${assets.script.url}" defer></script>` : ''}
</head>
<body>
<main class="card!${wide ? ' wide' : ''}!${navigation === undefined ? '' : ' with-pages'}">
<p class="brand">!${LOGO}<span>${brand}</span></p>
!${navigation === undefined ? content : html`!${navigation}<div class="page">!${content}</div>`}
</main>
!${requestId === undefined ? '' : html`<footer class="request-id">${t('page.requestId', { id: requestId })}</footer>`}
</body>
</html>
`
      const policy = [
        "default-src 'none'",
        "base-uri 'none'",
        selfContained ? 'img-src data:' : "img-src 'self' data:",
        `style-src ${selfContained ? assets.style.csp : "'self'"}`,
        ...(script ? ["script-src 'self'", "connect-src 'self'"] : []),
        `form-action ${["'self'", ...formAction].join(' ')}`,
        `frame-ancestors ${headers.frameAncestors}`,
      ].join('; ')
      return {
        body,
        headers: {
          ...headers.page,
          'Content-Security-Policy': policy,
          'Content-Type': 'text/html; charset=utf-8',
        },
      }
    },
  }
}
