import type { Logger } from 'pino'
import type { Icons } from '../../http/icons.ts'
import type { Messages } from '../../http/messages.ts'
import type { Replies } from '../../http/replies.ts'
import type { Access } from '../access/index.ts'
import type { Audit } from '../audit/index.ts'
import type { Hub } from '../hub/index.ts'
import type { Interactions, PortalContextsOptions, StepContributor } from '../portal/index.ts'
import type { Throttle } from '../throttle/index.ts'
import type { Users } from '../users/index.ts'
import type { Trusted } from './trusted.ts'

export interface LoginOptions extends PortalContextsOptions {
  readonly access: Access
  /** Undefined where each domain signs in for itself. */
  readonly hub: Hub | undefined
  readonly users: Users
  readonly throttle: Throttle
  readonly audit: Pick<Audit, 'record'>
  readonly replies: Replies
  readonly messages: Messages
  /** Pictures of apps. */
  readonly icons: Icons
  /** What other features add to the flow, in the order in which they are asked. */
  readonly contributors: readonly StepContributor[]
  /** What a known device counts for besides the password. */
  readonly trusted: Trusted
  /** Undefined where there is no OpenID provider. */
  readonly interactions: Interactions | undefined
  /** The user's own pages below `/settings/`, by path and the key of their title. */
  readonly pages: readonly { readonly path: string; readonly title: string }[]
  /** Administrators have pages of their own, at `/admin`. */
  readonly hasAdmin: boolean
  /** Whether users may sign in with a passkey; a feature answers at `/api/firstfactor/passkey` then. */
  readonly webauthn: { readonly hasPasskeys: boolean }
  /** Where a user who has forgotten the password goes; undefined: nowhere. */
  readonly forgotten: string | undefined
  readonly log: Logger
  readonly config: {
    /** Where Logout leads when the request names no target of its own; undefined: our own page. */
    readonly logout_url: string | undefined
  }
  /** Base path without a slash at its end; empty at the root. */
  readonly base: string
}
