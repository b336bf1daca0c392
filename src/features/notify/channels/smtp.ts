/** Mail by SMTP. One connection a mail; nothing but the greeting is said before TLS, unless the configuration allows it. */
import type { ConnectionOptions } from 'node:tls'
import type SMTPConnection from 'nodemailer/lib/smtp-connection'
import type { SMTPConnectionOptions } from 'nodemailer/lib/smtp-connection'
import { clientTlsOptions } from '../../../kernel/client-tls.ts'
import { OperatorError } from '../../../kernel/operator-error.ts'
import { printable } from '../../../kernel/printable.ts'
import type { Outcome } from '../../outbox/index.ts'
import type { Channel } from '../channel.ts'
import type { SmtpConfig } from '../manifest.ts'
import type { Mail } from '../notification.ts'

export interface SmtpOptions {
  readonly config: SmtpConfig
  /** Certificates that are trusted, all of them; undefined: Node's. */
  readonly trusted: readonly string[] | undefined
}

export function createSmtpChannel(options: SmtpOptions): Channel {
  const { config } = options
  return {
    async deliver(mail, signal) {
      try {
        const message = await compose(mail, config)
        await connected(options, signal, (connection, step) => send(connection, step, message))
        return { kind: 'sent' }
      } catch (error) {
        return outcomeOf(error)
      }
    },
    async check() {
      // Connecting, TLS and the sign-in have a limit each.
      const limit = AbortSignal.timeout(4 * config.timeout)
      try {
        await connected(options, limit, () => Promise.resolve())
      } catch (error) {
        const { scheme, host, port } = config.address
        throw new OperatorError(
          `the mail server ${scheme}://${host}:${port} cannot be used: ${problemOf(error)}`,
          hintFor(error),
          { cause: error },
        )
      }
    },
  }
}

/** A step of the conversation: the library tells by a callback that it ended, and by an event that the connection broke. */
type Step = <T>(start: (done: (error?: unknown, value?: T) => void) => void) => Promise<T>

/** Connects, turns to TLS, signs in, does `work`, and says goodbye. */
async function connected(
  options: SmtpOptions,
  signal: AbortSignal,
  work: (connection: SMTPConnection, step: Step) => Promise<void>,
): Promise<void> {
  const { config } = options
  const [{ default: Connection }, { SCRAM_HANDLERS, signIn }] = await Promise.all([
    import('nodemailer/lib/smtp-connection'),
    import('./smtp-auth.ts'),
  ])
  const connection = new Connection({
    ...connectionOptions(options),
    customAuth: SCRAM_HANDLERS,
  })
  const broken = Promise.withResolvers<never>()
  broken.promise.catch(() => {})
  connection.on('error', broken.reject)
  connection.on('end', () => broken.reject(new Error('the server closed the connection')))
  const aborted = () => broken.reject(new Error('it took too long'))
  signal.addEventListener('abort', aborted)
  const step: Step = (start) =>
    Promise.race([
      broken.promise,
      new Promise<never>((resolve, reject) => {
        start((error, value) => {
          if (error) reject(error)
          // The library hands over a value wherever a step's type has one.
          else resolve(value as never)
        })
      }),
    ])
  try {
    if (signal.aborted) aborted()
    await step((done) => connection.connect(done))
    const mayBeClear = config.disable_require_tls || config.disable_starttls
    if (!connection.secure && (!mayBeClear || config.password !== undefined))
      throw new Error('the connection is not encrypted')
    const { username = '', password } = config
    if (password !== undefined)
      await Promise.race([broken.promise, signIn(connection, { username, password })])
    await work(connection, step)
    connection.quit()
  } catch (error) {
    connection.close()
    throw error
  } finally {
    signal.removeEventListener('abort', aborted)
  }
}

