/**
 * What is to leave this server later: mails, and the posts of webhooks.
 *
 * Owns what waits, in the database and sealed, who sends it (one instance, which claims it), and when it is tried again. Does
 * not own how something is sent, nor what it says: a feature hands over a route for each of its channels.
 *
 * Data path: `add` → a sealed row → an instance claims it → the channel's route → the row is removed, or due again later. No
 * request waits for the receiver, and what waits outlives a restart.
 */
export { createOutbox, type Delivery, type Outbox, type Route, type Timing } from './outbox.ts'
export type { Outcome } from './outcome.ts'
