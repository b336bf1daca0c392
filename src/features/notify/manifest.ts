import { z } from 'zod'
import { clientTls } from '../../kernel/client-tls.ts'
import { defineManifest } from '../../kernel/feature.ts'
import { duration, filePath, readBy, scalarMeta, secret } from '../../kernel/scalars.ts'
import { MAIL_SERVER, MAILBOX, parseMailbox, parseMailServer } from './addresses.ts'

const mailServer = () =>
  z
    .string()
    .transform(
      readBy(
        parseMailServer,
        'is not an address',
        'smtp://host:port, submission://host:port, submissions://host:port',
      ),
    )
    .register(scalarMeta, { form: 'mail server', pattern: MAIL_SERVER.source })

const mailbox = () =>
  z
    .string()
    .transform(
      readBy(
        parseMailbox,
        'is no mail address',
        'signin@example.com, Sign-in <signin@example.com>',
      ),
    )
    .register(scalarMeta, { form: 'mailbox', pattern: MAILBOX.source })

const smtp = z
  .strictObject({
    address: mailServer().describe(
      'The mail server: `submission://mail.example.com:587`. `smtp` and `submission` turn to TLS after connecting, `submissions` begins with it.',
    ),
    timeout: duration()
      .refine((ms) => ms >= 100 && ms <= 60_000, {
        error: 'is no sensible time',
        params: { allowed: '100ms to 1m' },
      })
      .prefault('5s')
      .describe('How long connecting, and how long each answer of the server may take.'),
    username: z.string().optional().describe('The user name for the server.'),
    password: secret().optional().describe('The password of that user.'),
    identifier: z
      .string()
      .regex(/^[A-Za-z0-9._:[\]-]{1,253}$/, { error: 'is no name of a host' })
      .default('localhost')
      .describe('The name in the greeting (EHLO).'),
    sender: mailbox().describe('The sender of the mails.'),
    subject: z
      .string()
      .max(500)
      .default('[Authelia] {title}')
      .describe('The subject line; `{title}` is the title of the message.'),
    startup_check_address: mailbox()
      .register(scalarMeta, { idle: 'has no effect: the check at start sends no mail' })
      .prefault('Authelia Test <test@authelia.com>')
      .describe('Without effect: the check at start sends no mail.'),
    disable_require_tls: z
      .boolean()
      .default(false)
      .describe(
        'Sends mails without TLS to a server that does not offer it. Refused together with a password.',
      ),
    disable_html_emails: z.boolean().default(false).describe('Sends plain text only.'),
    disable_starttls: z
      .boolean()
      .default(false)
      .describe('Never turns to TLS. Refused together with a password.'),
    tls: clientTls('the mail server', 'TLS1.2')
      .prefault({})
      .describe('TLS to the mail server: which versions, certificates and name.'),
  })
  .describe('By mail.')

export type SmtpConfig = z.infer<typeof smtp>

const notifier = z
  .strictObject({
    disable_startup_check: z
      .boolean()
      .default(false)
      .describe('Starts without trying the mail server or the file.'),
    template_path: filePath()
      .optional()
      .describe(
        'A folder whose templates replace the built-in ones: `Event`, `IdentityVerificationOTC` and `IdentityVerificationJWT`, each as `.txt` and `.html`.',
      ),
    filesystem: z
      .strictObject({
        filename: filePath()
          .refine((path) => path !== '', { error: 'is empty' })
          .describe('The file; it holds the last message.'),
      })
      .optional()
      .describe('Into a file: for trying things out.'),
    smtp: smtp.optional(),
  })
  .superRefine(({ filesystem, smtp: mail }, context) => {
    const refuse = (path: string[], message: string, allowed: string): void =>
      context.addIssue({ code: 'custom', path, message, params: { allowed } })
    if (filesystem !== undefined && mail !== undefined)
      refuse(['smtp'], 'is given together with notifier.filesystem', 'one of them')
    if (filesystem === undefined && mail === undefined)
      refuse([], 'says nowhere where messages go', 'notifier.smtp or notifier.filesystem')
    if (mail === undefined) return
    const { address, password, username = '' } = mail
    const secured = address.scheme === 'submissions'
    for (const key of ['disable_require_tls', 'disable_starttls'] as const)
      if (mail[key] && password !== undefined && !secured)
        refuse(
          ['smtp', key],
          'is true while a password is set: it could be sent in clear',
          'false, or no password',
        )
    if (username !== '' && password === undefined)
      refuse(['smtp', 'password'], 'is missing: there is a username', 'the password of that user')
    if (username === '' && password !== undefined)
      refuse(['smtp', 'username'], 'is missing: there is a password', 'the user of that password')
  })

const notifications = z
  .strictObject({
    new_device: z
      .boolean()
      .default(true)
      .describe('Tells a user by mail when a browser signs in that was no known device of theirs.'),
  })
  .describe('What users are told of. Without a notifier, nothing.')

export type NotificationsConfig = z.infer<typeof notifications>
export type NotifierConfig = z.infer<typeof notifier>

export default defineManifest({
  config: {
    notifications: notifications.prefault({}),
    notifier: notifier
      .optional()
      .describe('Messages to users, by mail or into a file (docs/guides/notifications.md).'),
  },
  check({ notifier: given }, report) {
    const mail = given?.smtp
    if (mail === undefined) return
    if (
      mail.address.scheme !== 'submissions' &&
      (mail.disable_require_tls || mail.disable_starttls)
    )
      report.warn(
        ['notifier', 'smtp', mail.disable_starttls ? 'disable_starttls' : 'disable_require_tls'],
        'mails may leave without encryption: one-time codes in them can be read on the way',
      )
    if (mail.tls.skip_verify)
      report.warn(
        ['notifier', 'smtp', 'tls', 'skip_verify'],
        'any server is trusted: mails, and a password, can be read on the way',
      )
  },
  async look({ notifier: given }, place, report) {
    if (given?.template_path === undefined) return
    const { lookAtTemplates } = await import('./templates/look.ts')
    lookAtTemplates(place.resolve(given.template_path), report)
  },
})
