import { randomBytes } from 'node:crypto'
import type { EpochMs } from '../../kernel/clock.ts'
import { printable } from '../../kernel/printable.ts'
import type { Actor, EventName, Happening } from './events.ts'

/** One event as it is kept and told. */
export interface AuditEvent {
  /** Sorts by time. */
  readonly id: string
  readonly time: EpochMs
  readonly name: EventName
  readonly user: string
  readonly actor: Actor
  readonly address: string
  readonly userAgent: string
  readonly requestId: string
  readonly details: Readonly<Record<string, string | number | boolean>>
}

const MAX_NAME = 320
const MAX_USER_AGENT = 256
const MAX_DETAIL = 512

/** Bounds everything and spells out what cannot be printed: a database refuses NUL, and a terminal obeys the rest. */
export function createEvent(name: EventName, given: Happening, time: EpochMs): AuditEvent {
  const { user, actor, address = '', userAgent = '', requestId = '' } = given
  // Of whichever event: texts, numbers and flags are all there are.
  const details: Readonly<Record<string, string | number | boolean | undefined>> =
    given.details ?? {}
  return {
    id: newId(time),
    time,
    name,
    user: text(user, MAX_NAME),
    // Cut and spelled, it still begins as it did.
    actor: text(actor, MAX_NAME) as Actor,
    address: text(address, 64),
    userAgent: text(userAgent, MAX_USER_AGENT),
    requestId: text(requestId, 64),
    details: Object.fromEntries(
      Object.entries(details).flatMap(([key, value]) =>
        value === undefined
          ? []
          : [[key, typeof value === 'string' ? text(value, MAX_DETAIL) : value]],
      ),
    ),
  }
}

let lastTime = 0
let sequence = 0

/** Time, then a count, so that what one server says within a millisecond keeps its order, then chance. */
function newId(time: number): string {
  sequence = time === lastTime ? sequence + 1 : 0
  lastTime = time
  const count = Math.min(sequence, 0xffff).toString(16).padStart(4, '0')
  return `${idOf(time)}${count}${randomBytes(8).toString('hex')}`
}

const text = (given: string, most: number): string => printable(given.slice(0, most))

/** Where the ids of this moment begin: 48 bits of milliseconds, as in a UUID of version 7 (RFC 9562 §5.7). */
export const idOf = (time: number): string =>
  Math.max(0, Math.floor(time)).toString(16).padStart(12, '0')

/** /24 of an IPv4 address, /48 of an IPv6 one: what a household or a company keeps. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address.split('.').slice(0, 3).join('.')
  const [head = '', tail] = address.split('::', 2)
  const front = head === '' ? [] : head.split(':')
  const back = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros =
    tail === undefined ? [] : Array(Math.max(0, 8 - front.length - back.length)).fill('0')
  return [...front, ...zeros, ...back].slice(0, 3).join(':')
}
