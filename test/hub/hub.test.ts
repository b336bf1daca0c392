import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import {
  beginTransaction,
  createHub,
  type Hub,
  type Member,
  pendingTransactions,
} from '../../src/features/hub/index.ts'
import manifest from '../../src/features/hub/manifest.ts'
import {
  createMemoryOnce,
  createMemoryStore,
  type OnceStore,
} from '../../src/features/sessions/index.ts'
import type { EpochMs } from '../../src/kernel/clock.ts'
import { Secret } from '../../src/kernel/secret.ts'
import { HOUR, MINUTE, openHouse, SECOND, SECRET } from '../sessions/house.ts'

const CONFIG = {
  cookies: [
    { domain: 'nobody.test' },
    { domain: 'example.com', portal_url: 'https://auth.example.com' },
    { domain: 'example.org', portal_url: 'https://auth.example.org:8443/base' },
    { domain: 'example.net', portal_url: 'https://auth.example.net' },
  ],
}

/** Sessions, and the hub over a store. */
function openHub(t: TestContext, once: OnceStore = createMemoryOnce(), secrets = [SECRET]) {
  const house = openHouse(t, { store: createMemoryStore(), config: CONFIG })
  const { sessions, clock } = house
  const hub = createHub({ config: {}, sessions, once, secrets, clock })
  assert.ok(hub)
  const [, com, org, net] = sessions.domains
  assert.ok(com && org && net)
  const member = (name: string): Member => {
    const found = hub.member(name)
    assert.ok(found)
    return found
  }
  return { house, hub, com, org, net, member, sessions, clock }
}

/** The browser's side of a transaction. */
function setOut(now: EpochMs) {
  const { stateHash, cookie } = beginTransaction(now)
  return { stateHash, pending: pendingTransactions(cookie.split(';', 1)[0]) }
}

const BROWSER = {
  ...{ address: '', userAgent: '', replaces: [] },
  confirmed: false,
  isForeign: async () => false,
}

suite('the hub', () => {
  test('is the first cookie domain that has a portal', (t) => {
    assert.equal(openHub(t).hub.hub.domain.domain, 'example.com')
  })

  test('is not there for fewer than two portals, nor when it is turned off', (t) => {
    const { sessions, clock } = openHouse(t, { store: createMemoryStore(), config: CONFIG })
    const options = { once: createMemoryOnce(), secrets: [SECRET], clock }
    assert.equal(createHub({ ...options, sessions, config: { enable: false } }), undefined)
    const domains = sessions.domains.slice(0, 2)
    const one = { domains, link: sessions.link }
    assert.equal(createHub({ ...options, sessions: one, config: { enable: true } }), undefined)
  })

  test('knows a portal by its host, whatever its port and path', (t) => {
    const { hub, org } = openHub(t)
    assert.equal(hub.memberAt(org, 'auth.example.org')?.domain, org)
    assert.equal(hub.memberAt(org, 'other.example.org'), undefined)
  })

  test('vouches for everybody, and others only for a fresh sign-in and to it', async (t) => {
    const { house, hub, member, org, sessions, clock } = openHub(t)
    const { stateHash } = setOut(clock.now())
    const [com, net] = [member('example.com'), member('example.net')]
    const session = async (domain: typeof org) => {
      const { id } = await house.signIn('alice', { domain })
      const found = (await sessions.list('alice')).find((one) => one.id === id)
      assert.ok(found)
      return found
    }
    const atHub = await session(com.domain)
    const atB = await session(org)
    assert.ok(await hub.vouch(atB, com, stateHash))
    assert.equal(await hub.vouch(atB, net, stateHash), undefined)
    assert.equal(await hub.vouch(atHub, com, stateHash), undefined)
    clock.advance(2 * MINUTE)
    assert.equal(await hub.vouch(atB, com, stateHash), undefined)
    assert.ok(await hub.vouch(atHub, net, stateHash))
    for (const state of ['', 'A'.repeat(42), `${'A'.repeat(42)}=`, 'A'.repeat(44)])
      assert.equal(await hub.vouch(atHub, net, state), undefined)
  })
})

