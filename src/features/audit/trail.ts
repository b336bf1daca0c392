import type { BaseLogger } from 'pino'
import type { Clock } from '../../kernel/clock.ts'
import type { Storage } from '../../storage/index.ts'
import type { Outbox } from '../outbox/index.ts'
import { type AuditEvent, createEvent, networkOf } from './event.ts'
import type { EventName, Happening } from './events.ts'
import type { AuditConfig } from './manifest.ts'
import { createRepeats } from './repeats.ts'
import type { Sink } from './sink.ts'
import { createLogSink, createTableSink, createWebhookSink } from './sinks/index.ts'
import { type AuditStore, createAuditStore, type Selection } from './store.ts'
import { startSweeping } from './sweeper.ts'

export interface Audit {
  /** Takes note. Returns at once. Of `login.limited`, one a minute and network is taken note of. */
  record<N extends EventName>(name: N, happening: Happening<N>): void
  /** Tells of each event, at once. The listener returns quickly, and does not throw. */
  onEvent(listener: (event: AuditEvent) => void): void
  /**
   * What is kept, newest first; what was recorded before is in it.
   * @returns undefined when nothing is kept (`audit.retention: -1`)
   * @throws AppError STORE_UNAVAILABLE
   */
  list(selection: Selection): Promise<readonly AuditEvent[] | undefined>
  /** Writes what is not yet written. */
  close(): Promise<void>
}

/** No password is checked for these: a client makes a thousand a second without effort. */
const COSTS_NOTHING: ReadonlySet<EventName> = new Set(['login.limited'])

export interface AuditOptions {
  readonly config: AuditConfig
  readonly storage: Pick<Storage, 'db'>
  /** With the channel of the webhook; undefined where none is configured. */
  readonly outbox: Pick<Outbox, 'add'> | undefined
  readonly clock: Clock
  readonly log: Pick<BaseLogger, 'info' | 'warn' | 'error'>
}

export function createAudit({ config, storage, outbox, clock, log }: AuditOptions): Audit {
  const kept = config.retention > 0
  const store: AuditStore | undefined = kept ? createAuditStore(storage) : undefined
  const table = store === undefined ? undefined : createTableSink({ store, log })
  const { webhook } = config
  if (webhook !== undefined && outbox === undefined)
    throw new TypeError('a webhook needs an outbox')
  const listeners: ((event: AuditEvent) => void)[] = []
  const sinks: readonly Sink[] = [
    ...(config.log ? [createLogSink(log)] : []),
    ...(table === undefined ? [] : [table]),
    ...(webhook === undefined || outbox === undefined
      ? []
      : [createWebhookSink({ events: webhook.events, outbox, clock, log })]),
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
      for (const listener of listeners) listener(event)
    },
    onEvent(listener) {
      listeners.push(listener)
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
