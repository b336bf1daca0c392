/**
 * The one list of operations. The control socket's commands, the routes of the admin API and the calls of the command line
 * derive from it. A feature adds a line here; an operation is an entry in its feature's own list.
 */
import type { EventName } from './features/audit/index.ts'
import { auditOperations } from './features/audit/operations.ts'
import { secondFactorOperations } from './features/second-factor/operations.ts'
import { sessionOperations } from './features/sessions/operations.ts'
import { throttleOperations } from './features/throttle/operations.ts'
import { userOperations } from './features/users/operations.ts'
import type { AnyOperation } from './kernel/operation.ts'

/** What an operation of this list may need. */
type ServicesOf<T> = T extends AnyOperation<infer S> ? (services: S) => void : never
type All<T> = ServicesOf<T> extends (services: infer S) => void ? S : never

/** These work on the database itself when no server runs. */
const stored = [
  ...throttleOperations,
  ...auditOperations,
  ...secondFactorOperations,
  ...userOperations,
] as const
const all = [...sessionOperations, ...stored] as const

export type StoredServices = All<(typeof stored)[number]>
export type Services = All<(typeof all)[number]>

export const storedOperations: readonly AnyOperation<StoredServices, EventName>[] = stored
export const operations: readonly AnyOperation<Services, EventName>[] = all
