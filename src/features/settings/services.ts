import type { Messages } from '../../http/messages.ts'
import type { Replies } from '../../http/replies.ts'
import type { Audit } from '../audit/index.ts'
import { createRendering, type PortalContextsOptions, type Rendering } from '../portal/index.ts'
import { createOwnSessions, type OwnSessions } from './own-sessions.ts'

export interface SettingsOptions extends PortalContextsOptions {
  readonly audit: Pick<Audit, 'record' | 'list'>
  readonly replies: Replies
  readonly messages: Messages
  /** Base path without a slash at its end; empty at the root. */
  readonly base: string
}

/** What the pages and the API of this feature share. */
export interface SettingsServices extends SettingsOptions, Rendering {
  readonly own: OwnSessions
}

export const createSettingsServices = (options: SettingsOptions): SettingsServices => ({
  ...options,
  ...createRendering(options),
  own: createOwnSessions(options.sessions),
})
