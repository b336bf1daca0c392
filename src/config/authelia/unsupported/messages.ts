import type { Section } from './table.ts'
import { tlsTo } from './tls.ts'

export const MESSAGES: Section = {
  notifier: {
    '': 'Messages to people.',
    disable_startup_check: ['flag', false, 'Does not try it at start.'],
    template_path: ['text', undefined, 'A folder whose templates replace ours.'],
    filesystem: {
      '': 'Into a file: for trying things out.',
      filename: ['text', undefined, 'The file; it holds the last message.'],
    },
    smtp: {
      '': 'By mail.',
      address: [
        { address: ['smtp', 'submission', 'submissions'] },
        undefined,
        'The mail server: `submission://mail.example.com:587`. `smtp` and `submission` turn to TLS after connecting, `submissions` begins with it.',
      ],
      timeout: ['duration', '5s', 'How long it may take to answer.'],
      username: ['text', undefined, 'Who signs in to it.'],
      password: ['secret', undefined, 'With which password.'],
      identifier: ['text', 'localhost', 'The name that we greet it with.'],
      sender: ['mailbox', undefined, 'Who the mails are from.'],
      subject: ['text', '[Authelia] {title}', 'The subject line.'],
      startup_check_address: [
        'mailbox',
        'Authelia Test <test@authelia.com>',
        'Whom the check at start claims to write to.',
      ],
      disable_require_tls: ['flag', false, 'Sends mails without TLS too.'],
      disable_html_emails: ['flag', false, 'Sends plain text only.'],
      disable_starttls: ['flag', false, 'Does not turn to TLS.'],
      tls: tlsTo('the mail server', 'TLS1.2'),
    },
  },
}
