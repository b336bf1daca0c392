import type { BaseLogger } from 'pino'
import { loadBrowserNames } from '../../http/browser-name.ts'
import type { Audit, AuditEvent, EventName } from '../audit/index.ts'
import type { Users } from '../users/index.ts'
import type { NotificationsConfig } from './manifest.ts'
import type { Notifier } from './notifier.ts'

/** What a user is told of an event, in the three parts that templates know. */
interface Notice {
  readonly subject: string
  readonly prefix: string
  readonly event: string
  readonly suffix: string
  readonly details?: Readonly<Record<string, string>>
}

type NoticeOf = (event: AuditEvent) => Notice | undefined

/** As mails call them. */
const METHODS: Readonly<Record<string, string>> = {
  totp: 'authenticator app',
  webauthn: 'security key or passkey',
  passkey: 'passkey',
  'recovery-code': 'recovery codes',
}

const methodOf = ({ details }: AuditEvent): string => METHODS[String(details['method'])] ?? ''

/** What is told. Titles that Authelia has are Authelia's. A new one is an entry here, and nothing where it happens. */
const NOTICES: Readonly<Partial<Record<EventName, NoticeOf>>> = {
  'password.changed': ({ details }) => ({
    subject: 'Password changed successfully',
    ...{ prefix: 'The', event: 'password', suffix: 'of your account was changed.' },
    ...(details['reason'] === 'reset' && { details: { How: 'by the link in a mail' } }),
  }),
  'factor.added': (event) => ({
    subject: 'Second Factor Method Added',
    ...{ prefix: 'A', event: 'second factor', suffix: 'was added to your account.' },
    details: { Method: methodOf(event) },
  }),
  'factor.removed': (event) =>
    event.details['reason'] === 'reset' && event.details['method'] === undefined
      ? {
          subject: 'Second Factors Reset',
          ...{ prefix: 'All', event: 'second factors', suffix: 'of your account were removed.' },
        }
      : {
          subject: 'Second Factor Method Removed',
          ...{ prefix: 'A', event: 'second factor', suffix: 'was removed from your account.' },
          details: { Method: methodOf(event) },
        },
  'factor.limited': () => ({
    subject: 'Too Many Wrong Codes',
    ...{ prefix: 'There were too many', event: 'wrong codes', suffix: 'for your account.' },
    details: { Hint: 'If it was not you, your password is known: change it' },
  }),
  'factor.codes-created': () => ({
    subject: 'Recovery Codes Created',
    ...{ prefix: 'New', event: 'recovery codes', suffix: 'were made; former ones are void.' },
  }),
  'factor.code-used': ({ details }) => ({
    subject: 'Recovery Code Used',
    ...{ prefix: 'A', event: 'recovery code', suffix: 'of your account was used.' },
    details: { 'Codes left': String(details['remaining']) },
  }),
  'webauthn.renamed': ({ details }) => ({
    subject: 'Second Factor Method Renamed',
    ...{ prefix: 'A', event: 'security key or passkey', suffix: 'has another name.' },
    details: { 'New name': String(details['key']) },
  }),
  'webauthn.cloned': ({ details }) => ({
    subject: 'Security Key Refused',
    ...{ prefix: 'There may be a copy of a', event: 'security key', suffix: 'of your account.' },
    details: { Key: String(details['key']) },
  }),
  'device.trusted': ({ details }) => ({
    subject: 'Browser Trusted',
    ...{ prefix: 'A', event: 'browser', suffix: 'is not asked for a second factor for a while.' },
    details: { Until: new Date(Number(details['until'])).toISOString() },
  }),
  'login.succeeded': ({ details }) =>
    details['new_device'] === true
      ? {
          subject: 'New Device Signed In',
          ...{ prefix: 'A', event: 'new device', suffix: 'has signed in to your account.' },
        }
      : undefined,
}

export interface NoticesOptions {
  readonly config: NotificationsConfig
  readonly audit: Pick<Audit, 'onEvent'>
  readonly users: Pick<Users, 'profile'>
  readonly notifier: Pick<Notifier, 'send'>
  readonly log: Pick<BaseLogger, 'error'>
}

/**
 * Tells users of what happened to their account, by what the audit trail says. No request waits for it, and it fails none. A
 * user without a mail address is told nothing.
 */
export function sendNotices({ config, audit, users, notifier, log }: NoticesOptions): void {
  const tell = async (event: AuditEvent): Promise<void> => {
    if (event.name === 'login.succeeded' && !config.new_device) return
    const notice = NOTICES[event.name]?.(event)
    if (notice === undefined || event.user === '') return
    const profile = await users.profile(event.user)
    if (profile === undefined || profile.email === '') return
    const by = await byOf(event)
    const { subject, prefix, event: what, suffix, details } = notice
    await notifier.send({
      ...{ kind: 'event', to: { name: profile.displayName, address: profile.email }, subject },
      fields: {
        remoteIP: event.address,
        ...{ bodyPrefix: prefix, bodyEvent: what, bodySuffix: suffix },
        details: { Time: new Date(event.time).toISOString(), ...by, ...details },
      },
    })
  }
  audit.onEvent((event) => {
    tell(event).catch((error: unknown) =>
      log.error({ err: error, event: event.name }, 'a user was not told of an event'),
    )
  })
}

/** Who did it where it was not the user, and with what browser: by its name, because what a client says of itself is any text. */
async function byOf({
  actor,
  user,
  userAgent,
}: AuditEvent): Promise<Readonly<Record<string, string>>> {
  const byOther = actor === 'operator' || (actor.startsWith('user:') && actor !== `user:${user}`)
  if (byOther) return { By: 'an administrator' }
  if (userAgent === '') return {}
  const { browser, system } = (await loadBrowserNames())(userAgent)
  const name = [browser, system].filter((part) => part !== undefined).join(', ')
  return name === '' ? {} : { Browser: name }
}
