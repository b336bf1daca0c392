import { html } from 'ghtml'
import type { Messages, Translate } from '../../http/messages.ts'
import type { Replies } from '../../http/replies.ts'
import type { BoundOperation } from '../../kernel/operation.ts'
import type { Access } from '../access/index.ts'
import { createRendering, type PortalContextsOptions, type Rendering } from '../portal/index.ts'
import type { Users } from '../users/index.ts'
import type { Presented, RefusedRequests } from '../verify/index.ts'

/** A page, as far as the navigation names it. */
export interface PageLink {
  /** Below `/admin/`. */
  readonly path: string
  /** Key of its title. */
  readonly title: string
}

export interface AdminOptions extends PortalContextsOptions {
  readonly operations: readonly BoundOperation[]
  /** False with `admin.disable`. */
  readonly hasAdmin: boolean
  readonly replies: Replies
  readonly messages: Messages
  readonly access: Access
  readonly users: Pick<Users, 'profile'>
  /** What apps are told of a user. */
  readonly present: (profile: Awaited<ReturnType<Users['profile']>>) => Presented
  readonly refused: Pick<RefusedRequests, 'of'>
  /** Base path without a slash at its end; empty at the root. */
  readonly base: string
}

/** What the pages and the API of this feature share. */
export interface AdminServices extends AdminOptions, Rendering {
  /** The links to all pages. @param path of the page that it stands on */
  navigation(t: Translate, path: string): string
}

export const createAdminServices = (
  options: AdminOptions,
  pages: readonly PageLink[],
): AdminServices => ({
  ...options,
  ...createRendering(options),
  navigation(t, here) {
    const link = ({ path, title }: PageLink): string =>
      html`<li><a href="${options.base}/admin/${path}" !${path === here ? 'aria-current="page"' : ''}>${t(title)}</a></li>`
    return html`<nav class="pages" aria-label="${t('admin.pages')}"><ul>!${pages.map(link).join('')}</ul></nav>`
  },
})
