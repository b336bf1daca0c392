import { stringifySetCookie } from 'cookie'
import type { CookieDomain } from '../sessions/index.ts'
import type { Reservation } from './reservation.ts'

/** As many as may count of other cookies of ours. */
const MAX_VALUES = 4
/** 128 bits in base64url without padding. */
const WELL_FORMED = /^[A-Za-z0-9_-]{22}$/

/** Sent to the portal's host alone, as the device cookie is. */
export const reservationCookieName = ({ name }: CookieDomain): string => `${name}_reservation`

/** Those of a request's values that may be ids of reservations. */
export const heldReservations = (values: readonly string[]): readonly string[] =>
  values.filter((value) => WELL_FORMED.test(value)).slice(0, MAX_VALUES)

/**
 * The `Set-Cookie` header that gives a browser its reservation. RFC 6265 §4.1; without Domain: no sibling host is sent it.
 * @param memory how long it is remembered after it is due, in milliseconds
 */
export const reservationCookie = (
  domain: CookieDomain,
  { id, wait }: Reservation,
  memory: number,
): string =>
  stringifySetCookie({
    name: reservationCookieName(domain),
    value: id,
    path: '/',
    maxAge: Math.ceil((wait + memory) / 1000),
    httpOnly: true,
    secure: true,
    sameSite: domain.sameSite,
  })
