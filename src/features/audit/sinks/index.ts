import type { AuditEvent } from '../event.ts'

/** Where events go. A new sink is a file here and a line in audit/index.ts. It never throws and never makes anybody wait. */
export interface Sink {
  take(event: AuditEvent): void
  /** Gives what is left a moment to leave. */
  close(): Promise<void>
}

export { createLogSink } from './log.ts'
export { createTableSink, type TableSink } from './table.ts'
export { createWebhookSink } from './webhook.ts'
