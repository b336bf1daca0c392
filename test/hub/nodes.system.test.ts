import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startRedis, withoutRedis } from '../support/redis.ts'
import { PASSWORD, type RunningServer, startServer } from '../support/server.ts'
import { CHEAP, usersYaml } from '../support/users.ts'
import { Traveller } from './traveller.ts'

const HUB = 'https://auth.example.com'
const B = 'https://auth.example.org'
const APP = 'https://app.example.org/x'
const john = { username: 'john', password: PASSWORD }

test('every station may be another node, and without Redis all ways end at the form', {
  skip: withoutRedis,
}, async (t) => {
  const redis = await startRedis(t)
  const users = await usersYaml({ john: {} })
  const start = () =>
    startServer(t, {
      config: {
        ...CHEAP,
        session: {
          secret: 'a secret that both nodes know, long enough',
          redis: { host: '127.0.0.1', port: redis.port },
          cookies: [
            { domain: 'example.com', portal_url: HUB },
            { domain: 'example.org', portal_url: B },
          ],
        },
        access_control: { default_policy: 'one_factor' },
      },
      users,
    })
  const nodes: readonly RunningServer[] = await Promise.all([start(), start()])
  let turn = 0
  const balanced: Pick<RunningServer, 'request'> = {
    request(path, options) {
      const node = nodes[turn++ % nodes.length]
      assert.ok(node)
      return node.request(path, options)
    },
  }
  const browser = () =>
    new Traveller(
      balanced,
      [HUB, B].map((origin) => new URL(origin).host),
    )
  const at = (portal: string) => `${portal}/?${new URLSearchParams({ rd: APP, rm: 'GET' })}`
  const who = async (me: Traveller, portal: string): Promise<string> =>
    JSON.parse((await me.ask(`${portal}/api/state`)).body).data.username

  const me = browser()
  const form = await me.visit(at(B))
  assert.equal((await me.signIn(form.url, john)).url.href, APP)
  assert.deepEqual([await who(me, HUB), await who(me, B)], ['john', 'john'])
  await me.ask(`${HUB}/api/logout`, {
    method: 'POST',
    headers: { 'Sec-Fetch-Site': 'same-origin' },
  })
  assert.deepEqual([await who(me, HUB), await who(me, B)], ['', ''])

  // Requirement 38: whole on every node, though others planted values in front.
  const owner = browser()
  const opened = await owner.visit(at(B))
  assert.equal((await owner.signIn(opened.url, john)).url.href, APP)
  const thief = browser()
  for (const host of ['auth.example.com', 'auth.example.org'])
    for (const [name, value] of owner.cookies(host)) thief.set(host, name, value)
  assert.deepEqual([await who(thief, HUB), await who(thief, B)], ['john', 'john'])
  const mine = owner.cookies('auth.example.org').get('vestibule_session')
  const front = Array.from({ length: 600 }, (_, i) => `vestibule_session=${i}`.padEnd(61, 'P'))
  const out = await balanced.request('/api/logout', {
    method: 'POST',
    headers: {
      Host: 'auth.example.org',
      'Sec-Fetch-Site': 'same-origin',
      Cookie: [...front, `vestibule_session=${mine}`].join('; '),
    },
  })
  assert.equal(out.status, 200)
  for (const portal of [HUB, B, HUB, B]) {
    for (let tries = 0; (await who(thief, portal)) !== ''; tries++) {
      assert.ok(tries < 200, `a session lives on at ${portal}`)
      await sleep(10)
    }
  }

  const signedIn = browser()
  await signedIn.signIn(`${HUB}/`, john)
  const toHub = await signedIn.ask(at(B))
  const back = await signedIn.ask(toHub.headers.location ?? '')
  assert.match(back.headers.location ?? '', /\/hub\/return\?.*code=/)
  await redis.kill()
  // The hub cannot look at its session, the member cannot look at the code.
  for (const address of [toHub.headers.location, back.headers.location]) {
    const closed = await signedIn.visit(address ?? '')
    assert.equal(closed.url.origin, B)
    assert.equal(closed.url.searchParams.get('rd'), APP)
    assert.equal(closed.answer?.status, 200)
    assert.match(closed.answer?.body ?? '', /id="sign-in"/)
  }
  assert.deepEqual(
    [...signedIn.cookies('auth.example.org').keys()].filter((name) => name === 'vestibule_session'),
    [],
  )
  assert.ok(
    signedIn.cookies('auth.example.com').has('vestibule_session'),
    'and no cookie is touched',
  )

  await redis.start()
  const again = await signedIn.visit(at(B))
  assert.equal(again.url.origin, B, 'its session went with the data of Redis')
  assert.match(again.answer?.body ?? '', /id="sign-in"/)
})
