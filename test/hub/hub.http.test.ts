import assert from 'node:assert/strict'
import { before, suite, test } from 'node:test'
import { type BuiltApp, buildApp } from '../support/app.ts'
import { suiteCleanup } from '../support/cleanup.ts'
import { PASSWORD } from '../support/server.ts'
import { usersYaml } from '../support/users.ts'
import { Traveller, type Visited } from './traveller.ts'

const HUB = 'https://auth.example.com'
const B = 'https://auth.example.org'
const C = 'https://auth.example.net'
const PORTALS = [HUB, B, C].map((origin) => new URL(origin).host)
const APP = {
  hub: 'https://app.example.com/x',
  b: 'https://app.example.org/deep?x=1&y=%26',
  c: 'https://app.example.net/',
}
const john = { username: 'john', password: PASSWORD }
const jane = { username: 'jane', password: PASSWORD }

const CONFIG = {
  session: {
    cookies: [
      { domain: 'example.com', portal_url: HUB },
      { domain: 'example.org', portal_url: B },
      { domain: 'example.net', portal_url: C, name: 'third_session' },
    ],
  },
  access_control: {
    default_policy: 'deny',
    rules: [{ domain: ['*.example.com', '*.example.org', '*.example.net'], policy: 'one_factor' }],
  },
}

const at = (portal: string, rd: string): string =>
  `${portal}/?${new URLSearchParams({ rd, rm: 'GET' })}`

