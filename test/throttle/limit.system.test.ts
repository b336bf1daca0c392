/** The delay and the failure limit as the running server has them. */
import assert from 'node:assert/strict'
import net from 'node:net'
import { suite, type TestContext, test } from 'node:test'
import { type Answer, PASSWORD, type RunningServer, run, startServer } from '../support/server.ts'
import { CHEAP, usersYaml } from '../support/users.ts'
import { verdict } from '../support/verdict.ts'

const start = async (t: TestContext, config: Readonly<Record<string, unknown>>) =>
  startServer(t, {
    config: { ...CHEAP, ...config },
    users: await usersYaml({ john: {}, gone: { disabled: true } }),
  })

interface Tried extends Answer {
  /** Milliseconds. */
  readonly took: number
}

async function timed(work: () => Promise<Answer>): Promise<Tried> {
  const began = performance.now()
  const answer = await work()
  return { ...answer, took: performance.now() - began }
}

const from = (client: string | undefined) =>
  client === undefined ? {} : { 'X-Forwarded-For': client }

const attempt = (
  server: RunningServer,
  password: string,
  { username = 'john', client }: { username?: string; client?: string } = {},
): Promise<Tried> =>
  timed(() =>
    server.request('/api/firstfactor', {
      method: 'POST',
      headers: {
        Host: `auth.vestibule.localhost:${server.port}`,
        'Content-Type': 'application/json',
        ...from(client),
      },
      body: JSON.stringify({ username, password }),
    }),
  )

const page = (server: RunningServer, password: string): Promise<Tried> =>
  timed(() =>
    server.request('/', {
      method: 'POST',
      headers: {
        Host: `auth.vestibule.localhost:${server.port}`,
        'Content-Type': 'application/x-www-form-urlencoded',
        'Sec-Fetch-Site': 'same-origin',
      },
      body: new URLSearchParams({
        username: 'john',
        password,
        rd: 'http://app.vestibule.localhost/',
      }).toString(),
    }),
  )

const basic = (server: RunningServer, password: string): Promise<Tried> =>
  timed(() =>
    server.request('/api/authz/auth-request', {
      headers: {
        'X-Original-URL': 'http://app.vestibule.localhost/',
        'X-Original-Method': 'GET',
        Authorization: `Basic ${Buffer.from(`john:${password}`).toString('base64')}`,
      },
    }),
  )

/** Starts them all at once. @returns their answers, in the order in which they came */
async function inOrder(
  works: Readonly<Record<string, () => Promise<unknown>>>,
): Promise<readonly string[]> {
  const order: string[] = []
  await Promise.all(
    Object.entries(works).map(async ([name, work]) => {
      await work()
      order.push(name)
    }),
  )
  return order
}

/** All but what moves with time. */
const face = ({ status, rawHeaders, body }: Answer) => {
  const at = rawHeaders.indexOf('Date')
  return { status, headers: rawHeaders.filter((_, i) => at === -1 || i !== at + 1), body }
}