suite('a code', () => {
  const issue = async (opened: ReturnType<typeof openHub>, to = 'example.org') => {
    const { house, hub, com, sessions, member, clock } = opened
    const { id, key } = await house.signIn('alice', { domain: com, remember: true })
    const session = (await sessions.list()).find((one) => one.id === id)
    assert.ok(session)
    const transaction = setOut(clock.now())
    const code = await hub.vouch(session, member(to), transaction.stateHash)
    assert.ok(code)
    return { code, key, ...transaction }
  }
  const accept = (
    hub: Hub,
    at: Member,
    { code, ...transaction }: Awaited<ReturnType<typeof issue>>,
  ) => hub.accept(code, { ...BROWSER, ...transaction, at })

  test('begins a linked session within thirty seconds, and none later', async (t) => {
    const opened = openHub(t)
    const { hub, member, clock } = opened
    const early = await issue(opened)
    clock.advance(30 * SECOND - 1)
    const started = await accept(hub, member('example.org'), early)
    assert.ok(started && started !== 'kept' && 'session' in started)
    assert.equal(started.session.user, 'alice')
    assert.equal(started.session.domain, 'example.org')
    assert.equal(started.session.remembered, true)
    const late = await issue(opened)
    clock.advance(30 * SECOND)
    assert.equal(await accept(hub, member('example.org'), late), undefined)
  })

  // Who had seen the state could sign a browser in as themselves for ten minutes.
  test('is worth nothing for a browser that set out more than a minute ago, however new it is', async (t) => {
    const opened = openHub(t)
    const { hub, house, com, sessions, member, clock } = opened
    const { id } = await house.signIn('mallory', { domain: com })
    const session = (await sessions.list()).find((one) => one.id === id)
    assert.ok(session)
    const org = member('example.org')
    for (const [wait, begins] of [
      [MINUTE - 1, true],
      [MINUTE, false],
    ] as const) {
      const victim = setOut(clock.now())
      clock.advance(wait)
      const code = await hub.vouch(session, org, victim.stateHash)
      assert.ok(code)
      const started = await accept(hub, org, { code, key: '', ...victim })
      assert.equal(started !== undefined, begins, `${wait}`)
    }
  })

  test("asks first where the browser is known to be another user's, and then holds for its answer", async (t) => {
    const opened = openHub(t)
    const { hub, member, clock } = opened
    const org = member('example.org')
    const asked: string[] = []
    const ask = async (confirmed: boolean, one: Awaited<ReturnType<typeof issue>>) =>
      hub.accept(one.code, {
        ...BROWSER,
        ...one,
        at: org,
        confirmed,
        isForeign: async (user) => asked.push(user) > 0,
      })
    const one = await issue(opened)
    const question = await ask(false, one)
    assert.ok(question && question !== 'kept' && 'code' in question)
    assert.equal(question.user, 'alice')
    assert.deepEqual(asked, ['alice'])
    assert.equal(await ask(true, await issue(opened)), undefined, 'no question was asked')
    const second = await ask(false, await issue(opened))
    assert.ok(second && second !== 'kept' && 'code' in second)
    assert.equal(await ask(false, { ...one, code: second.code }), undefined, 'by no link')
    clock.advance(4 * MINUTE)
    const started = await ask(true, { ...one, code: question.code })
    assert.ok(started && started !== 'kept' && 'session' in started)
    assert.equal(await ask(true, { ...one, code: question.code }), undefined, 'once')
  })

  test('is out of time by its own record too, whatever the store still holds', async (t) => {
    const forgetful = createMemoryOnce()
    const opened = openHub(t, { ...forgetful, take: (key) => forgetful.take(key, 0 as EpochMs) })
    const late = await issue(opened)
    opened.clock.advance(30 * SECOND)
    assert.equal(await accept(opened.hub, opened.member('example.org'), late), undefined)
  })

  test('is for one portal, one browser and one state', async (t) => {
    const opened = openHub(t)
    const { hub, member, clock } = opened
    const org = member('example.org')
    assert.equal(await accept(hub, member('example.net'), await issue(opened)), undefined)
    assert.equal(
      await accept(hub, org, { ...(await issue(opened)), ...setOut(clock.now()) }),
      undefined,
    )
    assert.equal(
      await accept(hub, org, {
        ...(await issue(opened)),
        stateHash: setOut(clock.now()).stateHash,
      }),
      undefined,
    )
    assert.equal(
      await accept(hub, org, { ...(await issue(opened)), pending: new Map() }),
      undefined,
    )
    const moved = { ...org, portalUrl: new URL('https://other.example.org/') }
    assert.equal(await accept(hub, moved, await issue(opened)), undefined, 'another origin')
    const forged = await issue(opened)
    const [name = ''] = forged.pending.keys()
    const swapped = { ...forged, pending: new Map([[name, 'A'.repeat(43)]]) }
    assert.equal(await accept(hub, org, swapped), undefined, 'the name alone is no state')
  })

  test('is one of fifty who show it at once', async (t) => {
    const opened = openHub(t)
    const one = await issue(opened)
    const org = opened.member('example.org')
    const all = await Promise.all(Array.from({ length: 50 }, () => accept(opened.hub, org, one)))
    assert.equal(all.filter((started) => started !== undefined).length, 1)
  })

  test('is worth nothing once its session ended, its user is gone, or its session is too old there', async (t) => {
    const opened = openHub(t)
    const { hub, house, sessions, member, clock } = opened
    const org = member('example.org')
    const ended = await issue(opened)
    await sessions.revoke(ended.key)
    assert.equal(await accept(hub, org, ended), undefined)
    const all = await issue(opened)
    await sessions.revokeUser('alice')
    assert.equal(await accept(hub, org, all), undefined)
    const disabled = await issue(opened)
    house.users.vanish('alice')
    assert.equal(await accept(hub, org, disabled), undefined)
    house.users.add('alice')
    const { key, ...old } = await issue(opened)
    clock.advance(30 * 24 * HOUR)
    assert.equal(await accept(hub, org, { key, ...old }), undefined)
  })

  test('is neither read from the store nor made by who can write to it', async (t) => {
    const rows = new Map<string, Uint8Array>()
    const once: OnceStore = {
      async put(key, sealed) {
        rows.set(key, sealed)
      },
      async take(key) {
        return rows.get(key)
      },
    }
    const opened = openHub(t, once)
    const { hub, member } = opened
    const org = member('example.org')
    const [mine, other] = [await issue(opened), await issue(opened)]
    const dump = [...rows].map(
      ([key, sealed]) => `${key} ${Buffer.from(sealed).toString('latin1')}`,
    )
    for (const secret of [mine.code, mine.key, mine.stateHash, 'example'])
      assert.ok(!dump.join().includes(secret))
    const [first, second] = [...rows.keys()]
    assert.ok(first && second)
    // The record of one under the key of the other, and one that somebody else sealed.
    rows.set(second, rows.get(first) ?? Buffer.of())
    assert.equal(await accept(hub, org, { ...other, ...mine, code: other.code }), undefined)
    const stranger = createHub({
      config: {},
      sessions: opened.sessions,
      once,
      secrets: [new Secret('another secret of somebody else')],
      clock: opened.clock,
    })
    assert.ok(stranger)
    assert.equal(await accept(stranger, org, mine), undefined)
  })

  test('is refused as unavailable when the store fails, and nobody is signed in', async (t) => {
    const failing: OnceStore = {
      put: () => Promise.reject(new Error('down')),
      take: () => Promise.reject(new Error('down')),
    }
    const { hub, house, com, sessions, member, clock } = openHub(t, failing)
    const { id } = await house.signIn('alice', { domain: com })
    const session = (await sessions.list()).find((one) => one.id === id)
    assert.ok(session)
    const { stateHash, pending } = setOut(clock.now())
    const org = member('example.org')
    const unavailable = { code: 'STORE_UNAVAILABLE' }
    await assert.rejects(hub.vouch(session, org, stateHash), unavailable)
    const back = { ...BROWSER, stateHash, pending, at: org }
    await assert.rejects(hub.accept('A'.repeat(43), back), unavailable)
    assert.equal(await hub.accept('no code at all', back), undefined)
  })
})

