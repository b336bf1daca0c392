/**
 * Why a verify request was refused: a closed list, for the log and for whatever else explains a refusal. A word is never
 * reused for another meaning. `docs/reference/verify-reasons.md` is generated from this table.
 */
export const VERIFY_REASONS = {
  'malformed-request':
    'The proxy did not say in one way what it asks about. The log line says what is wrong.',
  'no-cookie-domain': 'No `session.cookies` domain covers the host that is asked for.',
  'untrusted-proxy': 'The request came from a peer that is not in `trusted_proxies`.',
  'no-cookie': 'No session cookie came along.',
  'malformed-cookie': 'A cookie of the right name came along, and its value is none of ours.',
  'too-many-cookies': 'More than four cookies of that name came along: none of them counts.',
  'several-sessions':
    'More than one of the cookies stands for a live session: none of them counts. Signing out or in ends all.',
  'unknown-session':
    'No such session is stored: it was ended, replaced, or never began; or `session.secret` was changed.',
  'other-domain': 'The session belongs to another cookie domain.',
  'session-expired': 'The session is older than `expiration`, or than `remember_me`.',
  'session-idle': 'The session was not used for longer than `inactivity`.',
  'user-gone': 'The user of the session was deleted or disabled.',
  'no-credentials': 'The endpoint reads no cookies, and no credentials came along.',
  'wrong-credentials':
    'The name and password in the header are not right, or may not be tried at the moment.',
  'policy-deny': 'The rules deny the request.',
  'second-factor-needed': 'The rules ask for a second factor.',
  'password-change-needed': 'The user has to set another password first (`must_change_password`).',
} as const satisfies Readonly<Record<string, string>>

export type VerifyReason = keyof typeof VERIFY_REASONS

/** Why cookies do not identify a user. */
export type SessionReason = Extract<
  VerifyReason,
  | 'no-cookie'
  | 'malformed-cookie'
  | 'too-many-cookies'
  | 'several-sessions'
  | 'unknown-session'
  | 'other-domain'
  | 'session-expired'
  | 'session-idle'
  | 'user-gone'
>