suite('one login for several root domains', () => {
  const t = suiteCleanup()
  let server: BuiltApp

  before(async () => {
    server = await buildApp(t, {
      config: CONFIG,
      users: await usersYaml({ john: {}, jane: {} }),
    })
  })

  const browser = () => new Traveller(server, PORTALS)
  const who = async (traveller: Traveller, portal: string): Promise<string> => {
    const { body } = await traveller.ask(`${portal}/api/state`)
    return JSON.parse(body).data.username
  }
  const everywhere = async (traveller: Traveller): Promise<string[]> => [
    await who(traveller, HUB),
    await who(traveller, B),
    await who(traveller, C),
  ]
  /** What the question's form sends. */
  const fieldsOf = ({ answer }: Visited): URLSearchParams =>
    new URLSearchParams(
      [...(answer?.body ?? '').matchAll(/type="hidden" name="(\w+)" value="([^"]*)"/g)].map(
        ([, name = '', value = '']): [string, string] => [
          name,
          value.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(code)),
        ],
      ),
    )
  const goOn = (traveller: Traveller, question: Visited): Promise<Visited> =>
    traveller.visit(`${question.url.origin}/hub/return`, {
      method: 'POST',
      headers: {
        'Sec-Fetch-Site': 'same-origin',
        'Content-Type': 'application/x-www-form-urlencoded',
      },
      body: fieldsOf(question).toString(),
    })
  const isForm = (body = ''): boolean => body.includes('id="sign-in"')

  test('who is signed in at the hub is signed in at the others by opening them', async () => {
    const me = browser()
    await me.signIn(at(HUB, APP.hub), john)
    assert.deepEqual(await everywhere(me), ['john', '', ''])
    const there = await me.visit(at(B, APP.b))
    assert.equal(there.url.href, APP.b)
    assert.deepEqual(
      there.way.map(({ origin, pathname }) => origin + pathname),
      [`${B}/`, `${HUB}/hub/vouch`, `${B}/hub/return`, `${B}/`, 'https://app.example.org/deep'],
    )
    assert.equal((await me.visit(at(C, APP.c))).url.href, APP.c)
    assert.deepEqual(await everywhere(me), ['john', 'john', 'john'])
    assert.deepEqual([...me.cookies('auth.example.org').keys()], ['vestibule_session'])
    const again = await me.visit(at(B, APP.b))
    assert.equal(again.way.length, 2, 'already signed in: straight there')
  })

  test('who is signed in nowhere goes to the hub once, and meets the form', async () => {
    const me = browser()
    const first = await me.visit(at(B, APP.b))
    assert.equal(first.url.origin, B)
    assert.ok(isForm(first.answer?.body))
    assert.match(first.answer?.body ?? '', /to continue to app\.example\.org/)
    assert.equal(first.way.filter(({ origin }) => origin === HUB).length, 1)
    assert.equal((await me.visit(first.url)).way.length, 1, 'a reload goes nowhere')
    assert.equal(me.cookies('auth.example.org').size, 0)
    const hub = await me.visit(at(HUB, APP.hub))
    assert.equal(hub.way.length, 1, 'the hub asks nobody')
  })

  test('a transaction that never came back is not begun again: the form is here', async () => {
    const me = browser()
    const gone = await me.ask(at(B, APP.b))
    assert.equal(new URL(gone.headers.location ?? '').origin, HUB)
    const [cookie = ''] = gone.headers['set-cookie'] ?? []
    assert.match(
      cookie,
      /^__Host-vestibule_hub_[\w-]{8}=[0-9a-z]{8}\.[\w-]{43}; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    )
    assert.doesNotMatch(
      gone.headers.location ?? '',
      new RegExp(/\.([\w-]{43});/.exec(cookie)?.[1] ?? '-'),
    )
    const here = await me.visit(at(B, APP.b))
    assert.equal(here.way.length, 1)
    assert.ok(isForm(here.answer?.body))
    const signedIn = await me.signIn(here.url, john)
    assert.equal(signedIn.url.href, APP.b, 'and the sign-in does not go there either')
    assert.ok(signedIn.way.every(({ origin }) => origin !== HUB))
  })

  test('a sign-in at B makes one at the hub, and the hub signs in at C', async () => {
    const me = browser()
    const form = await me.visit(at(B, APP.b))
    const there = await me.signIn(form.url, john)
    assert.equal(there.url.href, APP.b)
    assert.deepEqual(
      there.way.map(({ origin, pathname }) => origin + pathname),
      [
        `${B}/`,
        `${B}/`,
        `${HUB}/hub/join`,
        `${B}/hub/vouch`,
        `${HUB}/hub/return`,
        `${B}/`,
        'https://app.example.org/deep',
      ],
    )
    assert.deepEqual(await everywhere(me), ['john', 'john', ''])
    assert.equal((await me.visit(at(C, APP.c))).url.href, APP.c)
    assert.deepEqual(await everywhere(me), ['john', 'john', 'john'])
  })

  test('one browser is one person: another sign-in anywhere takes the place of the first everywhere', async () => {
    const me = browser()
    await me.signIn(at(HUB, APP.hub), john)
    await me.visit(at(B, APP.b))
    await me.visit(at(C, APP.c))
    const question = await me.signIn(at(B, APP.b), jane)
    assert.equal(question.url.origin, HUB)
    assert.match(question.answer?.body ?? '', /Sign in as jane\?/)
    assert.deepEqual(await everywhere(me), ['', 'jane', ''], 'nobody, until they say so')
    assert.equal((await goOn(me, question)).url.href, APP.b)
    assert.deepEqual(await everywhere(me), ['jane', 'jane', ''])
    await me.visit(at(C, APP.c))
    assert.deepEqual(await everywhere(me), ['jane', 'jane', 'jane'])
  })

  test('signing out anywhere ends all, by the page and by the API, and no other browser', async () => {
    const other = browser()
    await other.signIn(at(HUB, APP.hub), john)
    for (const portal of [HUB, B, C]) {
      for (const path of ['/logout', '/api/logout']) {
        const me = browser()
        await me.signIn(at(HUB, APP.hub), john)
        await me.visit(at(B, APP.b))
        await me.visit(at(C, APP.c))
        assert.deepEqual(await everywhere(me), ['john', 'john', 'john'])
        const stolen = new Traveller(server, PORTALS)
        for (const origin of [HUB, B, C])
          for (const [name, value] of me.cookies(new URL(origin).host))
            stolen.set(new URL(origin).host, name, value)
        const out = await me.ask(`${portal}${path}`, {
          method: 'POST',
          headers: { 'Sec-Fetch-Site': 'same-origin' },
        })
        assert.ok(out.status < 400, `${out.status}`)
        assert.deepEqual(await everywhere(stolen), ['', '', ''], `${portal}${path}`)
        const after = await me.visit(at(B, APP.b))
        assert.ok(isForm(after.answer?.body), 'nobody signs them in again')
      }
    }
    assert.equal(await who(other, HUB), 'john')
  })

  test('remember-me is carried over, and a session that is not remembered is not', async () => {
    for (const remember of [true, false]) {
      const me = browser()
      await me.signIn(at(HUB, APP.hub), { ...john, ...(remember && { remember: 'on' }) })
      const { way } = await me.visit(at(B, APP.b))
      const again = browser()
      await again.signIn(at(HUB, APP.hub), { ...john, ...(remember && { remember: 'on' }) })
      const toHub = await again.ask(at(B, APP.b))
      const back = await again.ask(toHub.headers.location ?? '')
      const returned = await again.ask(back.headers.location ?? '')
      const cookie = returned.headers['set-cookie']?.find((one) => one.startsWith('vestibule'))
      const age = Number(/Max-Age=(\d+)/.exec(cookie ?? '')?.[1])
      if (remember) assert.ok(age > 2_591_000 && age <= 2_592_000, `${age}`)
      else assert.ok(age > 3500 && age <= 3600, `${age}`)
      assert.equal(way.length, 5)
    }
  })

  test('only a page that a person opens is sent: no script, frame, image, program, nor HEAD', async () => {
    const others: [string, Record<string, string>][] = [
      ['GET', { 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty' }],
      ['GET', { 'Sec-Fetch-Dest': 'iframe' }],
      ['GET', { 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image' }],
      ['GET', { 'X-Requested-With': 'XMLHttpRequest' }],
      ['HEAD', {}],
    ]
    for (const [method, headers] of others) {
      const answer = await browser().ask(at(B, APP.b), { method, headers })
      assert.equal(answer.status, 200, JSON.stringify(headers))
      assert.equal(answer.headers['set-cookie'], undefined)
      const path = `${HUB}/hub/vouch?for=example.org&state=${'A'.repeat(43)}`
      assert.equal((await browser().ask(path, { method, headers })).status, 404)
    }
    const program = await server.request('/?rd=https%3A%2F%2Fapp.example.org%2F', {
      headers: { Host: 'auth.example.org', Accept: '*/*' },
    })
    assert.equal(program.status, 200)
    const old = await server.request('/', {
      headers: { Host: 'auth.example.org', Accept: 'text/html' },
    })
    assert.equal(old.status, 302, 'a browser that says nothing of its fetches')
  })

  test('what it leads to is judged at every station (requirement 15)', async () => {
    for (const rd of [
      'https://evil.test/',
      'https://app.example.org@evil.test/',
      '//evil.test',
      'http://app.example.org/',
      'https://app.example.org.evil.test/',
    ]) {
      const me = browser()
      await me.signIn(`${HUB}/`, john)
      const { way, url } = await me.visit(at(B, rd))
      assert.equal(url.href, `${B}/?hub=`, rd)
      for (const one of way.slice(2)) assert.equal(one.searchParams.get('rd'), null)
      for (const path of ['/hub/vouch?for=example.org', '/hub/join?with=example.org']) {
        const answer = await me.ask(`${HUB}${path}&state=x&rd=${encodeURIComponent(rd)}`)
        assert.ok([HUB, B].includes(new URL(answer.headers.location ?? '').origin))
        assert.doesNotMatch(answer.headers.location ?? '', /evil/)
      }
    }
    for (const name of ['evil.test', 'auth.example.org', '', 'example.com', '__proto__']) {
      const answer = await browser().ask(`${HUB}/hub/vouch?for=${name}&state=${'A'.repeat(43)}`)
      assert.equal(answer.status, 404, name)
    }
  })

  /** A code on its way to B, for the user who is signed in in this browser. */
  const codeFor = async (me: Traveller): Promise<string> => {
    const toHub = await me.ask(at(B, APP.b))
    const back = await me.ask(toHub.headers.location ?? '')
    const location = back.headers.location ?? ''
    assert.match(location, /^https:\/\/auth\.example\.org\/hub\/return\?.*code=[\w-]{43}/)
    return location
  }
  const signedIn = async (): Promise<Traveller> => {
    const me = browser()
    await me.signIn(at(HUB, APP.hub), john)
    return me
  }

  test('a code works once', async () => {
    const me = await signedIn()
    const jar = me.cookies('auth.example.org')
    const location = await codeFor(me)
    const replay = new Traveller(server, PORTALS)
    for (const [name, value] of me.cookies('auth.example.org'))
      replay.set('auth.example.org', name, value)
    assert.equal(jar.size, 0)
    await me.ask(location)
    assert.equal(await who(me, B), 'john')
    await replay.ask(location)
    assert.equal(await who(replay, B), '')
  })

  test('a code is worth nothing in another browser, nor afterwards in its own', async () => {
    const me = await signedIn()
    const location = await codeFor(me)
    const thief = browser()
    await thief.ask(at(B, APP.b))
    await thief.ask(location)
    assert.equal(await who(thief, B), '', 'the state of another transaction')
    await me.ask(location)
    assert.equal(await who(me, B), '', 'it was shown already')
  })

  test('nobody is made to sign in as somebody else: the state of the address counts for nothing', async () => {
    const mallory = browser()
    await mallory.signIn(at(HUB, APP.hub), jane)
    const location = new URL(await codeFor(mallory))
    const victim = browser()
    const own = await victim.ask(at(B, APP.b))
    const ownState = new URL(own.headers.location ?? '').searchParams.get('state') ?? ''
    location.searchParams.set('state', ownState)
    await victim.ask(location)
    assert.equal(await who(victim, B), '', 'the code belongs to another state')
  })

  // It was so for ten minutes after the victim had set out, and without a word.
  test('who has seen a state signs nobody in as themselves who has signed in there: they are asked', async () => {
    const mallory = browser()
    await mallory.signIn(at(HUB, APP.hub), jane)
    const victim = browser()
    await victim.signIn(at(B, APP.b), john)
    await victim.ask(`${B}/api/logout`, {
      method: 'POST',
      headers: { 'Sec-Fetch-Site': 'same-origin' },
    })
    const own = await victim.ask(at(B, APP.b))
    const back = await mallory.ask(own.headers.location ?? '')
    const lure = back.headers.location ?? ''
    assert.match(lure, /code=/)
    const question = await victim.visit(lure)
    assert.equal(question.answer?.status, 200)
    assert.match(question.answer?.body ?? '', /Sign in as jane\?/)
    assert.equal(await who(victim, B), '')
    assert.equal(question.answer?.headers['referrer-policy'], 'same-origin')
    const fields = fieldsOf(question)
    const crossed = await victim.ask(`${B}/hub/return`, {
      method: 'POST',
      headers: {
        'Sec-Fetch-Site': 'cross-site',
        'Content-Type': 'application/x-www-form-urlencoded',
      },
      body: fields.toString(),
    })
    assert.equal(crossed.status, 403)
    await victim.visit(`${B}/hub/return?${fields}`)
    assert.equal(await who(victim, B), '', 'no link answers for them')
    assert.equal((await goOn(victim, question)).url.origin, B)
    assert.equal(await who(victim, B), '', 'and the code is spent by the attempt')
  })

  test('who says yes is signed in, and not asked again', async () => {
    const family = browser()
    for (const asked of [true, false]) {
      await family.signIn(at(HUB, APP.hub), john)
      const end = await family.signIn(at(B, APP.b), jane)
      assert.equal(/Sign in as/.test(end.answer?.body ?? ''), asked)
      if (asked) assert.equal((await goOn(family, end)).url.href, APP.b)
      assert.deepEqual(await everywhere(family), ['jane', 'jane', ''])
      await family.ask(`${B}/api/logout`, {
        method: 'POST',
        headers: { 'Sec-Fetch-Site': 'same-origin' },
      })
    }
  })

  test('a code is worth nothing at another domain, nor at another host of its own', async () => {
    for (const host of ['auth.example.net', 'auth.example.com', 'other.example.org']) {
      const me = await signedIn()
      const location = new URL(await codeFor(me))
      // Even if a browser had the state there.
      for (const [name, value] of me.cookies('auth.example.org')) me.set(host, name, value)
      location.host = host
      const answer = await me.ask(location)
      const name = host.endsWith('net') ? 'third_session=' : 'vestibule_session='
      assert.ok(!(answer.headers['set-cookie'] ?? []).some((one) => one.startsWith(name)), host)
      location.host = 'auth.example.org'
      const home = await me.ask(location)
      if (host !== 'other.example.org')
        assert.ok(!String(home.headers['set-cookie']).includes('vestibule_session='), 'it is spent')
    }
  })

  test('a code of a session that was ended meanwhile is worth nothing', async () => {
    for (const how of ['logout', 'sign-in'] as const) {
      const me = await signedIn()
      const location = await codeFor(me)
      if (how === 'logout')
        await me.ask(`${HUB}/api/logout`, {
          method: 'POST',
          headers: { 'Sec-Fetch-Site': 'same-origin' },
        })
      else await me.signIn(at(HUB, APP.hub), jane)
      await me.ask(location)
      assert.equal(await who(me, B), '', how)
    }
  })

  test('an old session is not handed on to the hub, and nobody is sent through it without a sign-in', async () => {
    const me = await signedIn()
    await me.visit(at(B, APP.b))
    const stale = await me.visit(`${B}/?signed-in=`)
    assert.equal(stale.answer?.status, 200)
    const vouch = await me.ask(`${B}/hub/vouch?for=example.net&state=${'A'.repeat(43)}`)
    assert.doesNotMatch(vouch.headers.location ?? '', /code/, 'B vouches for nobody but the hub')
    const anonymous = await browser().visit(
      `${HUB}/hub/join?with=example.org&rd=${encodeURIComponent(APP.b)}`,
    )
    assert.equal(anonymous.url.origin, B)
    assert.equal(await who(browser(), HUB), '')
  })

  test('no code and no state is ever in the log, and no page is loaded from an address that has one', async () => {
    const me = await signedIn()
    const toHub = await me.ask(at(B, APP.b))
    const location = (await me.ask(toHub.headers.location ?? '')).headers.location ?? ''
    const returned = await me.ask(location)
    assert.equal(returned.status, 302)
    assert.equal(returned.body, '')
    assert.equal(returned.headers['referrer-policy'], 'no-referrer')
    assert.equal(returned.headers['cache-control'], 'no-store')
    await server.until(/event=session\.linked/)
    for (const key of ['code', 'state']) {
      const value = new URL(location).searchParams.get(key)
      assert.ok(value)
      assert.ok(!server.output().includes(value), key)
    }
    assert.match(server.output(), /event=session\.linked/)
  })
})

test('where it is turned off each domain signs in for itself', async (t) => {
  const server = await buildApp(t, {
    config: { ...CONFIG, session: { ...CONFIG.session, hub: { enable: false } } },
    users: await usersYaml({ john: {} }),
  })
  const me = new Traveller(server, PORTALS)
  await me.signIn(at(HUB, APP.hub), john)
  const there = await me.visit(at(B, APP.b))
  assert.equal(there.way.length, 1)
  assert.equal(there.answer?.status, 200)
  assert.equal(
    (await me.ask(`${HUB}/hub/vouch?for=example.org&state=${'A'.repeat(43)}`)).status,
    404,
  )
})
