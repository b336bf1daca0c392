/** Which SASL mechanism is used, and those that the library does not have. */
import type SMTPConnection from 'nodemailer/lib/smtp-connection'
import type { SMTPConnectionCustomAuthHandler } from 'nodemailer/lib/smtp-connection'
import type { Secret } from '../../../kernel/secret.ts'
import { type Hash, Scram } from './scram.ts'

/** Authelia's order. */
const MECHANISMS = ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'CRAM-MD5', 'PLAIN', 'LOGIN'] as const

/** @param greeting the server's answer to EHLO, the last one before the sign-in */
export function mechanismFor(greeting: string): (typeof MECHANISMS)[number] | undefined {
  const offered = new Set(
    greeting
      .split(/\r?\n/)
      .flatMap((line) => /^250[ -]AUTH[ =](.*)$/i.exec(line)?.[1] ?? [])
      .flatMap((names) => names.toUpperCase().split(/[\s=]+/)),
  )
  return MECHANISMS.find((name) => offered.has(name))
}

const scram =
  (hash: Hash): SMTPConnectionCustomAuthHandler =>
  async ({ auth, method, sendCommand }) => {
    const exchange = new Scram(hash, auth.credentials.user)
    const ask = async (command: string, status: number): Promise<string> => {
      const answer = await sendCommand(command)
      if (answer.status !== status) throw new Error('the server refused the credentials')
      return Buffer.from(answer.text.trim(), 'base64').toString()
    }
    const encode = (text: string) => Buffer.from(text).toString('base64')
    const challenge = await ask(`AUTH ${method} ${encode(exchange.first())}`, 334)
    const proof = encode(await exchange.final(challenge, auth.credentials.pass))
    // The server's own proof comes as a challenge that is answered with nothing, or with the 235.
    const answer = await sendCommand(proof)
    if (answer.status !== 334 && answer.status !== 235)
      throw new Error('the server refused the credentials')
    const signature = Buffer.from(answer.text.trim(), 'base64').toString()
    if (!exchange.confirms(signature)) throw new Error('the server did not prove the password')
    if (answer.status === 334) await ask('', 235)
  }

export const SCRAM_HANDLERS = { 'SCRAM-SHA-256': scram('sha256'), 'SCRAM-SHA-1': scram('sha1') }

/** Rejects when the server refuses, or offers no mechanism that we have. */
export function signIn(
  connection: SMTPConnection,
  { username, password }: { readonly username: string; readonly password: Secret },
): Promise<void> {
  const greeting = String(connection.lastServerResponse || '')
  const method = mechanismFor(greeting)
  if (method === undefined)
    return Promise.reject(new Error('the server offers no way to sign in that is supported'))
  return new Promise((resolve, reject) => {
    connection.login({ method, user: username, pass: password.reveal() }, (error) => {
      if (error) reject(error)
      else resolve()
    })
  })
}
