import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type BuiltApp, buildApp } from '../support/app.ts'
import { until } from '../support/pace.ts'
import { CHEAP, usersYaml } from '../support/users.ts'

export const HOST = 'auth.example.com'
export const PORTAL = `https://${HOST}`
export const START = '/api/reset-password/identity/start'
export const FINISH = '/api/reset-password/identity/finish'
export const RESET = '/api/reset-password'
export const SECRET = 'the secret of the links, which is long enough'

export const USERS = {
  john: { displayname: 'John Doe', email: 'john@example.com' },
  jane: { displayname: 'Jane', email: 'jane@example.com' },
  mute: { displayname: 'No Mail' },
  gone: { displayname: 'Disabled', email: 'gone@example.com', disabled: true },
}

export interface Mail {
  readonly to: string
  readonly text: string
  readonly token: string
}

/** A portal whose mails go into a file, which holds the last one. */
export async function openScene(
  t: Pick<TestContext, 'after'>,
  config: Readonly<Record<string, unknown>> = {},
) {
  const app = await buildApp(t, {
    config: {
      ...CHEAP,
      session: {
        cookies: [
          { domain: 'example.com', portal_url: PORTAL },
          { domain: 'example.org', portal_url: 'https://auth.example.org' },
        ],
      },
      access_control: {
        default_policy: 'deny',
        rules: [
          { domain: 'app.example.com', policy: 'one_factor' },
          { domain: 'bank.example.com', policy: 'two_factor' },
        ],
      },
      identity_validation: { reset_password: { jwt_secret: SECRET } },
      // The file holds the last message alone, and a sign-in would send one.
      notifications: { new_device: false },
      notifier: { filesystem: { filename: 'mail.txt' } },
      ...config,
    },
    users: await usersYaml(USERS),
  })
  return { app, ...createCalls(app) }
}

/** Requests as a browser or a script of the portal sends them. */
export function createCalls(app: BuiltApp) {
  let others = 0
  /** Each from an address of its own, unless one is named. */
  const call = (
    method: string,
    path: string,
    body?: unknown,
    { host = HOST, cookie = '', from = `198.51.${++others >> 8}.${others & 255}`, more = {} } = {},
  ) =>
    app.request(path, {
      method,
      remoteAddress: from,
      headers: {
        host,
        'x-forwarded-proto': 'https',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(cookie !== '' && { cookie }),
        ...more,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  const form = (path: string, fields: Readonly<Record<string, string>>, host = HOST) =>
    app.request(path, {
      method: 'POST',
      remoteAddress: `198.51.${++others >> 8}.${others & 255}`,
      headers: {
        host,
        'sec-fetch-site': 'same-origin',
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams(fields).toString(),
    })
  const lastMail = (): string => readFileSync(join(app.folder, 'mail.txt'), 'utf8')
  /** Asks for a reset and waits for the mail. The clock moves on, past the limits of a user. */
  const mailFor = async (username: string, host = HOST): Promise<Mail> => {
    app.clock.advance(3 * 3600_000)
    const before = lastMail()
    const answer = await call('POST', START, { username }, { host })
    assert.equal(answer.body, '{"status":"OK"}')
    await until('the mail', () => {
      const text = lastMail()
      return text !== before && text.endsWith('\n\n') && text.includes('/revoke/')
    })
    const text = lastMail()
    return {
      text,
      to: /^Recipient: (.*)$/m.exec(text)?.[1] ?? '',
      token: /step2\?token=(\S+)/.exec(text)?.[1] ?? '',
    }
  }
  /** @returns the status of a sign-in */
  const signIn = async (username: string, password: string): Promise<number> =>
    (await call('POST', '/api/firstfactor', { username, password })).status
  return { call, form, lastMail, mailFor, signIn }
}

export const cookieOf = (answer: {
  readonly headers: { readonly 'set-cookie'?: string[] | undefined }
}) => answer.headers['set-cookie']?.map((line) => line.split(';', 1)[0]).join('; ') ?? ''
