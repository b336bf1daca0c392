import type { AuditEvent } from './event.ts'

/** Where events go. A new sink is a file here and a line in trail.ts. It never throws, and `take` returns at once. */
export interface Sink {
  take(event: AuditEvent): void
  /** Gives what is left a moment to leave. */
  close(): Promise<void>
}
