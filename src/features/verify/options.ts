import type { Logger } from 'pino'
import type { HeaderSets } from '../../http/headers.ts'
import type { Layout } from '../../http/layout.ts'
import type { Messages } from '../../http/messages.ts'
import type { Peers } from '../../http/peers.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Access } from '../access/index.ts'
import type { Audit } from '../audit/index.ts'
import type { Sessions } from '../sessions/index.ts'
import type { Throttle } from '../throttle/index.ts'
import type { Profile, Users } from '../users/index.ts'
import type { EndpointsConfig } from './endpoints.ts'
import type { Entrance } from './entrance.ts'
import type { Presented } from './identity.ts'
import type { RefusedRequests } from './refused-requests.ts'

export interface VerifyOptions {
  readonly access: Access
  readonly sessions: Sessions
  readonly users: Users
  readonly throttle: Throttle
  readonly audit: Pick<Audit, 'record'>
  readonly peers: Peers
  readonly headers: HeaderSets
  readonly layout: Layout
  readonly messages: Messages
  readonly present: (profile: Profile | undefined) => Presented
  /** What users were refused, for administrators. */
  readonly refused: Pick<RefusedRequests, 'note'>
  readonly config: {
    readonly 'server.endpoints': { readonly authz?: EndpointsConfig | undefined }
  }
  /** The other way in. */
  readonly entrance: Entrance
  readonly clock: Clock
  readonly log: Logger
}
