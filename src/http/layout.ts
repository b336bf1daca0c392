import { html } from 'ghtml'
import type { Asset } from './assets.ts'
import type { Brand, Brands } from './brands.ts'
import type { HeaderSets } from './headers.ts'
import { LANGUAGES } from './languages.ts'
import type { Translate } from './messages.ts'
import type { Theme } from './theme.ts'

/** What every page shares: the card, the words' language, the policy that the browser holds it to. */
export interface Layout {
  /** @returns the page and its headers, Content-Security-Policy included */
  render(page: Page): { readonly body: string; readonly headers: Readonly<Record<string, string>> }
}

export interface Page {
  readonly language: string
  readonly direction: 'ltr' | 'rtl'
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
  /** Path and query to come back to from the choice of a language; undefined: there is no choice. */
  readonly back?: string | undefined
  /** The cookie domain whose brand it wears. */
  readonly domain?: string | undefined
}

/** What a page has besides what the request decides. */
export type PageContent = Omit<Page, 'language' | 'direction' | 't' | 'theme' | 'domain'>

/** A keyhole in the accent colour; inline, so that it costs no request. */
const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32' rx='8' fill='%233454d1'/%3E%3Cpath d='M16 8a5 5 0 0 0-2.2 9.5L12.5 24h7l-1.3-6.5A5 5 0 0 0 16 8z' fill='%23fff'/%3E%3C/svg%3E"
const LOGO = html`<svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false"><rect width="32" height="32" rx="8"></rect><path d="M16 8a5 5 0 0 0-2.2 9.5L12.5 24h7l-1.3-6.5A5 5 0 0 0 16 8z"></path></svg>`

export function createLayout({
  script: program,
  brands,
  headers,
  base,
}: {
  /** The portal's script. */
  readonly script: Asset
  readonly brands: Pick<Brands, 'of'>
  readonly headers: HeaderSets
  /** Base path without a slash at its end; empty at the root. */
  readonly base: string
}): Layout {
  return {
    render(page) {
      const { language, direction, theme, title, content, script, selfContained } = page
      const { formAction = [], wide, navigation } = page
      const brand = brands.of(page.domain)
      const style = selfContained
        ? html`<style>!${brand.inlineStyle.text}</style>`
        : html`<link rel="stylesheet" href="${base}${brand.style.url}">`
      const body = html`<!doctype html>
<html lang="${language}" dir="${direction}" !${theme === 'auto' ? '' : html`data-theme="${theme}"`}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="${theme === 'auto' ? 'light dark' : theme}">
<meta name="robots" content="noindex">
<title>${title} &middot; ${brand.title}</title>
<link rel="icon" href="!${ICON}">
!${selfContained ? '' : html`<link rel="apple-touch-icon" href="${base}/apple-touch-icon.png">`}
!${style}
!${script ? html`<script src="${base}${program.url}" defer></script>` : ''}
</head>
<body>
<main class="card!${wide ? ' wide' : ''}!${navigation === undefined ? '' : ' with-pages'}">
<p class="brand">!${markOf(brand, base, selfContained)}<span>${brand.title}</span></p>
!${navigation === undefined ? content : html`!${navigation}<div class="page">!${content}</div>`}
</main>
!${footOf(page, brand, base)}
</body>
</html>
`
      const policy = [
        "default-src 'none'",
        "base-uri 'none'",
        selfContained ? 'img-src data:' : "img-src 'self' data:",
        `style-src ${selfContained ? brand.inlineStyle.csp : "'self'"}`,
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

function markOf({ logo }: Brand, base: string, selfContained: boolean | undefined): string {
  if (logo === undefined) return LOGO
  return html`<img class="logo" src="${selfContained ? logo.inline : base + logo.url}" alt="">`
}

/** The choice of a language, the links of the brand, and the id of the request, as far as there are any. */
function footOf({ t, language, back, requestId }: Page, { links }: Brand, base: string): string {
  const option = ([tag, name]: [string, string]): string =>
    html`<option value="${tag}" lang="${tag}" !${tag === language ? 'selected' : ''}>${name}</option>`
  const choice =
    back === undefined
      ? ''
      : html`<form class="language" method="post" action="${base}/settings/language"><input type="hidden" name="back" value="${back}"><label for="language">${t('page.language')}</label><select id="language" name="language" autocomplete="off">!${Object.entries(LANGUAGES).map(option).join('')}</select><button type="submit">${t('page.language.change')}</button></form>`
  const list =
    links.length === 0
      ? ''
      : html`<ul>!${links.map(({ title, url }) => html`<li><a href="${url}">${title}</a></li>`).join('')}</ul>`
  const id =
    requestId === undefined
      ? ''
      : html`<p class="request-id">${t('page.requestId', { id: requestId })}</p>`
  return choice + list + id === ''
    ? ''
    : html`<footer class="foot">!${choice}!${list}!${id}</footer>`
}
