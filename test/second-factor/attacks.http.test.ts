import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { type BuiltApp, buildApp } from '../support/app.ts'
import { usersYaml } from '../support/users.ts'
import { type Browser, code, dataOf, openBrowser, secretOf } from './browser.ts'

const REGISTER = '/api/secondfactor/totp/register'
const HOST = 'auth.vestibule.localhost:9091'

const build = async (t: TestContext, config: Readonly<Record<string, unknown>> = {}) =>
  buildApp(t, {
    config,
    users: await usersYaml({ john: {}, jane: {} }),
    sessions: 'sqlite',
  })

/** Sends the headers of a POST, and the body after `meanwhile`: the server reads it when it has let the headers pass. */
async function hesitantly(
  { app }: BuiltApp,
  { cookie }: Browser,
  { path, type, body }: { readonly path: string; readonly type: string; readonly body: string },
  meanwhile: () => Promise<void>,
): Promise<number> {
  let asked = false
  const payload = new Readable({
    read() {
      if (asked) return
      asked = true
      meanwhile().then(
        () => {
          this.push(body)
          this.push(null)
        },
        (error: Error) => this.destroy(error),
      )
    },
  })
  const answer = await app.fastify.inject({
    method: 'POST',
    url: path,
    headers: {
      Host: HOST,
      Cookie: cookie,
      'Content-Type': type,
      'Content-Length': String(body.length),
      'Sec-Fetch-Site': 'same-origin',
    },
    payload,
  })
  assert.ok(asked, 'the headers passed')
  return answer.statusCode
}

test('a body that is held back until the user has a factor enrols none with the password alone', async (t) => {
  const built = await build(t)
  for (const type of ['application/json', 'application/x-www-form-urlencoded'] as const) {
    const name = type === 'application/json' ? 'john' : 'jane'
    const thief = await openBrowser(built, name)
    const begun = dataOf(await thief.api('PUT', REGISTER, {}))
    const token = await code(secretOf(begun.base32_secret), built.clock.now())
    const owner = await openBrowser(built, name)
    const isJson = type === 'application/json'
    let secret: Buffer | undefined
    const status = await hesitantly(
      built,
      thief,
      {
        ...{ type, path: isJson ? REGISTER : '/second-factor/enrol/totp' },
        body: isJson ? JSON.stringify({ token }) : `code=${token}`,
      },
      async () => {
        secret = await owner.enrol()
      },
    )
    // The page leads to the confirmation.
    assert.equal(status, isJson ? 403 : 303)
    assert.equal(dataOf(await thief.get('/api/state')).authentication_level, 1)
    assert.ok(secret)
    built.clock.advance(60_000)
    const own = await code(secret, built.clock.now())
    const shown = await thief.api('POST', '/api/secondfactor/totp', { token: own })
    assert.equal(shown.status, 200, 'the app of the owner is still the one that counts')
  }
})
