/**
 * Messages to users: one-time codes, and what happened to their account.
 *
 * Owns the outbox (what is to leave, kept in the database until it left), the channels (mail, a file) and the templates.
 * Does not own when a message is sent and what it says: features call `send` with a kind and its fields.
 *
 * Data path: `send` → a sealed row of the outbox → an instance claims it → template → channel. No request waits for a mail
 * server, and a message outlives a restart.
 */
export type { Mailbox } from './addresses.ts'
export { isMailAddress, parseMailbox } from './addresses.ts'
export type { FieldsOf, Kind, Notification } from './notification.ts'
export { createNotifier, type Notifier, sendNow } from './notifier.ts'
