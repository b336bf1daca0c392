import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import type { Identity, SessionStore } from '../../src/features/sessions/index.ts'
import { createRecords } from '../../src/features/sessions/record.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import { createSealer } from '../../src/kernel/seal.ts'
import {
  DAY,
  HOUR,
  type House,
  MINUTE,
  openHouse,
  SECRET,
  valueIn,
  watched,
} from '../sessions/house.ts'
import { FakeClock } from '../support/clock.ts'

const THREE_DOMAINS = {
  cookies: [
    { domain: 'example.com', portal_url: 'https://auth.example.com' },
    { domain: 'example.org', portal_url: 'https://auth.example.org' },
    { domain: 'example.net', portal_url: 'https://auth.example.net', expiration: '30m' },
  ],
}

/** What sessions of one sign-in promise, in every store. */
export function linkedSessionConformance(
  name: string,
  open: (t: TestContext, clock: Clock) => Promise<SessionStore>,
  { skip }: { readonly skip?: string | undefined } = {},
): void {
  const domainsOf = ({ sessions }: House) => {
    const [com, org, net] = sessions.domains
    assert.ok(com && org && net)
    return { com, org, net }
  }
  type Place = 'com' | 'org' | 'net'
  /** From one session to one of another domain. @returns its cookie's value; undefined when there is none */
  const link = async (
    house: House,
    source: string,
    to: Place,
    replaces: readonly string[] = [],
  ) => {
    const linked = await house.sessions.link({
      source,
      seenAt: house.clock.now(),
      domain: domainsOf(house)[to],
      address: '198.51.100.9',
      userAgent: 'Firefox',
      replaces,
    })
    if (linked === undefined || linked === 'kept') return undefined
    return { value: valueIn(linked.cookie), session: linked.session }
  }
  const at = async (house: House, place: Place, value: string): Promise<Identity | undefined> =>
    house.sessions.identify([value], domainsOf(house)[place])
  const nameAt = async (house: House, place: Place, value: string) =>
    (await at(house, place, value))?.profile.name
  const house = async (
    t: TestContext,
    config: Readonly<Record<string, unknown>> = THREE_DOMAINS,
  ) => {
    const clock = new FakeClock()
    return openHouse(t, { store: await open(t, clock), config, clock })
  }

  suite(`linked sessions in the ${name} store`, { skip: skip ?? false }, () => {
    test('are the same person with the same factors, and different cookies', async (t) => {
      const home = await house(t)
      const hub = await home.signIn('alice')
      home.clock.advance(MINUTE)
      const there = await link(home, hub.key, 'org')
      assert.ok(there)
      assert.notEqual(there.value, hub.value)
      assert.equal(await nameAt(home, 'org', there.value), 'alice')
      assert.equal(await nameAt(home, 'com', there.value), undefined)
      assert.equal(await nameAt(home, 'org', hub.value), undefined)
      assert.equal(there.session.login, hub.id)
      assert.deepEqual(there.session.factors, [{ kind: 'password', at: home.clock.now() - MINUTE }])
      assert.equal(there.session.createdAt, home.clock.now() - MINUTE)
      assert.equal(there.session.expiresAt, home.clock.now() - MINUTE + HOUR)
      assert.equal(there.session.userAgent, 'Firefox')
    })

    test('end together, whichever of them is ended and however', async (t) => {
      for (const how of ['cookie', 'id', 'user'] as const) {
        for (const which of [0, 1, 2] as const) {
          const home = await house(t)
          const { com, org, net } = domainsOf(home)
          const hub = await home.signIn('alice')
          const other = await home.signIn('alice')
          const [b, c] = [await link(home, hub.key, 'org'), await link(home, hub.key, 'net')]
          assert.ok(b && c)
          const value = [hub.value, b.value, c.value][which]
          const id = [hub.id, b.session.id, c.session.id][which]
          const domain = [com, org, net][which]
          assert.ok(value && id && domain)
          if (how === 'cookie') await home.sessions.end([value], domain)
          if (how === 'id')
            assert.deepEqual(
              [...(await home.sessions.revokeById(id))].sort(),
              [hub.id, b.session.id, c.session.id].sort(),
            )
          if (how === 'user') await home.sessions.revokeUser('alice')
          assert.equal(await nameAt(home, 'com', hub.value), undefined)
          assert.equal(await nameAt(home, 'org', b.value), undefined)
          assert.equal(await nameAt(home, 'net', c.value), undefined)
          assert.equal(await home.who(other.value), how === 'user' ? undefined : 'alice')
        }
      }
    })

    test('are not started from one that is over, unknown, or whose user is gone', async (t) => {
      const home = await house(t)
      assert.equal(await link(home, 'never', 'org'), undefined)
      const ended = await home.signIn('alice')
      await home.sessions.revoke(ended.key)
      assert.equal(await link(home, ended.key, 'org'), undefined)
      const disabled = await home.signIn('bob')
      home.users.vanish('bob')
      assert.equal(await link(home, disabled.key, 'org'), undefined)
      const old = await home.signIn('carol')
      home.clock.advance(HOUR)
      assert.equal(await link(home, old.key, 'org'), undefined)
      assert.deepEqual(await home.sessions.list(), [])
    })

    test('live no longer than one that was started by signing in there would', async (t) => {
      const home = await house(t)
      const hub = await home.signIn('alice', { remember: true })
      home.clock.advance(10 * DAY)
      const kept = await link(home, hub.key, 'org')
      assert.ok(kept)
      assert.equal(kept.session.remembered, true)
      home.clock.advance(20 * DAY - 1)
      assert.equal(await nameAt(home, 'org', kept.value), 'alice')
      home.clock.advance(1)
      assert.equal(await nameAt(home, 'org', kept.value), undefined)

      const short = await home.signIn('bob')
      for (let i = 0; i < 7; i++) {
        home.clock.advance(4 * MINUTE)
        assert.equal(await home.who(short.value), 'bob')
      }
      assert.ok(await link(home, short.key, 'net'), 'after 28 minutes')
      home.clock.advance(2 * MINUTE)
      assert.equal(await home.who(short.value), 'bob')
      assert.equal(await link(home, short.key, 'net'), undefined, 'after 30')
    })

    test('are remembered only where that is allowed', async (t) => {
      const home = await house(t, {
        cookies: [
          THREE_DOMAINS.cookies[0],
          { domain: 'example.org', remember_me: -1 },
          { domain: 'example.net' },
        ],
      })
      const hub = await home.signIn('alice', { remember: true })
      const off = await link(home, hub.key, 'org')
      assert.equal(off?.session.remembered, false)
      home.clock.advance(HOUR)
      assert.equal(await link(home, hub.key, 'org'), undefined)
      assert.ok(await link(home, hub.key, 'net'))
    })

    test('keep what the browser has already, and end what it had of somebody else everywhere', async (t) => {
      const home = await house(t)
      const { org } = domainsOf(home)
      const alice = await home.signIn('alice')
      const b = await link(home, alice.key, 'org')
      assert.ok(b)
      const again = await home.sessions.link({
        source: alice.key,
        seenAt: home.clock.now(),
        domain: org,
        address: '',
        userAgent: '',
        replaces: [b.value],
      })
      assert.equal(again, 'kept')
      assert.equal(await nameAt(home, 'org', b.value), 'alice')

      const bob = await home.signIn('bob')
      const bobsThird = await link(home, bob.key, 'net')
      assert.ok(bobsThird)
      const taken = await link(home, alice.key, 'net', [bobsThird.value])
      assert.ok(taken)
      assert.equal(await nameAt(home, 'net', taken.value), 'alice')
      assert.equal(await home.who(bob.value), undefined, 'one browser is one person')
    })

    test('stay linked when the same person signs in again, and end when somebody else does', async (t) => {
      const home = await house(t)
      const { org } = domainsOf(home)
      const hub = await home.signIn('alice')
      const b = await link(home, hub.key, 'org')
      assert.ok(b)
      const again = await home.signIn('alice', { domain: org, replaces: [b.value] })
      assert.equal(await nameAt(home, 'org', b.value), undefined, 'the id is another')
      assert.equal(await home.who(hub.value), 'alice')
      await home.sessions.end([again.value], org)
      assert.equal(await home.who(hub.value), undefined, 'and they still end together')

      const second = await home.signIn('alice')
      const there = await link(home, second.key, 'org')
      assert.ok(there)
      const bob = await home.signIn('bob', { domain: org, replaces: [there.value] })
      assert.equal(await home.who(second.value), undefined)
      assert.equal(await nameAt(home, 'org', bob.value), 'bob')
    })

    test('of fifty that start while their source is ended, none is left', async (t) => {
      const home = await house(t)
      const { com } = domainsOf(home)
      const hub = await home.signIn('alice')
      const linking = Array.from({ length: 50 }, (_, i) =>
        link(home, hub.key, i % 2 ? 'org' : 'net'),
      )
      const [, ...linked] = await Promise.all([home.sessions.end([hub.value], com), ...linking])
      for (const [i, one] of linked.entries())
        assert.equal(one && (await nameAt(home, i % 2 ? 'org' : 'net', one.value)), undefined)
      assert.deepEqual(await home.sessions.list('alice'), [])
    })

    test('that is stored only once its source has ended, ends itself', async (t) => {
      const clock = new FakeClock()
      const store = watched(await open(t, clock))
      const home = openHouse(t, { store, config: THREE_DOMAINS, clock })
      const { com } = domainsOf(home)
      const hub = await home.signIn('alice')
      const [putting, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      store.before = (name) => {
        if (name !== 'put') return
        putting.resolve()
        return gate.promise
      }
      const linking = link(home, hub.key, 'org')
      await putting.promise
      await home.sessions.end([hub.value], com)
      gate.resolve()
      assert.equal(await linking, undefined)
      assert.deepEqual(await home.sessions.list('alice'), [])
    })

    test('a record of before there were any is a sign-in of its own', async (t) => {
      const clock = new FakeClock()
      const store = await open(t, clock)
      const home = openHouse(t, { store, config: THREE_DOMAINS, clock })
      const { value, key, id } = await home.signIn('alice')
      const stored = await store.get(key)
      assert.ok(stored)
      const now = home.clock.now()
      // As version 1 wrote it.
      const old = [1, 'example.com', 'alice', ['password'], now, now + HOUR, 0, now, '', 'old']
      const place = `session/${key}/${id}/${stored.owner}`
      const sealed = createSealer([SECRET], 'session').seal(Buffer.from(JSON.stringify(old)), place)
      assert.deepEqual(await store.touch([{ ...stored, sealed }]), [])
      assert.equal(createRecords([SECRET]).open({ ...stored, sealed })?.login, id)
      const cold = openHouse(t, { store, clock: home.clock, users: home.users })
      assert.equal(await cold.who(value), 'alice')
    })
  })
}
