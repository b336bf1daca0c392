/** The closed set of what is written down. `docs/reference/audit-events.md` is generated from it. */

interface Kind {
  readonly about: string
  /** What else there is to say of it, and what that means. */
  readonly details: Readonly<Record<string, string>>
}

const METHOD = 'How: `password` or `passkey` at the portal, or `basic` in a header.'

const FACTOR = '`totp`, `webauthn`, `passkey`, `recovery-code` or `password`.'

/** By name, `area.past-tense`. A name is never reused for another meaning. */
export const EVENTS = {
  'login.succeeded': {
    about: 'A user signed in at the portal.',
    details: {
      method: METHOD,
      remembered: 'Whether the session is kept for `session.remember_me`.',
      new_device:
        'Whether the browser was no known device of this user before; left out when that could not be found out.',
    },
  },
  'login.failed': {
    about:
      'A name and password that were not right. Without a user when no user has the name: what was typed is never kept.',
    details: { method: METHOD, reason: '`unknown`, `disabled`, `password` or `passkey`.' },
  },
  'login.banned': {
    about: 'An attempt that a ban refused, whatever the password was.',
    details: { method: METHOD },
  },
  'login.limited': {
    about: 'An attempt past the limit on failures: its password was not looked at.',
    details: { method: METHOD },
  },
  'factor.accepted': {
    about: 'A user who was signed in has shown another factor.',
    details: { method: FACTOR },
  },
  'factor.refused': {
    about: 'A second factor that was not right.',
    details: { method: FACTOR },
  },
  'factor.limited': {
    about: 'So many wrong codes of a user that the next ones have to wait.',
    details: {},
  },
  'factor.added': { about: 'A user has another second factor.', details: { method: FACTOR } },
  'factor.exported': {
    about: 'The operator wrote the secret of a second factor to a file.',
    details: { method: FACTOR },
  },
  'factor.removed': {
    about: 'A second factor of a user was removed, or recovery codes were.',
    details: {
      method: FACTOR,
      reason: '`asked`, or `reset` (by the operator or an administrator).',
    },
  },
  'factor.invited': { about: 'A user may enrol a first second factor.', details: {} },
  'factor.codes-created': {
    about: 'A user has new recovery codes; the former are worth nothing.',
    details: {},
  },
  'factor.code-used': {
    about: 'A user has shown a recovery code.',
    details: { remaining: 'How many are left.' },
  },
  'session.elevated': {
    about: 'A user may change factors and the password for a while.',
    details: {
      method: 'What was shown: `password`, `totp`, `webauthn`, `recovery_code` or `mail`.',
    },
  },
  'elevation.revoked': {
    about: 'A mailed code was revoked by the link of its mail: the user may not have asked for it.',
    details: {},
  },
  'webauthn.renamed': {
    about: 'A user gave a security key or a passkey another name.',
    details: { key: 'The new name.' },
  },
  'webauthn.cloned': {
    about:
      'A security key counted less than before, so that there may be a copy of it. It was refused, and is refused from now on.',
    details: { key: 'What the user calls it.' },
  },
  'session.linked': {
    about:
      'A session began on another domain from one of the same browser (`session.hub`), without a password.',
    details: { from: 'The cookie domain that vouched.', to: 'The one of the new session.' },
  },
  'session.ended': { about: 'A user signed out.', details: {} },
  'session.revoked': {
    about:
      'Sessions of a user were ended by another person, or from another session. Written when they have ended, and only for users who had some.',
    details: {
      sessions: 'How many.',
      reason:
        '`asked`, `user-changed` (deleted, disabled, or a new password), or `factor-changed` (a second factor that they had shown was removed, replaced or reset).',
    },
  },
  'device.added': {
    about:
      'A browser became a known device of a user: it has signed in. Not a line of the log: `login.succeeded` has `new_device`.',
    details: { device: 'Its id.' },
  },
  'device.trusted': {
    about: 'A user lets a browser pass for a second factor for a while.',
    details: { device: 'Its id.', until: 'When it ends, in milliseconds since 1970.' },
  },
  'device.untrusted': {
    about: 'A user trusts a browser no more.',
    details: { device: 'Its id.' },
  },
  'device.removed': {
    about: 'A browser was taken off the known devices of a user.',
    details: { device: 'Its id.' },
  },
  'ban.added': {
    about: 'A user or an address was banned.',
    details: {
      subject: '`user:<name>`, `address:<address>` or `device:<id>`.',
      source: '`regulation` (too many failures) or `operator`.',
      reason: 'Why.',
      until: 'When it ends, in milliseconds since 1970; left out when it does not.',
    },
  },
  'ban.lifted': {
    about: 'A ban was taken back before its time.',
    details: { subject: '`user:<name>`, `address:<address>` or `device:<id>`.' },
  },
  'password.changed': { about: 'A user has a new password.', details: { reason: 'Why.' } },
  'password.reset-asked': {
    about:
      'A new password was asked for at the portal, as forgotten. Without a user when no user has the name.',
    details: {
      sent: 'Whether a mail is on its way.',
      reason:
        'Why none is: `unknown`, `disabled`, `unwritable` (the user backend takes no passwords), `no-mail` or `limited`.',
    },
  },
  'password.reset-revoked': {
    about: 'The link of a mail that sets a new password was made void.',
    details: {},
  },
  'user.added': { about: 'There is a new user.', details: { reason: 'Why.' } },
  'user.changed': {
    about: 'A user was changed by an administrator or the operator.',
    details: { changed: 'Which fields.' },
  },
  'user.removed': { about: 'A user was deleted.', details: {} },
  'config.reloaded': {
    about: 'A changed configuration is in force.',
    details: { revision: 'The new one.', changed: 'Which keys.' },
  },
  'config.refused': {
    about: 'A changed configuration has faults, and the old one stays in force.',
    details: { revision: 'The one that stays.', faults: 'How many.' },
  },
} as const satisfies Readonly<Record<string, Kind>>

export type EventName = keyof typeof EVENTS
export const EVENT_NAMES = Object.keys(EVENTS) as readonly EventName[] // keys of the table above

/** Who did it: `user:john`, `operator` (at the machine), `system` (by itself), `unknown`. */
export type Actor = `user:${string}` | 'operator' | 'system' | 'unknown'

export type Details<N extends EventName> = {
  readonly [K in keyof (typeof EVENTS)[N]['details']]?: string | number | boolean
}

/** What a feature says when it happens. */
export interface Happening<N extends EventName = EventName> {
  /** Canonical name of the user whom it is about; '' for none. Never what was typed. */
  readonly user: string
  readonly actor: Actor
  /** The client's address, canonical; '' for none. */
  readonly address?: string
  readonly userAgent?: string
  readonly requestId?: string
  readonly details?: Details<N>
}