test('a header with a thousand transactions is read for sixteen', () => {
  const header = Array.from(
    { length: 1000 },
    () => beginTransaction(0 as EpochMs).cookie.split(';', 1)[0],
  ).join('; ')
  assert.equal(pendingTransactions(header).size, 16)
  assert.equal(pendingTransactions(undefined).size, 0)
  assert.equal(pendingTransactions('a=b; vestibule_session=x').size, 0)
})

suite('session.hub', () => {
  const warnings = (session: Record<string, unknown>, enable?: boolean): string[] => {
    const said: string[] = []
    manifest.check(
      { session: { same_site: 'lax', cookies: [], ...session }, 'session.hub': { enable } },
      { fault: assert.fail, warn: (_, message) => void said.push(message) },
      () => true,
    )
    return said
  }
  const portals = [
    { domain: 'a.test', portal_url: 'https://auth.a.test' },
    { domain: 'b.test', portal_url: 'https://auth.b.test' },
  ]

  test('says when it has no effect', () => {
    assert.match(String(warnings({ cookies: portals.slice(1) }, true)), /has no effect/)
    assert.deepEqual(warnings({ cookies: portals.slice(1) }), [])
    assert.deepEqual(warnings({ cookies: portals }, true), [])
  })

  test('says when the hub keeps its cookie to itself', () => {
    assert.match(String(warnings({ cookies: portals, same_site: 'strict' })), /cannot vouch/)
    assert.deepEqual(warnings({ cookies: portals, same_site: 'strict' }, false), [])
    const second = [portals[0], { ...portals[1], same_site: 'strict' }]
    assert.deepEqual(warnings({ cookies: second }), [])
  })
})
