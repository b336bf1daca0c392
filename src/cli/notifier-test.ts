import { randomUUID } from 'node:crypto'
import { resolve } from 'node:path'
import { parseMailbox, sendNow } from '../features/notify/index.ts'
import { systemClock } from '../kernel/clock.ts'
import { OperatorError } from '../kernel/operator-error.ts'
import { printable } from '../kernel/printable.ts'
import { trustedCertificates } from '../storage/index.ts'
import { readConfig } from './config.ts'
import type { Configure } from './invocation.ts'

export const configure: Configure = (command, cli) => {
  command.requiredOption('--to <address>', 'who gets the message: john@example.com')
  command.action(async ({ to: given }: { to: string }) => {
    const to = parseMailbox(given)
    if (to === undefined) throw new OperatorError(`${printable(given)} is no mail address`)
    const config = await readConfig(cli)
    if (config === undefined) return
    const notifier = config['notifier']
    if (notifier === undefined)
      throw new OperatorError(
        'there is no notifier in the configuration',
        'see docs/guides/notifications.md',
      )
    const certificates = config['certificates_directory'] ?? ''
    const trusted = trustedCertificates(certificates && resolve(cli.cwd, certificates))
    const outcome = await sendNow(
      { config: notifier, cwd: cli.cwd, trusted, clock: systemClock },
      {
        kind: 'event',
        to,
        subject: 'Test message',
        fields: {
          remoteIP: '',
          bodyPrefix: 'This message was sent to',
          bodyEvent: 'try the notifier',
          bodySuffix: 'of your sign-in portal. Nothing happened to your account.',
        },
      },
      randomUUID(),
    )
    if (outcome.kind !== 'sent')
      throw new OperatorError(`the message was not sent: ${outcome.problem}`)
    const how = notifier.smtp === undefined ? 'was written to the file' : 'was sent'
    cli.print(`The message to ${to.address} ${how}.\n`)
  })
}
