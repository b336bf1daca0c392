import assert from 'node:assert/strict'
import net from 'node:net'
import { suite, test } from 'node:test'
import { getCACertificates } from 'node:tls'
import { z } from 'zod'
import { createSmtpChannel } from '../../src/features/notify/channels/index.ts'
import manifest from '../../src/features/notify/manifest.ts'
import type { Mail } from '../../src/features/notify/notification.ts'
import type { Outcome } from '../../src/features/outbox/index.ts'
import { OperatorError } from '../../src/kernel/operator-error.ts'
import { suiteCleanup } from '../support/cleanup.ts'
import {
  listen,
  MAIL_PASSWORD,
  MAIL_USER,
  type MailServer,
  makeAuthority,
  startMailServer,
} from '../support/mail-server.ts'
import { settlesWithin } from '../support/pace.ts'

const CODE = 'ABCD2345'
const mail: Mail = {
  id: '8f1c9a52-1a0f-4c5e-9a53-6c1f0f6f2a11',
  to: { name: 'Jürgen Doe', address: 'john@example.com' },
  title: 'Confirm your identity',
  text: `your code is ${CODE}`,
  html: `<p>your code is <b>${CODE}</b></p>`,
}

const cleanup = suiteCleanup()
const authority = makeAuthority(cleanup)
const localhost = authority.issue('localhost')
const trusted = [...getCACertificates('default'), authority.cert]

const withPassword = { username: MAIL_USER, password: MAIL_PASSWORD }

function channelTo(
  port: number,
  more: Readonly<Record<string, unknown>> = {},
  scheme = 'submission',
  trust: readonly string[] = trusted,
) {
  const section = {
    smtp: {
      ...{ address: `${scheme}://localhost:${port}`, sender: 'Portal <portal@example.com>' },
      ...{ timeout: '2s', ...more },
    },
  }
  const config = z.parse(manifest.config.notifier, section)?.smtp ?? assert.fail()
  return createSmtpChannel({ config, trusted: trust })
}

const never = new AbortController().signal
const deliver = (channel: ReturnType<typeof channelTo>) => channel.deliver(mail, never)

/** Not delivered, refused by the check at start too, and nothing that matters was readable on the way. */
async function isRefused(
  server: MailServer,
  channel: ReturnType<typeof channelTo>,
  problem: RegExp,
): Promise<void> {
  const outcome = await deliver(channel)
  assert.equal(outcome.kind, 'failed')
  assert.match(problemOf(outcome), problem)
  await assert.rejects(channel.check(), (error) => {
    assert.ok(error instanceof OperatorError, String(error))
    assert.match(error.message, problem)
    assert.doesNotMatch(`${error.message}${error.hint}`, new RegExp(MAIL_PASSWORD))
    return true
  })
  assert.deepEqual(server.mails, [])
  isSilent(server)
}

const problemOf = (outcome: Outcome): string => (outcome.kind === 'sent' ? '' : outcome.problem)

function isSilent(server: MailServer): void {
  const wire = server.wire()
  for (const word of [CODE, MAIL_PASSWORD, 'MAIL FROM', 'RCPT TO', 'AUTH', 'john@example.com'])
    assert.ok(!wire.includes(word), `${word} was readable on the way`)
  const encoded = Buffer.from(`\0${MAIL_USER}\0${MAIL_PASSWORD}`).toString('base64')
  assert.ok(!wire.includes(encoded), 'the credentials were readable on the way')
}

