/**
 * Messages to users: one-time codes, and what happened to their account.
 *
 * Owns the channels (mail, a file), the templates, and the notices of what happened to an account (notices.ts). Does not own
 * other messages: features call `send` with a kind and its fields. Nor what waits to be sent (outbox).
 *
 * Data path: `send` → the outbox → template → channel. No request waits for a mail server, and a message outlives a restart.
 */
export type { Mailbox } from './addresses.ts'
export { isMailAddress, parseMailbox } from './addresses.ts'
export { sendNotices } from './notices.ts'
export type { FieldsOf, Kind, Notification } from './notification.ts'
export {
  createNotifier,
  NOTIFICATION,
  type Notifier,
  openNotificationRoute,
  sendNow,
} from './notifier.ts'
