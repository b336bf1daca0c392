/** What each key of a user may hold. Pure: a text in, the reason against it out. */

/** A single value that is a text. */
export type TextField = (text: string) => string | undefined

const MAX_NAME = 256
const MAX_TEXT = 1024

/**
 * What a name or a group must be for every reader of a header, a log line or a page to see the same one: visible, not
 * changed when its ends are trimmed, and bounded.
 */
export function problemOfName(text: string): string | undefined {
  if (text === '') return 'is empty'
  if (text.length > MAX_NAME) return `is longer than ${MAX_NAME} characters`
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(text))
    return 'holds a control character or an invisible one'
  return text === text.trim() ? undefined : 'begins or ends with a space'
}

/** Joiners and other format characters are part of how some names and emoji are written. */
const problemOfText: TextField = (text) => {
  if (text.length > MAX_TEXT) return `is longer than ${MAX_TEXT} characters`
  return /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u.test(text) ? 'holds a control character' : undefined
}

const problemOfMail: TextField = (text) =>
  // One @, and nothing that a header or a list of addresses would read as its end.
  text === '' ||
  (/^[^\s@,;<>"]{1,64}@[^\s@,;<>"]{1,255}$/.test(text) && !/[\p{Cc}\p{Cf}\p{Cs}]/u.test(text))
    ? undefined
    : 'is not a mail address'

const problemOfUrl: TextField = (text) =>
  text === '' || (/^[a-z][a-z0-9+.-]*:/i.test(text) && URL.canParse(text))
    ? problemOfText(text)
    : 'is not an absolute URL'

const problemOfLocale: TextField = (text) => {
  if (text === '') return undefined
  try {
    // Its way of saying no is to throw. Authelia takes `en_GB` for `en-GB`.
    Intl.getCanonicalLocales(text.replaceAll('_', '-'))
    return undefined
  } catch {
    return 'is not a language tag such as en or pt-BR'
  }
}

/** Keys that hold one text. The other ones of USER_KEYS are read on their own. */
export const TEXT_FIELDS: Readonly<Record<string, TextField>> = {
  displayname: problemOfText,
  email: problemOfMail,
  given_name: problemOfText,
  family_name: problemOfText,
  middle_name: problemOfText,
  nickname: problemOfText,
  gender: problemOfText,
  birthdate: problemOfText,
  website: problemOfUrl,
  profile: problemOfUrl,
  picture: problemOfUrl,
  zoneinfo: problemOfText,
  locale: problemOfLocale,
  phone_number: problemOfText,
  phone_extension: problemOfText,
}

/** When a user's time is over: a date (its first moment, UTC) or a moment with its offset from UTC. */
export const problemOfMoment: TextField = (text) =>
  text === '' || (MOMENT.test(text) && !Number.isNaN(Date.parse(text)))
    ? undefined
    : 'is neither a date nor a moment such as 2027-01-31T18:00:00Z'

const MOMENT = /^\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:[Zz]|[+-]\d\d:\d\d))?$/

export const ADDRESS_FIELDS: Readonly<Record<string, TextField>> = {
  street_address: (text) => problemOfText(text.replaceAll('\n', ' ')),
  locality: problemOfText,
  region: problemOfText,
  postal_code: problemOfText,
  country: problemOfText,
}

/** A declared attribute of `extra`. */
export interface ExtraAttribute {
  readonly multi_valued: boolean
  readonly value_type: 'string' | 'integer' | 'boolean'
}
export type ExtraAttributes = Readonly<Record<string, ExtraAttribute>>

/** Every key a user may have. */
export const USER_KEYS: readonly string[] = [
  'password',
  'groups',
  'disabled',
  'expires_at',
  'must_change_password',
  'address',
  'extra',
  ...Object.keys(TEXT_FIELDS),
]
