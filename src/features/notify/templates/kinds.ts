import type { Kind } from '../notification.ts'

/** Authelia's name of each template, and the fields that it may name. */
export const TEMPLATES = {
  event: {
    name: 'Event',
    fields: [
      'Title',
      'DisplayName',
      'RemoteIP',
      'Details',
      'BodyPrefix',
      'BodyEvent',
      'BodySuffix',
    ],
  },
  identity_verification_otc: {
    name: 'IdentityVerificationOTC',
    fields: [
      ...['Title', 'DisplayName', 'Domain', 'RemoteIP', 'OneTimeCode'],
      ...['RevocationLinkURL', 'RevocationLinkText'],
    ],
  },
  identity_verification_jwt: {
    name: 'IdentityVerificationJWT',
    fields: [
      ...['Title', 'DisplayName', 'Domain', 'RemoteIP', 'LinkURL', 'LinkText'],
      ...['RevocationLinkURL', 'RevocationLinkText'],
    ],
  },
} as const satisfies Readonly<
  Record<Kind, { readonly name: string; readonly fields: readonly string[] }>
>

export const FORMATS = ['txt', 'html'] as const
export type Format = (typeof FORMATS)[number]
