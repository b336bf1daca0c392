import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { buildApp } from '../support/app.ts'
import { PASSWORD } from '../support/server.ts'
import { usersYaml } from '../support/users.ts'
import { verdictOf } from '../support/verdict.ts'

/** What a bug would say of itself: for the log only. */
const BUG = "Cannot read properties of undefined (reading 'inner workings')"

/** The app with a user backend that has a bug while `broken` is set. */
async function startApp(t: TestContext) {
  const state = { broken: false }
  const bug = (): void => {
    if (state.broken) throw new TypeError(BUG)
  }
  const app = await buildApp(t, {
    users: await usersYaml({ john: {} }),
    wrapUsers: (real) => ({
      ...real,
      async authenticate(...given) {
        bug()
        return real.authenticate(...given)
      },
      profile(name) {
        bug()
        return real.profile(name)
      },
    }),
  })
  return { app, state }
}

test('a bug in a request is a 500 with an id that the log explains, and the next request works', async (t) => {
  const { app, state } = await startApp(t)
  const Host = 'auth.vestibule.localhost'
  const cookie = await app.signIn('john')

  state.broken = true
  const credentials = { username: 'john', password: PASSWORD }
  const data = await app.request('/api/firstfactor', {
    method: 'POST',
    headers: { Host },
    body: JSON.stringify(credentials),
  })
  const page = await app.request('/', {
    method: 'POST',
    headers: {
      Host,
      Accept: 'text/html',
      Origin: `http://auth.vestibule.localhost:${app.port}`,
      'Content-Type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams(credentials).toString(),
  })
  const asked = await verdictOf(app, cookie)
  for (const [name, answer] of Object.entries({ data, page, asked })) {
    assert.equal(answer.status, 500, name)
    assert.equal(answer.headers['set-cookie'], undefined, name)
    assert.equal(answer.headers['remote-user'], undefined, name)
    assert.equal(answer.headers['cache-control'], 'no-store', name)
    assert.equal(answer.headers['x-content-type-options'], 'nosniff', name)
    assert.doesNotMatch(answer.body, /inner workings|TypeError|\.ts:/, name)
  }
  const { message, request_id: id } = JSON.parse(data.body)
  assert.equal(message, 'Something went wrong on our side.')
  const shown = /class="request-id">[^<]*?([\w-]{9,})</.exec(page.body)?.[1]
  assert.notEqual(id, shown)
  for (const wanted of [id, shown]) {
    const line = app
      .output()
      .split('\n')
      .find((text) => text.includes(`request_id=${wanted} `))
    assert.match(line ?? app.output(), /^time=\S+ level=error msg="a request failed" /)
    assert.ok(line?.includes('inner workings') && line.includes('operation-failure'), line)
    assert.ok(!line?.includes(PASSWORD))
  }

  state.broken = false
  assert.equal((await verdictOf(app, cookie)).status, 200)
  assert.equal((await verdictOf(app, await app.signIn('john'))).status, 200)
})
