/** What the configuration writes of mail servers and mailboxes. Text in, values out; no IO. */

/** How a connection to a mail server becomes encrypted. */
export type MailScheme = 'smtp' | 'submission' | 'submissions'

export interface MailServer {
  /** `submissions`: TLS from the first byte; the others: STARTTLS. */
  readonly scheme: MailScheme
  readonly host: string
  readonly port: number
}

const PORTS = { smtp: 25, submission: 587, submissions: 465 } as const satisfies Record<
  MailScheme,
  number
>
/** What a port means where no scheme is written, as in Authelia. */
const SCHEMES: Readonly<Record<number, MailScheme>> = { 465: 'submissions', 587: 'submission' }

export const MAIL_SERVER =
  /^(?:(smtp|submissions?):\/\/)?(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]{0,253}))(?::(\d{1,5}))?\/?$/

/** @returns undefined when it is no address of a mail server */
export function parseMailServer(text: string): MailServer | undefined {
  const match = MAIL_SERVER.exec(text)
  if (match === null) return undefined
  const [, written, bracketed, plain = '', digits] = match
  const given = digits === undefined ? undefined : Number(digits)
  if (given === 0 || (given ?? 0) > 65_535) return undefined
  if (text === '' || (plain === '' && bracketed === undefined && given === undefined))
    return undefined
  const scheme: MailScheme =
    written === undefined
      ? (SCHEMES[given ?? 0] ?? 'smtp')
      : written === 'submissions' || written === 'submission'
        ? written
        : 'smtp'
  return { scheme, host: bracketed ?? (plain || 'localhost'), port: given ?? PORTS[scheme] }
}

/** One mail address with the name of its owner, which may be empty. */
export interface Mailbox {
  readonly name: string
  readonly address: string
}

/** Narrower than RFC 5321: no quoted local part, no address literal. Nothing in it can end a line or a command. */
const ADDRESS =
  /^[\p{L}\p{N}.!#$%&'*+/=?^_`{|}~-]{1,64}@[\p{L}\p{N}](?:[\p{L}\p{N}.-]{0,251}[\p{L}\p{N}])?$/u

export const isMailAddress = (text: string): boolean => ADDRESS.test(text)

/** As lenient as possible for the JSON schema: never narrower than `parseMailbox`. */
export const MAILBOX = /^([^<>\r\n]*<)?[^\s<>@]+@[^\s<>@]+>?$/

/** Reads `john@example.com` and `John Doe <john@example.com>`. @returns undefined when it is neither */
export function parseMailbox(text: string): Mailbox | undefined {
  const [, name = '', bracketed, plain] = /^(?:([^<>\r\n]*)<([^<>]*)>|([^<>]*))$/.exec(text) ?? []
  const address = (bracketed ?? plain ?? '').trim()
  if (!isMailAddress(address)) return undefined
  return { name: oneLine(name.trim().replace(/^"(.*)"$/, '$1')), address }
}

/** Controls, line and paragraph separators, lone surrogates, marks that turn the direction of text around. */
const BREAKING = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u202a-\u202e\u2066-\u2069]+/gu

/** Text for one line of a mail: nothing in it can begin another header or another line. */
export const oneLine = (text: string): string => text.replace(BREAKING, ' ').trim()
