/** What features ask to be told to a user, and what a channel is handed. */
import type { EpochMs } from '../../kernel/clock.ts'
import type { Mailbox } from './addresses.ts'

/** Fields of each kind. A template knows them by Authelia's names: `remoteIP` is `.RemoteIP`. */
export interface FieldsOf {
  identity_verification_otc: {
    /** The site that asked, as a domain. */
    readonly domain: string
    readonly remoteIP: string
    readonly oneTimeCode: string
    readonly revocationLinkURL?: string | undefined
    readonly revocationLinkText?: string | undefined
  }
  identity_verification_jwt: {
    readonly domain: string
    readonly remoteIP: string
    readonly linkURL: string
    readonly linkText: string
    readonly revocationLinkURL?: string | undefined
    readonly revocationLinkText?: string | undefined
  }
  event: {
    readonly remoteIP: string
    /** `Name: value`, in this order. */
    readonly details?: Readonly<Record<string, string>> | undefined
    /** The sentence about the event in three parts; Authelia's templates emphasise the middle one. */
    readonly bodyPrefix: string
    readonly bodyEvent: string
    readonly bodySuffix: string
  }
}

export type Kind = keyof FieldsOf

interface Addressed {
  readonly to: Mailbox
  /** Title of the message; `notifier.smtp.subject` makes the subject line of it. */
  readonly subject: string
  /** After this time the message is of no use and is dropped; a day from now when left out. */
  readonly expiresAt?: EpochMs | undefined
}

export type Notification = {
  readonly [K in Kind]: Addressed & { readonly kind: K; readonly fields: FieldsOf[K] }
}[Kind]

/** A notification as it leaves. */
export interface Mail {
  /** The same at every try: a receiver that got it twice can tell. */
  readonly id: string
  readonly to: Mailbox
  readonly title: string
  readonly text: string
  readonly html: string
}
