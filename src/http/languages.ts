import { readFileSync } from 'node:fs'
import { parseCookie, stringifySetCookie } from 'cookie'

/** The languages of the pages, each by its own name. English is complete; the others are files of src/languages. */
export const LANGUAGES: Readonly<Record<string, string>> = {
  en: 'English',
  de: 'Deutsch',
  es: 'Espa\u00f1ol',
  fr: 'Fran\u00e7ais',
  it: 'Italiano',
  nl: 'Nederlands',
  pl: 'Polski',
  pt: 'Portugu\u00eas',
  ar: '\u0627\u0644\u0639\u0631\u0628\u064a\u0629',
  ja: '\u65e5\u672c\u8a9e',
  zh: '\u4e2d\u6587',
}

const FROM_RIGHT: ReadonlySet<string> = new Set(['ar', 'fa', 'he', 'ur'])

export const directionOf = (language: string): 'ltr' | 'rtl' =>
  FROM_RIGHT.has(language) ? 'rtl' : 'ltr'

/** Texts by key. */
export type Catalogue = Readonly<Record<string, string>>

/** Reads the file of a language. It is read when a browser first asks for it: a start reads English alone. */
export function readCatalogue(language: string): Catalogue {
  const url = new URL(`../languages/${language}.json`, import.meta.url)
  // A file of ours, whose shape .ci/languages.ts checks.
  return JSON.parse(readFileSync(url, 'utf8')) as Catalogue
}

const COOKIE = 'vestibule_language'
/** A year, in seconds. */
const MAX_AGE = 31_536_000

/** What was chosen in this browser; undefined for no choice, and for a language that is not there. */
export function chosenLanguage(cookie: string | undefined): string | undefined {
  // Most requests have no such cookie, and a header of many parts is dear to parse.
  if (cookie?.includes(COOKIE) !== true) return undefined
  const chosen = parseCookie(cookie)[COOKIE] ?? ''
  return Object.hasOwn(LANGUAGES, chosen) ? chosen : undefined
}

/** @param secure the page came over https or from this machine */
export const languageCookie = (language: string, base: string, secure: boolean): string =>
  stringifySetCookie({
    name: COOKIE,
    value: language,
    path: `${base}/`,
    maxAge: MAX_AGE,
    httpOnly: true,
    secure,
    sameSite: 'lax',
  })
