/** A real mail server for a test, and what a listener on the way to it saw. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import net, { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'

type After = Pick<TestContext, 'after'>

export interface Delivered {
  readonly from: string
  readonly to: readonly string[]
  /** As it was sent. */
  readonly source: string
  /** Of the sign-in; undefined without one. */
  readonly user: string | undefined
}

export interface MailServer {
  readonly port: number
  readonly mails: readonly Delivered[]
  /** What clients sent, one character a byte: what a listener on the way can read. */
  wire(): string
  /** Connections so far. */
  connections(): number
  /** Closes every connection. */
  cut(): void
}

export interface MailServerOptions extends SMTPServerOptions {
  /** Another one than `localhost` of `authority`. */
  readonly certificate?: Certificate
  /** Answers the end of DATA: an error refuses the mail. Called with the number of the mail, from 1. */
  readonly answer?: (count: number) => Promise<Error | undefined> | Error | undefined
  /** Changes what the server says, as an attacker on the way could. */
  readonly tamper?: (said: string) => string
}

export interface Certificate {
  readonly key: string
  readonly cert: string
}

export interface Authority {
  readonly cert: string
  /** A certificate of it. @param days negative: expired */
  issue(name: string, days?: number): Certificate
}

/** An authority of its own, gone with the test. */
export function makeAuthority(t: After): Authority {
  const folder = mkdtempSync(join(tmpdir(), 'vestibule-mail-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  const read = (name: string) => readFileSync(join(folder, name), 'utf8')
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl(
    ...['req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem'],
    ...['-subj', '/CN=test authority', '-days', '2'],
  )
  let count = 0
  return {
    cert: read('ca.pem'),
    issue(name, days = 2) {
      const base = `c${++count}`
      writeFileSync(join(folder, `${base}.ext`), `subjectAltName=DNS:${name}\n`)
      openssl(
        ...['req', ...key, '-keyout', `${base}.key`, '-out', `${base}.csr`],
        ...['-subj', `/CN=${name}`],
      )
      openssl(
        ...['x509', '-req', '-in', `${base}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key'],
        ...['-CAcreateserial', '-out', `${base}.pem`, '-days', `${days}`],
        ...['-extfile', `${base}.ext`],
      )
      return { key: read(`${base}.key`), cert: read(`${base}.pem`) }
    },
  }
}

export const MAIL_USER = 'portal'
export const MAIL_PASSWORD = 'a password of the mail server'

export async function startMailServer(
  t: After,
  { certificate, answer, tamper, ...options }: MailServerOptions,
): Promise<MailServer> {
  const mails: Delivered[] = []
  let count = 0
  const server = new SMTPServer({
    ...certificate,
    authOptional: true,
    disableReverseLookup: true,
    logger: false,
    closeTimeout: 100,
    onAuth({ username, password }, _session, done) {
      if (username === MAIL_USER && password === MAIL_PASSWORD) done(null, { user: username })
      else done(new Error(`no such user ${username} with ${password}`))
    },
    onData(stream, session, done) {
      let source = ''
      stream.on('data', (chunk: Buffer) => {
        source += chunk.toString('latin1')
      })
      stream.on('end', async () => {
        const refusal = await answer?.(++count)
        if (refusal !== undefined) return done(refusal)
        const { mailFrom, rcptTo } = session.envelope
        const from = mailFrom === false ? '' : mailFrom.address
        const user = session.user === undefined ? undefined : String(session.user)
        mails.push({ from, to: rcptTo.map(({ address }) => address), source, user })
        done()
      })
    },
    ...options,
  })
  server.on('error', () => {})
  const inner = await listen(t, server.server)
  t.after(() => new Promise<void>((resolve) => server.close(() => resolve())))
  const listener = await listenBetween(t, inner, tamper)
  return { mails, ...listener }
}

/** Stands between a client and the server, and writes down what the client sends. */
async function listenBetween(
  t: After,
  to: number,
  tamper: (said: string) => string = (said) => said,
) {
  let wire = ''
  let connections = 0
  const open = new Set<net.Socket>()
  const cut = () => {
    for (const socket of open) socket.destroy()
  }
  const between = net.createServer((client) => {
    connections++
    const onward = net.connect(to, '127.0.0.1')
    for (const socket of [client, onward]) {
      open.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        open.delete(socket)
        client.destroy()
        onward.destroy()
      })
    }
    client.on('data', (chunk: Buffer) => {
      wire += chunk.toString('latin1')
      onward.write(chunk)
    })
    onward.on('data', (chunk: Buffer) => {
      client.write(Buffer.from(tamper(chunk.toString('latin1')), 'latin1'))
    })
    client.on('end', () => onward.end())
    onward.on('end', () => client.end())
  })
  t.after(cut)
  const port = await listen(t, between)
  return { port, wire: () => wire, connections: () => connections, cut }
}

export async function listen(t: After, server: net.Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => void server.close())
  return (server.address() as AddressInfo).port // a TCP server has one
}
