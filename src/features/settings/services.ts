import { html } from 'ghtml'
import type { Messages, Translate } from '../../http/messages.ts'
import type { Replies } from '../../http/replies.ts'
import type { Audit } from '../audit/index.ts'
import { createRendering, type PortalContextsOptions, type Rendering } from '../portal/index.ts'
import { createOwnSessions, type OwnSessions } from './own-sessions.ts'
import type { Places } from './places.ts'

/** A page, as far as the navigation names it. */
export interface PageLink {
  /** Below `/settings/`. */
  readonly path: string
  /** Key of its title. */
  readonly title: string
}

export interface SettingsOptions extends PortalContextsOptions {
  readonly audit: Pick<Audit, 'record' | 'list'>
  readonly replies: Replies
  readonly messages: Messages
  /** Where addresses are. */
  readonly places: Places
  /** All pages, in the order in which they are offered. */
  readonly pages: readonly PageLink[]
  /** Base path without a slash at its end; empty at the root. */
  readonly base: string
}

/** What the pages and the API of this feature share. */
export interface SettingsServices extends SettingsOptions, Rendering {
  readonly own: OwnSessions
  /** The links to all pages. @param path of the page that it stands on */
  navigation(t: Translate, path: string): string
}

export const createSettingsServices = (options: SettingsOptions): SettingsServices => ({
  ...options,
  ...createRendering(options),
  own: createOwnSessions(options.sessions),
  navigation: (t, path) => navigation(t, path, options),
})

function navigation(
  t: Translate,
  here: string,
  { pages, base }: Pick<SettingsOptions, 'pages' | 'base'>,
): string {
  const link = ({ path, title }: PageLink): string =>
    html`<li><a href="${base}/settings/${path}" !${path === here ? 'aria-current="page"' : ''}>${t(title)}</a></li>`
  return html`<nav class="pages" aria-label="${t('settings.pages')}"><ul>!${pages.map(link).join('')}</ul></nav>`
}
