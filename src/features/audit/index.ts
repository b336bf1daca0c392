/**
 * The audit trail: who signed in, who tried to, and who changed what.
 *
 * Owns the closed set of events (events.ts), how long they are kept, and where they go (sinks/: log line, table, webhook).
 * Does not own what happens: the rooms say so, after the fact, with canonical names only. Nor the lines that fail2ban reads
 * (login, verify).
 *
 * Data path: `record` → every sink. No request waits for it, and its failure fails no sign-in: a database that is away
 * would otherwise lock all users out.
 */
export type { AuditEvent } from './event.ts'
export { type Actor, EVENTS, type EventName, type Happening } from './events.ts'
export { createWebhookRoute, WEBHOOK } from './sinks/index.ts'
export { createAuditStore } from './store.ts'
export { createStoredTrail } from './stored-trail.ts'
export { type Audit, createAudit } from './trail.ts'
