/**
 * The audit trail: who signed in, who tried to, and who changed what.
 *
 * Owns the closed set of events (events.ts), how long they are kept, and where they go (sinks/: log line, table, webhook).
 * Does not own what happens: the rooms say so, after the fact, with canonical names only. Nor the lines that fail2ban reads
 * (login, verify).
 *
 * Data path: `record` → every sink. Nobody waits for any of it, and nothing of it fails
 * a sign-in: an audit store that is away would otherwise lock everybody out.
 */
import type { BaseLogger } from 'pino'
import type { Clock } from '../../kernel/clock.ts'
import type { Storage } from '../../storage/index.ts'
import { type AuditEvent, createEvent, networkOf } from './event.ts'
import type { EventName, Happening } from './events.ts'
import type { AuditConfig } from './manifest.ts'
import { createRepeats } from './repeats.ts'
import { createLogSink, createTableSink, createWebhookSink, type Sink } from './sinks/index.ts'
import { type AuditStore, createAuditStore, type Selection } from './store.ts'
import { startSweeping } from './sweeper.ts'

export type { AuditEvent } from './event.ts'
export { type Actor, EVENT_NAMES, EVENTS, type EventName, type Happening } from './events.ts'
export { createAuditStore, type Selection } from './store.ts'

export interface Audit {
  /** Takes note. Returns at once. Of `login.limited`, one a minute and network is taken note of. */
  record<N extends EventName>(name: N, happening: Happening<N>): void
  /**
   * What is kept, newest first; what was recorded before is in it.
   * @returns undefined when nothing is kept (`audit.retention: -1`)
   * @throws AppError STORE_UNAVAILABLE
   */
  list(selection: Selection): Promise<readonly AuditEvent[] | undefined>
  /** Writes what is not yet written. */
  close(): Promise<void>
}

/** No password is looked at for these: a thousand a second are no work to whoever makes them. */
const COSTS_NOTHING: ReadonlySet<EventName> = new Set(['login.limited'])

export interface AuditOptions {
  readonly config: AuditConfig
  readonly storage: Pick<Storage, 'db'>
  /** Certificates that the webhook trusts, all of them; undefined: Node's. */
  readonly trusted: readonly string[] | undefined
  readonly clock: Clock
  readonly log: Pick<BaseLogger, 'info' | 'warn' | 'error'>
}

export function createAudit({ config, storage, trusted, clock, log }: AuditOptions): Audit {
  const kept = config.retention > 0
  const store: AuditStore | undefined = kept ? createAuditStore(storage) : undefined
  const table = store === undefined ? undefined : createTableSink({ store, log })
  const { webhook } = config
  const sinks: readonly Sink[] = [
    ...(config.log ? [createLogSink(log)] : []),
    ...(table === undefined ? [] : [table]),
    ...(webhook === undefined
      ? []
      : [createWebhookSink({ ...webhook, events: webhook.events, trusted, clock, log })]),
  ]
  const stopSweeping =
    store === undefined
      ? undefined
      : startSweeping({ store, clock, retention: config.retention, most: config.max_events, log })
  const repeats = createRepeats(clock)
  return {
    record(name, happening) {
      const { address = '' } = happening
      if (COSTS_NOTHING.has(name) && repeats.has(`${name} ${networkOf(address)}`)) return
      const event = createEvent(name, happening, clock.now())
      for (const sink of sinks) sink.take(event)
    },
    async list(selection) {
      if (store === undefined || table === undefined) return undefined
      await table.flush()
      return store.list(selection)
    },
    async close() {
      stopSweeping?.()
      await Promise.all(sinks.map((sink) => sink.close()))
    },
  }
}
