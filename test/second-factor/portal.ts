import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { Traveller, type Visited } from '../hub/traveller.ts'
import { type AppOptions, type BuiltApp, buildApp } from '../support/app.ts'
import { PASSWORD } from '../support/server.ts'
import { CHEAP, usersYaml } from '../support/users.ts'
import { codeOf } from './totp-code.ts'

export const PORTAL = 'https://auth.example.com'
export const BANK = 'https://bank.example.com/x?a=1&b=%26#top'

/** Makes the service of second factors that the pages are shown over. */
export type MakeFactors = NonNullable<AppOptions['factors']>

/** A portal with second factors. bank.example.com asks for two. */
export async function openPortal(
  t: Pick<TestContext, 'after'>,
  factors: MakeFactors,
  config: Readonly<Record<string, unknown>> = {},
): Promise<BuiltApp> {
  return buildApp(t, {
    config: {
      ...CHEAP,
      session: {
        inactivity: '10 hours',
        expiration: '20 hours',
        cookies: [{ domain: 'example.com', portal_url: PORTAL }],
      },
      access_control: {
        default_policy: 'deny',
        rules: [{ domain: 'bank.example.com', policy: 'two_factor' }],
      },
      // Tests of keys have webauthn*.test.ts to themselves, but for the list in the settings.
      webauthn: { disable: true },
      ...config,
    },
    users: await usersYaml({
      john: { displayname: 'John Doe', email: 'john@example.com' },
      jane: {},
    }),
    factors,
  })
}

/** A user at a browser. */
export class Person {
  readonly #server: BuiltApp
  readonly browser: Traveller
  /** What the user's authenticator app was shown. */
  url = ''

  constructor(server: BuiltApp) {
    this.#server = server
    this.browser = new Traveller(server, ['auth.example.com'])
  }

  async signIn(password = PASSWORD, name = 'john'): Promise<void> {
    const { answer } = await this.browser.signIn(`${PORTAL}/`, { username: name, password })
    assert.equal(answer?.status, 200)
    assert.match(answer.body, /You are signed in/)
  }

  open(path: string): Promise<Visited> {
    return this.browser.visit(PORTAL + path)
  }

  /** Sends the form that a page has for this address, and follows. */
  send(path: string, fields: Readonly<Record<string, string>> = {}): Promise<Visited> {
    return this.browser.visit(PORTAL + path, post(fields))
  }

  /** The same, and no redirect is followed. */
  ask(path: string, fields: Readonly<Record<string, string>> = {}) {
    return this.browser.ask(PORTAL + path, post(fields))
  }

  /** After the time in which what was shown at sign-in counts as shown again. */
  wait(): void {
    this.#server.clock.advance(660_000)
  }

  /** A code that was not shown before. */
  code(): string {
    this.#server.clock.advance(90_000)
    return codeOf(this.url, this.#server.clock.now())
  }

  /** Confirms with the password, and adds an app. @returns the page that follows */
  async enrol(query = ''): Promise<Visited> {
    this.wait()
    const asked = await this.open(`/second-factor/enrol/totp${query}`)
    assert.equal(asked.url.pathname, '/settings/confirm', String(asked.answer?.body))
    const shown = await this.send(actionOf(asked), { password: PASSWORD })
    assert.equal(shown.url.pathname, '/second-factor/enrol/totp')
    this.url = enrolmentOf(shown)
    return this.send(actionOf(shown), { url: this.url, code: this.code() })
  }
}

const post = (fields: Readonly<Record<string, string>>) => ({
  method: 'POST',
  headers: {
    'Sec-Fetch-Site': 'same-origin',
    'Content-Type': 'application/x-www-form-urlencoded',
  },
  body: new URLSearchParams(fields).toString(),
})

export const bodyOf = ({ answer }: Visited): string => answer?.body ?? ''

const unescaped = (text: string): string =>
  text
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')

/** Where the first form of a page is sent. */
export function actionOf(page: Visited): string {
  const [, action] = /<form method="post" action="([^"]+)"/.exec(bodyOf(page)) ?? []
  assert.ok(action, bodyOf(page))
  return unescaped(action)
}

/** What the app is shown. */
export function enrolmentOf(page: Visited): string {
  const [, url] = /name="url" value="([^"]+)"/.exec(bodyOf(page)) ?? []
  assert.ok(url, bodyOf(page))
  return unescaped(url)
}

/** Where a link of a page leads. */
export function linkOf(page: Visited, text: string): string {
  const [, href] = new RegExp(`<a [^>]*href="([^"]+)"[^>]*>${text}</a>`).exec(bodyOf(page)) ?? []
  assert.ok(href, `${text} in ${bodyOf(page)}`)
  return unescaped(href)
}
