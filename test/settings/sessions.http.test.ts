import assert from 'node:assert/strict'
import { before, suite, test } from 'node:test'
import { Traveller } from '../hub/traveller.ts'
import { type BuiltApp, buildApp } from '../support/app.ts'
import { suiteCleanup } from '../support/cleanup.ts'
import { PASSWORD } from '../support/server.ts'
import { usersYaml } from '../support/users.ts'

const PORTAL = 'https://auth.example.com'
const B = 'https://auth.example.org'
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1'

interface Listed {
  readonly id: string
  readonly current: boolean
  readonly domain: string
  readonly linked_domains: readonly string[]
  readonly browser: string
  readonly system: string
  readonly device: string
  readonly address: string
  readonly created: string
  readonly last_seen: string
  readonly expires: string
  readonly remembered: boolean
}

suite('own sessions', () => {
  const t = suiteCleanup()
  let server: BuiltApp

  before(async () => {
    server = await buildApp(t, {
      config: {
        session: {
          cookies: [
            { domain: 'example.com', portal_url: PORTAL },
            { domain: 'example.org', portal_url: B },
          ],
        },
        access_control: { default_policy: 'one_factor' },
      },
      users: await usersYaml({ john: {}, jane: {} }),
    })
  })

  /** A browser that has just signed in. */
  const signIn = async (username: string, userAgent = FIREFOX, address = '192.0.2.7') => {
    const me = new Traveller(server, ['auth.example.com', 'auth.example.org'])
    const answer = await me.ask(`${PORTAL}/api/firstfactor`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        'Sec-Fetch-Site': 'same-origin',
        'User-Agent': userAgent,
        'X-Forwarded-For': address,
      },
      body: JSON.stringify({ username, password: PASSWORD }),
    })
    assert.equal(answer.status, 200)
    // The list is in the order of sign-ins.
    server.clock.advance(1_000)
    return me
  }
  const api = (me: Traveller, method: string, path = '', portal = PORTAL) =>
    me.ask(`${portal}/api/user/sessions${path}`, {
      method,
      headers: { 'Sec-Fetch-Site': 'same-origin', Accept: 'application/json' },
    })
  const list = async (me: Traveller): Promise<Listed[]> => {
    const { status, body } = await api(me, 'GET')
    assert.equal(status, 200)
    return JSON.parse(body).data
  }
  const isIn = async (me: Traveller, portal = PORTAL): Promise<boolean> =>
    JSON.parse((await me.ask(`${portal}/api/state`)).body).data.username !== ''
  const clean = async (me: Traveller) => api(me, 'DELETE')

  test('are listed with browser, system, address and times, and which one asks', async () => {
    const phone = await signIn('john', IPHONE, '198.51.100.3')
    const me = await signIn('john')
    await clean(me)
    const other = await signIn('john', IPHONE, '198.51.100.3')
    await signIn('jane')
    assert.equal(await isIn(phone), false)
    const sessions = await list(me)
    assert.equal(sessions.length, 2)
    const [newest, mine] = sessions
    assert.deepEqual(
      [newest?.current, newest?.browser, newest?.system, newest?.device, newest?.address],
      [false, 'Safari', 'iOS', 'mobile', '198.51.100.3'],
    )
    assert.deepEqual(
      [mine?.current, mine?.browser, mine?.system, mine?.device, mine?.address],
      [true, 'Firefox', 'Linux', 'desktop', '192.0.2.7'],
    )
    for (const one of sessions) {
      for (const time of [one.created, one.last_seen]) {
        const age = server.clock.now() - Date.parse(time)
        assert.ok(age >= 0 && age < 60_000, time)
      }
      assert.ok(Date.parse(one.expires) > server.clock.now())
      assert.equal(one.domain, 'example.com')
      assert.equal(one.remembered, false)
    }
    const { body } = await api(me, 'GET')
    for (const value of [
      ...me.cookies('auth.example.com').values(),
      ...other.cookies('auth.example.com').values(),
    ])
      assert.ok(!body.includes(value))
    assert.doesNotMatch(body, /"key"/)
  })

  test('can be ended one by one, and a cookie that was ended is worth nothing', async () => {
    const me = await signIn('john')
    const other = await signIn('john')
    const third = await signIn('john')
    const [, victim] = (await list(me)).filter(({ current }) => !current)
    assert.ok(victim)
    const answer = await api(me, 'DELETE', `/${victim.id}`)
    assert.equal(answer.status, 200)
    assert.equal(answer.body, '{"status":"OK","data":{"ended":1}}')
    assert.deepEqual([await isIn(me), await isIn(other), await isIn(third)], [true, false, true])
    assert.equal((await api(me, 'DELETE', `/${victim.id}`)).status, 404)
  })

  test('can be ended all but this one', async () => {
    const me = await signIn('john')
    const others = [await signIn('john'), await signIn('john', IPHONE)]
    const jane = await signIn('jane')
    const answer = await api(me, 'DELETE')
    assert.equal(answer.status, 200)
    assert.equal((await list(me)).length, 1)
    for (const other of others) assert.equal(await isIn(other), false)
    assert.equal(await isIn(jane), true)
  })

  test('of somebody else are not found, whatever is asked of them', async () => {
    const [john, jane] = [await signIn('john'), await signIn('jane')]
    const hers = (await list(jane)).find(({ current }) => current)
    assert.ok(hers)
    for (const id of [hers.id, 'never', 'a'.repeat(64), '%00', '..%2f..']) {
      const answer = await api(john, 'DELETE', `/${id}`)
      assert.equal(answer.status, 404, id)
    }
    const page = await john.ask(`${PORTAL}/settings/sessions`, {
      method: 'POST',
      headers: {
        'Sec-Fetch-Site': 'same-origin',
        'Content-Type': 'application/x-www-form-urlencoded',
      },
      body: `id=${hers.id}`,
    })
    assert.equal(page.headers.location, '/settings/sessions?gone=')
    assert.equal(await isIn(jane), true)
  })

  test('are told to nobody who is not signed in, and ended by no other site', async () => {
    const nobody = new Traveller(server, ['auth.example.com'])
    for (const method of ['GET', 'DELETE']) {
      const answer = await api(nobody, method)
      assert.equal(answer.status, 403)
      assert.match(answer.body, /^\{"status":"KO"/)
    }
    assert.equal((await nobody.ask(`${PORTAL}/settings/sessions`)).headers.location, '/')
    assert.equal((await nobody.visit(`${PORTAL}/settings`)).answer?.status, 200)
    const posted = await nobody.ask(`${PORTAL}/settings/sessions`, {
      method: 'POST',
      headers: {
        'Sec-Fetch-Site': 'same-origin',
        'Content-Type': 'application/x-www-form-urlencoded',
      },
      body: 'others=end',
    })
    assert.equal(posted.status, 403)
    assert.match(posted.body, /Sign in first/)

    const [me, other] = [await signIn('john'), await signIn('john')]
    for (const site of ['cross-site', 'same-site', 'none']) {
      for (const [method, path] of [
        ['DELETE', '/api/user/sessions'],
        ['POST', '/settings/sessions'],
      ] as const) {
        const answer = await me.ask(`${PORTAL}${path}`, {
          method,
          headers: { 'Sec-Fetch-Site': site, 'Content-Type': 'application/x-www-form-urlencoded' },
          ...(method === 'POST' && { body: 'others=end' }),
        })
        assert.equal(answer.status, 403)
      }
    }
    assert.equal(await isIn(other), true)
  })

  test('of one browser on several domains are ended together, and it is said before', async () => {
    const me = await signIn('john')
    await clean(me)
    const other = await signIn('john', IPHONE)
    await other.visit(`${B}/`)
    assert.equal(await isIn(other, B), true)
    const theirs = (await list(me)).filter(({ current }) => !current)
    assert.deepEqual(
      theirs.map(({ domain, linked_domains }) => [domain, ...linked_domains]).sort(),
      [
        ['example.com', 'example.org'],
        ['example.org', 'example.com'],
      ],
    )
    const page = await me.ask(`${PORTAL}/settings/sessions`)
    assert.match(page.body, /Safari on iOS/)
    assert.match(page.body, /On example\.com, example\.org/)
    assert.match(page.body, /Ending one ends it on all domains that are named with it/)
    assert.equal(page.body.match(/<li class="entry">/g)?.length, 2, 'one line a browser')
    const answer = await api(me, 'DELETE', `/${theirs[0]?.id}`)
    assert.equal(answer.body, '{"status":"OK","data":{"ended":2}}')
    assert.deepEqual([await isIn(other), await isIn(other, B)], [false, false])
    assert.equal(await isIn(me), true)
  })

  test('can be the one that asks: it is signed out then', async () => {
    const me = await signIn('john')
    const mine = (await list(me)).find(({ current }) => current)
    const answer = await api(me, 'DELETE', `/${mine?.id}`)
    assert.equal(answer.status, 200)
    assert.match(String(answer.headers['set-cookie']), /vestibule_session=;.*Max-Age=0/)
    assert.equal(answer.headers['clear-site-data'], '"cache", "storage"')
    assert.equal(await isIn(me), false)
  })

  test('leave nothing in the browser when their owner signs out, and never a cookie of the apps less', async () => {
    for (const path of ['/logout', '/api/logout']) {
      const me = await signIn('john')
      const out = await me.ask(`${PORTAL}${path}`, {
        method: 'POST',
        headers: { 'Sec-Fetch-Site': 'same-origin' },
      })
      assert.equal(out.headers['clear-site-data'], '"cache", "storage"', path)
    }
  })

  test('on the page are ended by forms, without scripts', async () => {
    const me = await signIn('john')
    await clean(me)
    const [one, two] = [
      await signIn('john', IPHONE),
      await signIn('john', '<b>evil</b> "\' & \u00e9'),
    ]
    const page = await me.ask(`${PORTAL}/settings/sessions`)
    assert.equal(page.status, 200)
    assert.equal(page.body.match(/<li class="entry">/g)?.length, 3)
    assert.doesNotMatch(page.body, /<script(?! src="\/static\/)|<b>/)
    assert.match(page.body, /This browser/)
    assert.match(page.body, /<time datetime="\d{4}-\d\d-\d\dT[\d:.]+Z" title="[^"]+ UTC">now</)
    const id = /name="id" value="([^"]+)"[^>]*>(?:<button[^>]*aria-label="End Safari on iOS)/.exec(
      page.body,
    )?.[1]
    assert.ok(id)
    const post = (body: string) =>
      me.ask(`${PORTAL}/settings/sessions`, {
        method: 'POST',
        headers: { Origin: PORTAL, 'Content-Type': 'application/x-www-form-urlencoded' },
        body,
      })
    const ended = await post(`id=${id}`)
    assert.equal(ended.status, 303)
    const after = await me.visit(new URL(ended.headers.location ?? '', PORTAL))
    assert.match(after.answer?.body ?? '', /Ended\. That browser has to sign in again\./)
    assert.deepEqual([await isIn(one), await isIn(two)], [false, true])
    assert.equal((await post('others=end')).headers.location, '/settings/sessions?others-ended=')
    assert.deepEqual([await isIn(me), await isIn(two)], [true, false])
    for (const body of ['', 'id=', 'id=a&id=b', 'x=y'])
      assert.equal((await post(body)).headers.location, '/settings/sessions?gone=', body)
    assert.equal((await post(`id=${'a'.repeat(2000)}`)).status, 413)
  })
})