suite('a mail', () => {
  test('goes over STARTTLS, signed in, as text and HTML', async (t) => {
    const server = await startMailServer(t, { certificate: localhost })
    const channel = channelTo(server.port, withPassword)
    await channel.check()
    assert.equal(server.mails.length, 0)
    assert.deepEqual(await deliver(channel), { kind: 'sent' })
    const [one] = server.mails
    assert.equal(one?.from, 'portal@example.com')
    assert.deepEqual(one.to, ['john@example.com'])
    assert.equal(one.user, MAIL_USER)
    assert.match(one.source, /^From: Portal <portal@example\.com>\r$/m)
    assert.match(one.source, /^Subject: \[Authelia\] Confirm your identity\r$/m)
    assert.match(one.source, new RegExp(`^Message-ID: <${mail.id}@example\\.com>\\r$`, 'm'))
    assert.match(one.source, /^Auto-Submitted: auto-generated\r$/m)
    assert.match(one.source, /Content-Type: multipart\/alternative/)
    assert.match(one.source, /^your code is ABCD2345/m)
    assert.match(one.source, /<b>ABCD2345<\/b>/)
    isSilent(server)
  })

  test('goes over TLS from the first byte with submissions', async (t) => {
    const server = await startMailServer(t, { certificate: localhost, secure: true })
    const channel = channelTo(server.port, withPassword, 'submissions')
    assert.deepEqual(await deliver(channel), { kind: 'sent' })
    assert.equal(server.mails.length, 1)
    isSilent(server)
  })

  test('is text alone with disable_html_emails, under a subject of its own', async (t) => {
    const server = await startMailServer(t, { certificate: localhost })
    const more = { disable_html_emails: true, subject: 'Home: {title} ({title})' }
    assert.deepEqual(await deliver(channelTo(server.port, more)), { kind: 'sent' })
    const source = server.mails[0]?.source ?? ''
    assert.match(source, /^Subject: Home: Confirm your identity \(Confirm your identity\)\r$/m)
    assert.doesNotMatch(source, /html/)
  })

  for (const method of ['PLAIN', 'LOGIN', 'CRAM-MD5'])
    test(`is signed in for with ${method} where the server has no other`, async (t) => {
      const server = await startMailServer(t, {
        certificate: localhost,
        authMethods: [method],
        onAuth(auth, _session, done) {
          const right =
            auth.method === 'CRAM-MD5'
              ? auth.validatePassword(MAIL_PASSWORD)
              : auth.password === MAIL_PASSWORD
          done(right ? null : new Error('wrong'), { user: auth.username })
        },
      })
      assert.deepEqual(await deliver(channelTo(server.port, withPassword)), { kind: 'sent' })
      assert.equal(server.mails[0]?.user, MAIL_USER)
    })
})

suite('nothing is said to a server', () => {
  test('that has no TLS', async (t) => {
    const server = await startMailServer(t, { disabledCommands: ['STARTTLS'] })
    await isRefused(server, channelTo(server.port, withPassword), /STARTTLS/)
  })

  test('whose STARTTLS was taken out of its greeting, and is then refused', async (t) => {
    const server = await startMailServer(t, {
      certificate: localhost,
      tamper: (said) =>
        said
          .replace(/^(250[ -])STARTTLS\b/m, '$1NOTHING')
          .replace(/220 Ready to start TLS/, '454 not now'),
    })
    await isRefused(server, channelTo(server.port, withPassword), /STARTTLS/)
  })

  test('whose certificate is self-signed', async (t) => {
    const own = makeAuthority(t).issue('localhost')
    const server = await startMailServer(t, { certificate: own })
    await isRefused(server, channelTo(server.port, withPassword), /certificate/)
  })

  test('whose authority is not trusted, without certificates_directory', async (t) => {
    const server = await startMailServer(t, { certificate: localhost })
    const channel = channelTo(server.port, withPassword, 'submission', getCACertificates('default'))
    await isRefused(server, channel, /certificate/)
  })

  test('whose certificate is expired', async (t) => {
    const server = await startMailServer(t, { certificate: authority.issue('localhost', -1) })
    await isRefused(server, channelTo(server.port, withPassword), /expired/)
  })

  for (const scheme of ['submission', 'submissions'])
    test(`whose certificate has another name (${scheme})`, async (t) => {
      const server = await startMailServer(t, {
        certificate: authority.issue('mail.example.com'),
        secure: scheme === 'submissions',
      })
      const channel = channelTo(server.port, withPassword, scheme)
      await isRefused(server, channel, /mail\.example\.com/)
      const named = { ...withPassword, tls: { server_name: 'mail.example.com' } }
      assert.deepEqual(await deliver(channelTo(server.port, named, scheme)), { kind: 'sent' })
    })

  test('that speaks only an older TLS', async (t) => {
    const server = await startMailServer(t, {
      certificate: localhost,
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.2',
    })
    const tls = { minimum_version: 'TLS1.3' }
    await isRefused(server, channelTo(server.port, { ...withPassword, tls }), /TLS|SSL|ssl/)
  })

  test('unless skip_verify trusts any certificate', async (t) => {
    const server = await startMailServer(t, { certificate: makeAuthority(t).issue('other') })
    const channel = channelTo(server.port, { ...withPassword, tls: { skip_verify: true } })
    assert.deepEqual(await deliver(channel), { kind: 'sent' })
    isSilent(server)
  })
})

test('what is injected behind the answer to STARTTLS is not taken for the server’s', async (t) => {
  const server = await startMailServer(t, {
    certificate: localhost,
    authMethods: ['PLAIN'],
    // A greeting without sign-in, in the same packet as the answer to STARTTLS.
    tamper: (said) => (/^220 Ready/.test(said) ? `${said}250-evil\r\n250 PIPELINING\r\n` : said),
  })
  const outcome = await deliver(channelTo(server.port, withPassword))
  isSilent(server)
  // Refused, or delivered as if nothing had been injected: signed in.
  if (outcome.kind === 'sent') assert.equal(server.mails[0]?.user, MAIL_USER)
  else assert.deepEqual(server.mails, [])
})