function connectionOptions({ config, trusted }: SmtpOptions): SMTPConnectionOptions {
  const { address, timeout, identifier, disable_require_tls, disable_starttls } = config
  const secure = address.scheme === 'submissions'
  return {
    host: address.host,
    port: address.port,
    name: identifier,
    secure,
    requireTLS: !secure && !disable_require_tls && !disable_starttls,
    ignoreTLS: !secure && disable_starttls,
    connectionTimeout: timeout,
    greetingTimeout: timeout,
    socketTimeout: timeout,
    dnsTimeout: timeout,
    socketCloseTimeout: Math.min(timeout, 1000),
    // The longest answer of a server that means well is a few kilobytes.
    maxResponseSize: 64 * 1024,
    tls: tlsOptions({ config, trusted }),
  }
}

function tlsOptions({ config, trusted }: SmtpOptions): ConnectionOptions {
  const { host, ...options } = clientTlsOptions(config.tls, trusted, config.address.host)
  const name = host ?? config.address.host
  return {
    ...options,
    // By the configured name: the library connects to the address that it resolved, and Node would compare that one.
    checkServerIdentity: (_, certificate) =>
      process.getBuiltinModule('node:tls').checkServerIdentity(name, certificate),
  }
}

interface Message {
  readonly from: string
  readonly to: string
  readonly bytes: Buffer
}

async function compose(mail: Mail, config: SmtpConfig): Promise<Message> {
  const { default: MailComposer } = await import('nodemailer/lib/mail-composer')
  const { sender } = config
  const bytes = await new MailComposer({
    from: { ...sender },
    to: { ...mail.to },
    subject: config.subject.replaceAll('{title}', () => mail.title),
    text: mail.text,
    ...(!config.disable_html_emails && { html: mail.html }),
    messageId: `<${mail.id}@${sender.address.slice(sender.address.lastIndexOf('@') + 1)}>`,
    // RFC 3834: no out-of-office answers.
    headers: { 'Auto-Submitted': 'auto-generated' },
    xMailer: false,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
    .compile()
    .build()
  return { from: sender.address, to: mail.to.address, bytes }
}

async function send(
  connection: SMTPConnection,
  step: Step,
  { from, to, bytes }: Message,
): Promise<void> {
  await step((done) =>
    connection.send({ from, to: [to], size: bytes.length, use8BitMime: false }, bytes, done),
  )
}

/** What the library says of an answer that was an error. */
interface SmtpFault {
  readonly code?: unknown
  readonly command?: unknown
  readonly responseCode?: unknown
}

const faultOf = (error: unknown): SmtpFault =>
  typeof error === 'object' && error !== null ? error : {}

/** These commands speak of this mail alone: what the server refuses of them for good, it refuses tomorrow too. */
const ABOUT_THE_MAIL: ReadonlySet<unknown> = new Set(['RCPT TO', 'DATA', 'API'])

function outcomeOf(error: unknown): Outcome {
  const { code, command, responseCode } = faultOf(error)
  const problem = problemOf(error)
  const isFinal = typeof responseCode === 'number' && responseCode >= 500 && responseCode < 600
  if ((isFinal && ABOUT_THE_MAIL.has(command)) || (code === 'EENVELOPE' && command === 'API'))
    return { kind: 'refused', problem }
  return { kind: 'failed', problem }
}

/** For a log line and a terminal. What a server says to a sign-in is left out: it could repeat the credentials. */
function problemOf(error: unknown): string {
  const { code, responseCode } = faultOf(error)
  if (code === 'EAUTH')
    return typeof responseCode === 'number' && responseCode >= 400
      ? `the server refused the credentials (${responseCode})`
      : 'the sign-in failed'
  const text = error instanceof Error ? error.message || error.name : String(error)
  return printable(text.replace(/\s+/g, ' ').trim()).slice(0, 300)
}

function hintFor(error: unknown): string {
  const { code, command } = faultOf(error)
  if (code === 'EAUTH') return 'see notifier.smtp.username and notifier.smtp.password'
  if (code === 'ETLS' || command === 'STARTTLS')
    return 'the server must offer STARTTLS; submissions:// is for one that begins with TLS, certificates_directory for one with a certificate of its own'
  return 'see notifier.smtp; notifier.disable_startup_check: true starts without this check'
}