suite('the delay', () => {
  test('holds back failures and successes, the first ones for a second; not what depends on no password', async (t) => {
    const server = await start(t, {})
    for (const tried of await Promise.all([
      attempt(server, 'wrong'),
      attempt(server, 'wrong', { username: 'nobody' }),
      attempt(server, PASSWORD),
      attempt(server, ''),
      page(server, 'wrong'),
      page(server, 'x'.repeat(2000)),
      basic(server, 'wrong'),
    ]))
      assert.ok(tried.took >= 899, `${tried.status} after ${tried.took}`)
    // Another server, whose first answers are still held for a second.
    const fresh = await start(t, {})
    const order = await inOrder({
      held: () => attempt(fresh, 'wrong'),
      verify: () => verdict(fresh.port, undefined),
      page: () => fresh.request('/'),
      basic: () => basic(fresh, PASSWORD),
      refused: () =>
        fresh.request('/api/firstfactor', {
          method: 'POST',
          headers: { 'Sec-Fetch-Site': 'cross-site' },
        }),
    })
    assert.equal(order.at(-1), 'held')
  })

  test('comes down to a quarter of a second when sign-ins are quick', async (t) => {
    const server = await start(t, {})
    for (const answer of await Promise.all(
      Array.from({ length: 10 }, () => attempt(server, PASSWORD)),
    ))
      assert.equal(answer.status, 200)
    const fresh = await start(t, {})
    const held: number[] = []
    const order = await inOrder({
      fresh: () => attempt(fresh, 'wrong'),
      one: async () => held.push((await attempt(server, 'wrong')).took),
      two: async () => held.push((await attempt(server, 'wrong')).took),
    })
    assert.equal(order.at(-1), 'fresh')
    for (const took of held) assert.ok(took >= 249, String(took))
  })

  test('ends when the client leaves', async (t) => {
    const server = await start(t, {})
    const body = JSON.stringify({ username: 'john', password: 'wrong' })
    const socket = net.connect(server.port, '127.0.0.1')
    socket.write(
      `POST /api/firstfactor HTTP/1.1\r\nHost: auth.vestibule.localhost:${server.port}\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    )
    await server.until(/Unsuccessful 1FA/)
    socket.destroy()
    const fresh = await start(t, {})
    const order = await inOrder({
      held: () => attempt(fresh, 'wrong'),
      stopped: () => server.stop(),
    })
    assert.deepEqual(order, ['stopped', 'held'], 'nothing was left to wait for')
  })
})

suite('the failure limit', () => {
  test('without configuration one address has one wrong password a second; the next gets 429 and when to come back', async (t) => {
    const pair = async () => {
      const server = await start(t, { failed_login_rate_limit: '1/second;5/minute;20/hour' })
      const answers: Tried[] = []
      const one = async () => answers.push(await attempt(server, 'wrong'))
      await inOrder({ one, two: one })
      return { server, answers }
    }
    let { server, answers } = await pair()
    // On a starved machine the two may be a second apart. Then nothing was to be limited.
    for (let tries = 0; tries < 5 && answers.every(({ status }) => status === 401); tries++)
      ({ server, answers } = await pair())
    // It is told at once: the failure that came first is answered last.
    const [limited, failed] = answers
    assert.ok(limited !== undefined && failed !== undefined)
    assert.equal(failed.status, 401)
    assert.equal(failed.headers['retry-after'], undefined)
    assert.equal(limited.status, 429)
    assert.equal(limited.headers['retry-after'], '1')
    assert.equal(limited.headers['content-type'], 'application/json; charset=utf-8')
    assert.match(limited.body, /"status":"KO","message":"Too many failed sign-ins/)
    await server.until(/Too many failed sign-ins/)
  })

  test('promises a browser one attempt after the wait that it was shown, whatever others do meanwhile', async (t) => {
    const server = await start(t, { failed_login_rate_limit: '1 per 3 seconds' })
    const browser = (password: string, cookie?: string) =>
      server.request('/', {
        method: 'POST',
        headers: {
          Host: `auth.vestibule.localhost:${server.port}`,
          'Content-Type': 'application/x-www-form-urlencoded',
          'Sec-Fetch-Site': 'same-origin',
          ...(cookie !== undefined && { Cookie: cookie }),
        },
        body: new URLSearchParams({ username: 'john', password }).toString(),
      })
    const fill = () => attempt(server, 'wrong')
    const limited = async (work: () => Promise<Answer>) => {
      for (;;) {
        const answer = await work()
        if (answer.status === 429) return answer
      }
    }
    await fill()
    assert.equal((await limited(fill)).headers['set-cookie'], undefined, 'no program keeps it')
    const told = await limited(() => browser('wrong'))
    const [line = ''] = told.headers['set-cookie'] ?? []
    assert.match(
      line,
      /^vestibule_session_reservation=[\w-]{22}; Max-Age=\d+; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    )
    const cookie = line.split(';', 1)[0] ?? ''
    const due = performance.now() + Number(told.headers['retry-after']) * 1000
    while (performance.now() < due) await fill()
    await limited(fill)
    const answer = await browser(PASSWORD, cookie)
    assert.equal(answer.status, 303)
    assert.match(answer.headers.location ?? '', /signed-in/)
  })

  test('on verify looks like wrong credentials and costs no hash; it never says 429', async (t) => {
    const server = await start(t, { failed_login_rate_limit: '1/hour' })
    const wrong = await basic(server, 'wrong')
    const answers: Tried[] = []
    // A Basic attempt from elsewhere is hashed, and held like any failure.
    const order = await inOrder({
      elsewhere: () => attempt(server, 'wrong', { client: '198.51.100.9' }),
      limited: async () => answers.push(await basic(server, PASSWORD)),
    })
    const [limited] = answers
    assert.ok(limited !== undefined)
    assert.equal(limited.status, 401)
    assert.ok(Number(limited.headers['retry-after']) > 3500)
    assert.equal(limited.headers['www-authenticate'], 'Basic realm="Authorization Required"')
    assert.deepEqual(order, ['limited', 'elsewhere'])
    assert.deepEqual(
      { ...face(limited), headers: limited.rawHeaders.filter((_, i) => i % 2 === 0) },
      { ...face(wrong), headers: wrong.rawHeaders.filter((_, i) => i % 2 === 0) },
    )
    assert.equal((await attempt(server, PASSWORD)).status, 429, 'one count for both doors')
  })

  test('a fault in it stops the start and says where it is', async (t) => {
    const { folder, configFile } = await start(t, {})
    const server = run(['config', 'validate', '-c', configFile], {
      folder,
      env: { VESTIBULE_FAILED_LOGIN_RATE_LIMIT: '1/second;5/minuet' },
    })
    assert.equal(await server.ended, 1)
    assert.match(server.output(), /failed_login_rate_limit: has "minuet" at character 12/)
  })
})

suite('failures look alike, byte for byte', () => {
  test('wrong password, unknown, disabled, empty, oversized, malformed', async (t) => {
    const server = await start(t, {})
    const tried = await Promise.all([
      attempt(server, 'wrong'),
      attempt(server, 'wrong', { username: 'nobody' }),
      attempt(server, PASSWORD, { username: 'gone' }),
      attempt(server, ''),
      attempt(server, 'x'.repeat(1025)),
      attempt(server, 'wrong', { username: 'x'.repeat(400) }),
    ])
    const [first] = tried.map(face)
    assert.ok(first !== undefined)
    for (const answer of tried) assert.deepEqual(face(answer), first)
  })
})
