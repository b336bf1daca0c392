/** A browser of a test: one cookie domain, one session, and the JSON API of second factors. */
import { codeAt } from '../../src/features/second-factor/methods/totp-code.ts'
import type { BuiltApp } from '../support/app.ts'
import { type Answer, PASSWORD } from '../support/server.ts'

const PORTAL = 'auth.vestibule.localhost:9091'
const APP_HOST = 'bank.vestibule.localhost'

export interface Enrolled {
  readonly base32_secret: string
  readonly otpauth_url: string
}

export interface Browser {
  /** `name=value` of its session cookie. */
  cookie: string
  api(method: string, path: string, body?: unknown): Promise<Answer>
  /** Like a browser: keeps the cookie of the answer. */
  get(path: string): Promise<Answer>
  /** What a proxy is answered for bank.vestibule.localhost, where two factors are asked for. */
  verify(cookie?: string): Promise<number>
  /** Enrols an app. @returns its secret */
  enrol(): Promise<Buffer>
}

export const dataOf = (answer: Answer) => JSON.parse(answer.body).data

/** The code of a secret of the standard kind. */
export const code = (secret: Buffer, now: number): Promise<string> =>
  codeAt({ secret, algorithm: 'SHA1', digits: 6, period: 30 }, now)

export const secretOf = (base32: string): Buffer => {
  let bits = ''
  for (const letter of base32)
    bits += 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')
  const bytes = bits.match(/.{8}/g) ?? []
  return Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2)))
}

export async function openBrowser(
  built: BuiltApp,
  user: string,
  password = PASSWORD,
): Promise<Browser> {
  const keep = (answer: Answer): Answer => {
    const set = (answer.headers['set-cookie'] ?? []) as readonly string[]
    for (const cookie of set)
      if (cookie.startsWith('vestibule_session='))
        browser.cookie = cookie.slice(0, cookie.indexOf(';'))
    return answer
  }
  const headersOf = (cookie: string) => ({ Host: PORTAL, Cookie: cookie })
  const browser: Browser = {
    cookie: await built.signIn(user, password),
    api: async (method, path, body) =>
      keep(
        await built.request(path, {
          method,
          headers: { ...headersOf(browser.cookie), 'Content-Type': 'application/json' },
          ...(body !== undefined && {
            body: typeof body === 'string' ? body : JSON.stringify(body),
          }),
        }),
      ),
    get: async (path) => keep(await built.request(path, { headers: headersOf(browser.cookie) })),
    async verify(cookie = browser.cookie) {
      const answer = await built.request('/api/authz/auth-request', {
        headers: {
          'X-Original-URL': `https://${APP_HOST}/`,
          'X-Original-Method': 'GET',
          Cookie: cookie,
        },
      })
      return answer.status
    },
    async enrol() {
      const begun = dataOf(await browser.api('PUT', '/api/secondfactor/totp/register', {}))
      const secret = secretOf(begun.base32_secret)
      const token = await code(secret, built.clock.now())
      const answer = await browser.api('POST', '/api/secondfactor/totp/register', { token })
      if (answer.status !== 200) throw new Error(`not enrolled: ${answer.body}`)
      return secret
    },
  }
  return browser
}