suite('without required TLS', () => {
  test('a mail goes to a server that has none, and over TLS where there is some', async (t) => {
    const plain = await startMailServer(t, { disabledCommands: ['STARTTLS'] })
    const more = { disable_require_tls: true }
    assert.deepEqual(await deliver(channelTo(plain.port, more, 'smtp')), { kind: 'sent' })
    assert.match(plain.wire(), /MAIL FROM/)
    const able = await startMailServer(t, { certificate: localhost })
    assert.deepEqual(await deliver(channelTo(able.port, more, 'smtp')), { kind: 'sent' })
    isSilent(able)
  })

  test('disable_starttls never turns to TLS', async (t) => {
    const server = await startMailServer(t, { certificate: localhost })
    const channel = channelTo(server.port, { disable_starttls: true }, 'smtp')
    assert.deepEqual(await deliver(channel), { kind: 'sent' })
    assert.match(server.wire(), /MAIL FROM/)
  })

  for (const key of ['disable_require_tls', 'disable_starttls'])
    test(`${key} is refused while a password is set`, () => {
      const smtp = {
        ...{ address: 'smtp://mail.example.com', sender: 'a@example.com', [key]: true },
        ...withPassword,
      }
      const { success, error } = z.safeParse(manifest.config.notifier, { smtp })
      assert.equal(success, false)
      assert.match(error?.issues[0]?.message ?? '', /password is set/)
    })
})

suite('a server that', () => {
  test('refuses the password is said so, without what it answered', async (t) => {
    const server = await startMailServer(t, { certificate: localhost })
    const channel = channelTo(server.port, { ...withPassword, password: 'another password' })
    await assert.rejects(channel.check(), /refused the credentials \(535\)/)
    const outcome = await deliver(channel)
    assert.equal(outcome.kind, 'failed')
    assert.doesNotMatch(problemOf(outcome), /another password/)
  })

  test('offers no way to sign in that we have is said so', async (t) => {
    const server = await startMailServer(t, { certificate: localhost, authMethods: ['XOAUTH2'] })
    await assert.rejects(channelTo(server.port, withPassword).check(), /offers no way to sign in/)
  })

  test('refuses the mail for good is not asked again; for now, it is', async (t) => {
    const refusing = (code: number) =>
      startMailServer(t, {
        certificate: localhost,
        answer: () => Object.assign(new Error('not this one'), { responseCode: code }),
      })
    const [good, now] = [await refusing(554), await refusing(451)]
    assert.equal((await deliver(channelTo(good.port))).kind, 'refused')
    assert.equal((await deliver(channelTo(now.port))).kind, 'failed')
  })

  test('refuses the recipient for good is not asked again; for now, it is', async (t) => {
    const refusing = (code: number) =>
      startMailServer(t, {
        certificate: localhost,
        onRcptTo(_address, _session, done) {
          done(Object.assign(new Error('who is that?'), { responseCode: code }))
        },
      })
    const [good, now] = [await refusing(550), await refusing(450)]
    assert.equal((await deliver(channelTo(good.port))).kind, 'refused')
    assert.equal((await deliver(channelTo(now.port))).kind, 'failed')
  })

  test('cuts the connection in DATA may be asked again', async (t) => {
    const cutting = await startMailServer(t, {
      certificate: localhost,
      answer() {
        cutting.cut()
        return new Error('never read')
      },
    })
    const outcome = await deliver(channelTo(cutting.port))
    assert.equal(outcome.kind, 'failed')
  })

  test('says nothing is left after its time', async (t) => {
    const port = await listen(
      t,
      net.createServer((socket) => {
        socket.on('error', () => {})
        t.after(() => void socket.destroy())
      }),
    )
    const channel = channelTo(port, { timeout: '200ms' })
    assert.equal((await deliver(channel)).kind, 'failed')
  })

  test('drips its answers is left when the delivery has to end', async (t) => {
    const port = await listen(
      t,
      net.createServer((socket) => {
        socket.on('error', () => {})
        const timer = setInterval(() => socket.write('220-still here\r\n'), 20)
        socket.on('close', () => clearInterval(timer))
        t.after(() => void socket.destroy())
      }),
    )
    const stop = new AbortController()
    const delivery = channelTo(port).deliver(mail, stop.signal)
    stop.abort()
    assert.ok(await settlesWithin(1000, () => delivery))
    assert.equal((await delivery).kind, 'failed')
  })
})
