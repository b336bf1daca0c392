/**
 * Throttle: what a wrong password costs.
 *
 * Owns the delay of answers that depend on a name or a password (delay.ts, its Fastify plugin in delay-plugin.ts), the
 * limit on failures (limits.ts, windows.ts, counters/) and what it promises (reservations/), regulation and bans
 * (regulation.ts, bans.ts, ban-registry.ts), the browsers that users have signed in with (devices.ts), the audit events of
 * both (audit.ts) and their operations (operations.ts). SQL is in regulation-store.ts and device-store.ts alone. Does not
 * own users (users), how much of the machine hashing may take (passwords), or the answers (login, verify).
 *
 * Data path of an attempt: it leaves the queue → is the browser known? → at its limit? 429 → it gets a slot for hashing →
 * counted → checked, in vain where it is banned → given back if it was right → its slot is free when the costliest check
 * would be over → held back until nothing can be read from the time it took. A failure on the way is 503, never a yes.
 * Wherever attempts wait, a known device does not wait for other clients.
 */
export { addressKey } from './address-key.ts'
export { throttleNotes } from './audit.ts'
export type { BanRegistry, NewBan } from './ban-registry.ts'
export type { Ban } from './bans.ts'
export type { Delay } from './delay.ts'
export { type Checked, delayPlugin } from './delay-plugin.ts'
export type { KnownDevice } from './device-store.ts'
export { bringsDeviceCookie, type Devices, deviceCookieName } from './devices.ts'
export type { FailureLimit } from './failure-limit.ts'
export { liftBans, listBans } from './operations.ts'
export { reservationCookieName } from './reservation-cookie.ts'
export { createThrottle, openRegistries, type Throttle } from './throttle.ts'
