import { parseCookie, stringifySetCookie } from 'cookie'
import type { FastifyRequest } from 'fastify'

/** How the pages look: as the system says, or as the user chose in the settings. */
export const THEMES = ['auto', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

const COOKIE = 'vestibule_theme'
/** A year, in seconds. */
const MAX_AGE = 31_536_000

/** The choice that this browser was given; anything else is `auto`. */
export function themeOf({ headers }: Pick<FastifyRequest, 'headers'>): Theme {
  const { cookie } = headers
  // Most requests have no such cookie, and a header of many parts is dear to parse.
  const chosen = cookie?.includes(COOKIE) === true ? parseCookie(cookie)[COOKIE] : undefined
  return chosen === 'light' || chosen === 'dark' ? chosen : 'auto'
}

/** @param secure the page came over https or from this machine */
export function themeCookie(theme: Theme, base: string, secure: boolean): string {
  return stringifySetCookie({
    name: COOKIE,
    value: theme === 'auto' ? '' : theme,
    path: `${base}/`,
    maxAge: theme === 'auto' ? 0 : MAX_AGE,
    httpOnly: true,
    secure,
    sameSite: 'lax',
  })
}
