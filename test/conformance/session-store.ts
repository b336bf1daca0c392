import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SessionStore, StoredSession } from '../../src/features/sessions/index.ts'
import type { Clock, EpochMs } from '../../src/kernel/clock.ts'
import { Secret } from '../../src/kernel/secret.ts'
import {
  DAY,
  HOUR,
  type HouseOptions,
  MINUTE,
  openHouse as openHouseOf,
  SECOND,
  SECRET,
  TWO_DOMAINS,
} from '../sessions/house.ts'
import { FakeClock } from '../support/clock.ts'

export interface SuiteOptions {
  /** It forgets by a clock of its own, not when it is told to. */
  readonly forgets?: boolean
  readonly skip?: string | undefined
}

/**
 * What every session store must do, alone and under the sessions that live in it.
 * @param open an empty store, or a part of one that is the test's alone
 */
export function sessionStoreConformance(
  name: string,
  open: (t: TestContext, clock: Clock) => Promise<SessionStore>,
  { forgets = false, skip }: SuiteOptions = {},
): void {
  const fake = new FakeClock()
  const openHere = (t: TestContext) => open(t, fake)
  const openHouse = (t: TestContext, options: HouseOptions) =>
    openHouseOf(t, { clock: fake, ...options })
  const at = (ms: number) => (fake.now() + ms) as EpochMs // a time of the tests
  const row = (name: string, rest: Partial<StoredSession> = {}): StoredSession => ({
    key: `key-${name}`,
    id: `id-${name}`,
    owner: 'owner',
    sealed: Buffer.from(`sealed ${name} \0\xff`),
    expiresAt: at(60_000),
    ...rest,
  })
  const plain = (stored: StoredSession | undefined) =>
    stored && { ...stored, sealed: Buffer.from(stored.sealed).toString('hex') }

  suite(`the ${name} store keeps rows`, { skip }, () => {
    test('and gives back exactly what it was given, by key and by id', async (t) => {
      const store = await openHere(t)
      await store.put(row('a'), [])
      assert.deepEqual(plain(await store.get('key-a')), plain(row('a')))
      assert.deepEqual(plain(await store.findById('id-a')), plain(row('a')))
      assert.equal(await store.get('id-a'), undefined)
      assert.equal(await store.findById('key-a'), undefined)
    })

    test('and gives back many at once, of those that are there', async (t) => {
      const store = await openHere(t)
      for (const name of ['a', 'b', 'c']) await store.put(row(name), [])
      const keys = ['key-a', ...Array.from({ length: 300 }, (_, i) => `key-no-${i}`), 'key-c']
      const found = (await store.getMany(keys)).map(plain)
      const byKey = (a: { key: string } | undefined, b: { key: string } | undefined) =>
        (a?.key ?? '') < (b?.key ?? '') ? -1 : 1
      assert.deepEqual(found.sort(byKey), [plain(row('a')), plain(row('c'))])
      assert.deepEqual(await store.getMany([]), [])
    })

    test('and replaces in one step, whether what it replaces is there or not', async (t) => {
      const store = await openHere(t)
      await store.put(row('a'), [])
      await store.put(row('b'), ['key-a', 'key-never'])
      assert.equal(await store.get('key-a'), undefined)
      assert.equal(await store.findById('id-a'), undefined)
      assert.ok(await store.get('key-b'))
    })

    test('and rewrites only what is still there', async (t) => {
      const store = await openHere(t)
      await store.put(row('a'), [])
      const later = row('a', { sealed: Buffer.from('2'), owner: 'other', expiresAt: at(120_000) })
      assert.deepEqual(await store.touch([later, row('gone')]), ['key-gone'])
      assert.deepEqual(plain(await store.get('key-a')), plain(later))
      assert.equal(await store.get('key-gone'), undefined)
      assert.deepEqual(await store.list(['owner'], 10), [])
      assert.equal((await store.list(['other'], 10)).length, 1)
    })

    test('and says how many it removed', async (t) => {
      const store = await openHere(t)
      await store.put(row('a'), [])
      await store.put(row('b'), [])
      await store.put(row('c', { owner: 'other' }), [])
      assert.equal(await store.delete(['key-a', 'key-never']), 1)
      assert.equal(await store.delete(['key-a']), 0)
      assert.equal(await store.deleteOwned(['owner', 'nobody']), 1)
      assert.ok(await store.get('key-c'))
    })

    test('and lists those of an owner, of several, or all, up to a limit', async (t) => {
      const store = await openHere(t)
      for (const [name, owner] of [
        ['a', 'x'],
        ['b', 'y'],
        ['c', 'y'],
        ['d', 'z'],
      ] as const)
        await store.put(row(name, { owner }), [])
      const ids = async (owners: readonly string[] | undefined, limit: number) =>
        (await store.list(owners, limit)).map(({ id }) => id).sort()
      assert.deepEqual(await ids(['y'], 10), ['id-b', 'id-c'])
      assert.deepEqual(await ids(['x', 'z'], 10), ['id-a', 'id-d'])
      assert.deepEqual(await ids([], 10), [])
      assert.deepEqual(await ids(undefined, 10), ['id-a', 'id-b', 'id-c', 'id-d'])
      assert.equal((await ids(undefined, 3)).length, 3)
      assert.equal((await ids(['y', 'z'], 2)).length, 2)
    })

    test('and forgets what is over, and nothing else', async (t) => {
      const store = await openHere(t)
      const over = forgets ? 100 : -1
      for (const i of [1, 2, 3]) await store.put(row(`${i}`, { expiresAt: at(over) }), [])
      for (const i of [4, 5]) await store.put(row(`${i}`), [])
      const left = async () => (await store.list(undefined, 10)).map(({ id }) => id).sort()
      if (forgets) while ((await left()).length > 2) await sleep(20)
      else {
        assert.equal(await store.sweep(fake.now(), 2), 2, 'a bounded number at a time')
        assert.equal(await store.sweep(fake.now(), 2), 1)
      }
      assert.equal(await store.sweep(fake.now(), 2), 0)
      assert.deepEqual(await left(), ['id-4', 'id-5'])
      assert.equal(await store.get('key-1'), undefined)
      assert.equal(await store.findById('id-1'), undefined)
      assert.deepEqual((await store.list(['owner'], 10)).length, 2)
    })
  })

  suite(`a session in the ${name} store`, { skip }, () => {
    test('belongs to who started it, and to nobody without its cookie', async (t) => {
      const house = openHouse(t, { store: await openHere(t) })
      const { value, key, id } = await house.signIn('alice')
      assert.match(value, /^[A-Za-z0-9_-]{43}$/)
      assert.equal(await house.who(value), 'alice')
      for (const other of ['', key, id, value.slice(1), `${value}A`, 'A'.repeat(43)])
        assert.equal(await house.who(other), undefined, other)
    })

    test('is still there after a restart, with its last use', async (t) => {
      const store = await openHere(t)
      const before = openHouse(t, { store })
      const { value } = await before.signIn('alice')
      before.clock.advance(4 * MINUTE)
      assert.equal(await before.who(value), 'alice')
      await before.sessions.close()
      const after = openHouse(t, { store, clock: before.clock, users: before.users })
      after.clock.advance(4 * MINUTE)
      assert.equal(await after.who(value), 'alice')
    })

    test('never takes over an id that was known before the sign-in (advisory 12)', async (t) => {
      const house = openHouse(t, { store: await openHere(t) })
      const planted = 'A'.repeat(43)
      const first = await house.signIn('mallory')
      const second = await house.signIn('alice', { replaces: [planted, first.value, 'garbage'] })
      assert.notEqual(second.value, first.value)
      assert.notEqual(second.id, first.id)
      assert.equal(await house.who(second.value), 'alice')
      assert.equal(await house.who(first.value), undefined)
      assert.equal(await house.who(planted), undefined)
      assert.deepEqual(
        (await house.sessions.list()).map(({ id }) => id),
        [second.id],
      )
    })

    test('ends at its absolute expiration, however much it is used', async (t) => {
      const store = await openHere(t)
      const house = openHouse(t, { store })
      const { value, key } = await house.signIn('alice')
      for (let minute = 0; minute < 57; minute += 3) {
        house.clock.advance(3 * MINUTE)
        assert.equal(await house.who(value), 'alice')
      }
      house.clock.advance(3 * MINUTE - 1)
      assert.equal(await house.who(value), 'alice')
      house.clock.advance(1)
      assert.equal(await house.who(value), undefined)
      await house.sessions.close()
      assert.equal(await store.get(key), undefined, 'destroyed at its next use')
    })

    test('ends when it was not used for longer than the inactivity limit', async (t) => {
      const store = await openHere(t)
      const house = openHouse(t, { store })
      const { value, key } = await house.signIn('alice')
      house.clock.advance(5 * MINUTE)
      assert.equal(await house.who(value), 'alice')
      house.clock.advance(5 * MINUTE + 1)
      assert.equal(await house.who(value), undefined)
      await house.sessions.close()
      assert.equal(await store.get(key), undefined, 'destroyed at its next use')
    })

    test('that is looked up anew is held to the same limits', async (t) => {
      for (const wait of [5 * MINUTE + 1, HOUR]) {
        const store = await openHere(t)
        const house = openHouse(t, { store })
        const { value, key } = await house.signIn('alice')
        house.clock.advance(wait)
        const { clock, users } = house
        const cold = openHouse(t, { store, clock, users })
        assert.equal(await cold.who(value), undefined)
        await cold.sessions.close()
        assert.equal(await store.get(key), undefined)
      }
    })

    test('that is remembered has no inactivity limit, and ends after remember_me', async (t) => {
      const house = openHouse(t, { store: await openHere(t) })
      const { value } = await house.signIn('alice', { remember: true })
      house.clock.advance(29 * DAY)
      assert.equal(await house.who(value), 'alice')
      house.clock.advance(DAY - 1)
      assert.equal(await house.who(value), 'alice')
      house.clock.advance(1)
      assert.equal(await house.who(value), undefined)
    })

    test('cannot be remembered where remember_me is off', async (t) => {
      const house = openHouse(t, {
        store: await openHere(t),
        config: { ...TWO_DOMAINS, remember_me: -1 },
      })
      const { value } = await house.signIn('alice', { remember: true })
      house.clock.advance(5 * MINUTE)
      assert.equal(await house.who(value), 'alice', 'a session like any other')
      house.clock.advance(5 * MINUTE + 1)
      assert.equal(await house.who(value), undefined)
    })

    test('knows no inactivity limit where it is 0', async (t) => {
      const house = openHouse(t, {
        store: await openHere(t),
        config: { ...TWO_DOMAINS, inactivity: 0 },
      })
      const { value } = await house.signIn('alice')
      house.clock.advance(HOUR - 1)
      assert.equal(await house.who(value), 'alice')
    })

    test('lives by the limits of its own domain', async (t) => {
      const house = openHouse(t, {
        store: await openHere(t),
        config: {
          cookies: [
            { domain: 'example.com', inactivity: '1m' },
            { domain: 'example.org', inactivity: '10m' },
          ],
        },
      })
      const [, org] = house.sessions.domains
      assert.ok(org)
      const short = await house.signIn('alice')
      const long = await house.signIn('alice', { domain: org })
      house.clock.advance(2 * MINUTE)
      assert.equal(await house.who(short.value), undefined)
      assert.equal((await house.sessions.identify([long.value], org))?.profile.name, 'alice')
    })

    test('is never honoured for another domain, and is not ended there', async (t) => {
      const house = openHouse(t, { store: await openHere(t) })
      const [com, org] = house.sessions.domains
      assert.ok(com && org)
      const { value } = await house.signIn('alice', { domain: com })
      assert.equal(await house.sessions.identify([value], org), undefined)
      assert.equal((await house.sessions.identify([value], com))?.profile.name, 'alice')
    })

    test('that was revoked is dead, here and after a restart', async (t) => {
      const store = await openHere(t)
      const house = openHouse(t, { store })
      const [byKey, byId, kept] = [
        await house.signIn('alice'),
        await house.signIn('alice'),
        await house.signIn('alice'),
      ]
      await house.sessions.revoke(byKey.key)
      assert.deepEqual(await house.sessions.revokeById(byId.id), [byId.id])
      assert.deepEqual(await house.sessions.revokeById(byId.id), [])
      assert.deepEqual(await house.sessions.revokeById('never'), [])
      for (const one of [house, openHouse(t, { store, clock: house.clock, users: house.users })]) {
        assert.equal(await one.who(byKey.value), undefined)
        assert.equal(await one.who(byId.value), undefined)
        assert.equal(await one.who(kept.value), 'alice')
      }
    })

    test('does not come back through a last use that is written after its revocation', async (t) => {
      const store = await openHere(t)
      const house = openHouse(t, { store })
      const other = openHouse(t, { store, clock: house.clock, users: house.users })
      const { value, key } = await house.signIn('alice')
      house.clock.advance(SECOND)
      assert.equal(await house.who(value), 'alice')
      await other.sessions.revoke(key)
      await house.sessions.close()
      assert.equal(await store.get(key), undefined)
      assert.equal(await house.who(value), undefined, 'the write showed that it is gone')
    })

    test('ends with all of its user, in every domain, and nobody else is touched', async (t) => {
      const house = openHouse(t, { store: await openHere(t) })
      const [, org] = house.sessions.domains
      assert.ok(org)
      const here = await house.signIn('alice')
      const there = await house.signIn('alice', { domain: org })
      const bob = await house.signIn('bob')
      assert.equal(await house.sessions.revokeUser('alice'), 2)
      assert.equal(await house.sessions.revokeUser('alice'), 0)
      assert.equal(await house.who(here.value), undefined)
      assert.equal(await house.sessions.identify([there.value], org), undefined)
      assert.equal(await house.who(bob.value), 'bob')
    })

    test('is listed while it lives: whose, since when, from where, last seen; newest first', async (t) => {
      const store = await openHere(t)
      const house = openHouse(t, { store })
      const first = await house.signIn('alice', { address: '192.0.2.1', userAgent: 'Firefox' })
      house.clock.advance(MINUTE)
      const second = await house.signIn('alice', { remember: true })
      const bob = await house.signIn('bob')
      house.clock.advance(MINUTE)
      await house.who(first.value)
      const ids = async (user?: string) => (await house.sessions.list(user)).map(({ id }) => id)
      assert.deepEqual(await ids('alice'), [second.id, first.id])
      assert.deepEqual((await ids()).sort(), [first.id, second.id, bob.id].sort())
      assert.deepEqual(await ids('carol'), [])
      const [, listed] = await house.sessions.list('alice')
      const now = house.clock.now()
      assert.deepEqual(listed, {
        id: first.id,
        key: first.key,
        domain: 'example.com',
        login: first.id,
        user: 'alice',
        factors: [{ kind: 'password', at: now - 2 * MINUTE }],
        createdAt: now - 2 * MINUTE,
        expiresAt: now - 2 * MINUTE + HOUR,
        remembered: false,
        address: '192.0.2.1',
        userAgent: 'Firefox',
        elevatedUntil: undefined,
        lastSeen: now,
      })
      house.clock.advance(5 * MINUTE + 1)
      assert.deepEqual(await ids(), [second.id], 'what is over is not listed')
    })

    // Only the first five values were ended: five planted cookies in front kept the session alive.
    test('ends when its owner signs out or in, however many values stand in front of its own', async (t) => {
      for (const how of ['out', 'in'] as const) {
        const store = await openHere(t)
        const house = openHouse(t, { store })
        const cold = openHouse(t, { store, clock: house.clock, users: house.users })
        const planted = Array.from({ length: 1400 }, (_, i) => `${i}`.padStart(43, 'P'))
        const [mine, other] = [await house.signIn('alice'), await house.signIn('alice')]
        const values = [...planted, mine.value, 'garbage', ...planted, other.value, mine.value]
        if (how === 'in') await house.signIn('alice', { replaces: values })
        else {
          const ended = await house.sessions.end(values, house.domain)
          assert.deepEqual(ended.map(({ id }) => id).sort(), [mine.id, other.id].sort())
          assert.deepEqual(await house.sessions.end(values, house.domain), [])
        }
        for (const one of [house, cold])
          for (const { value } of [mine, other]) assert.equal(await one.who(value), undefined, how)
      }
    })

    // What SECURITY.md says of rows that are put back: no more than this, and no less.
    test('that is put back after its end counts again, until its absolute end at the latest', async (t) => {
      const store = await openHere(t)
      const house = openHouse(t, { store })
      const { value, key } = await house.signIn('alice', { remember: true })
      const row = await store.get(key)
      assert.ok(row)
      await house.sessions.end([value], house.domain)
      assert.equal(await house.who(value), undefined)
      await store.put(row, [])
      assert.equal(await house.who(value), 'alice')
      house.clock.advance(30 * DAY)
      await store.delete([key])
      await store.put({ ...row, expiresAt: at(DAY) }, [])
      const { clock, users } = house
      const cold = openHouse(t, { store, clock, users })
      assert.equal(await cold.who(value), undefined, 'the record says when it ends')
    })

    test('that cannot be read now ends too when its cookie signs out, and does not come back', async (t) => {
      const store = await openHere(t)
      const house = openHouse(t, { store })
      const { value } = await house.signIn('alice')
      const { clock, users, domain } = house
      const mistaken = openHouse(t, {
        store,
        clock,
        users,
        secrets: [new Secret('another secret of the tests, by mistake')],
      })
      assert.deepEqual(await mistaken.sessions.end([value], domain), [])
      const again = openHouse(t, { store, clock, users })
      assert.equal(await again.who(value), undefined)
    })

    test('is the right one of fifty that start and are asked for at once (advisory 34)', async (t) => {
      const store = await openHere(t)
      const house = openHouse(t, { store })
      const names = Array.from({ length: 50 }, (_, i) => `user-${i}`)
      const started = await Promise.all(names.map((name) => house.signIn(name)))
      assert.equal(new Set(started.map(({ value }) => value)).size, 50)
      const cold = openHouse(t, { store, clock: house.clock, users: house.users })
      for (const one of [house, cold]) {
        assert.deepEqual(await Promise.all(started.map(({ value }) => one.who(value))), names)
      }
    })
  })

  suite(`a record in the ${name} store`, { skip }, () => {
    /** Signs alice in, lets the test change what is stored, and asks who it is after a restart. */
    const spoilt = async (
      t: TestContext,
      change: (stored: StoredSession, store: SessionStore) => Promise<unknown>,
    ) => {
      const store = await openHere(t)
      const house = openHouse(t, { store })
      const { value, key } = await house.signIn('alice')
      const bob = await house.signIn('bob')
      const stored = await store.get(key)
      assert.ok(stored)
      await change(stored, store)
      const cold = openHouse(t, { store, clock: house.clock, users: house.users })
      return { cold, value, key, store, bob }
    }

    test('that was tampered with is no session, whichever byte it was; it is said once', async (t) => {
      const probe = await spoilt(t, async () => {})
      const length = (await probe.store.get(probe.key))?.sealed.length ?? 0
      assert.ok(length > 50)
      for (const at of [0, 1, 12, 13, 40, length - 17, length - 16, length - 1]) {
        const { cold, value, key, store, bob } = await spoilt(t, (stored, store) => {
          const sealed = Buffer.from(stored.sealed)
          sealed[at] = (sealed[at] ?? 0) ^ 1
          return store.touch([{ ...stored, sealed }])
        })
        assert.equal(await cold.who(value), undefined, `byte ${at}`)
        assert.equal(await cold.who(value), undefined)
        assert.equal(await cold.who(bob.value), 'bob')
        assert.equal(cold.said.length, 1)
        assert.ok(await store.get(key), 'it stays: the fault may be ours')
      }
    })

    test('that was truncated or emptied is no session', async (t) => {
      for (const length of [0, 1, 12, 28, 29, 60]) {
        const { cold, value } = await spoilt(t, (stored, store) =>
          store.touch([{ ...stored, sealed: stored.sealed.subarray(0, length) }]),
        )
        assert.equal(await cold.who(value), undefined, `${length} bytes`)
      }
    })

    test("that was put in another's place is no session", async (t) => {
      const store = await openHere(t)
      const house = openHouse(t, { store })
      const admin = await house.signIn('admin')
      const mallory = await house.signIn('mallory')
      const [from, to] = [await store.get(admin.key), await store.get(mallory.key)]
      assert.ok(from && to)
      await store.touch([{ ...to, sealed: from.sealed }])
      const cold = openHouse(t, { store, clock: house.clock, users: house.users })
      assert.equal(await cold.who(mallory.value), undefined)
      assert.equal(await cold.who(admin.value), 'admin')
    })

    test('that was replayed under a key of the attacker is no session', async (t) => {
      const { cold, store, key } = await spoilt(t, async () => {})
      const stored = await store.get(key)
      assert.ok(stored)
      const { keyOf } = await import('../../src/features/sessions/credential.ts')
      const mine = 'M'.repeat(43)
      await store.put({ ...stored, key: keyOf(mine), id: 'another' }, [])
      assert.equal(await cold.who(mine), undefined)
    })

    test('whose index was moved, so that revoking its user would miss it, is no session', async (t) => {
      const { cold, value } = await spoilt(t, (stored, store) =>
        store.touch([{ ...stored, owner: 'somebody else' }]),
      )
      assert.equal(await cold.who(value), undefined)
    })

    test('says nothing in clear and can be sent as nothing', async (t) => {
      const store = await openHere(t)
      const house = openHouse(t, { store })
      const { value } = await house.signIn('alice', { userAgent: 'Firefox/128' })
      const again = await house.signIn('alice')
      const rows = await store.list(undefined, 10)
      for (const { key, id, owner, sealed } of rows) {
        const text = [key, id, owner, Buffer.from(sealed).toString('latin1')].join('\n')
        for (const secret of ['alice', '198.51.100.7', 'Firefox', 'example', value, again.value])
          assert.ok(!text.includes(secret), secret)
        for (const sent of [key, id, owner, Buffer.from(sealed).toString('base64url')])
          assert.equal(await house.who(sent), undefined)
      }
      const [one, other] = rows
      assert.equal(one?.owner, other?.owner, 'an index that finds both')
    })

    test('outlives a change of the secret for as long as the old one is in the list', async (t) => {
      const store = await openHere(t)
      const next = new Secret('another secret, just as long as it')
      const old = openHouse(t, { store })
      const { clock, users } = old
      const before = await old.signIn('alice', { remember: true })
      const asleep = await old.signIn('alice', { remember: true })

      const both = openHouse(t, { store, clock, users, secrets: [next, SECRET] })
      const after = await both.signIn('alice', { remember: true })
      clock.advance(SECOND)
      assert.equal(await both.who(before.value), 'alice')
      assert.equal(await both.who(after.value), 'alice')
      assert.equal((await both.sessions.list('alice')).length, 3, 'found under either secret')
      await both.sessions.close()

      const only = openHouse(t, { store, clock, users, secrets: [next] })
      assert.equal(await only.who(asleep.value), undefined, 'sealed with the old one alone')
      assert.equal(await only.who(after.value), 'alice')
      assert.equal(await only.who(before.value), 'alice', 'sealed anew when it was used')
      assert.equal(await only.sessions.revokeUser('alice'), 2, 'and its index with it')
      assert.equal(await only.who(before.value), undefined)

      const wrong = openHouse(t, { store, clock, users, secrets: [new Secret('a wrong one')] })
      assert.equal(await wrong.who(asleep.value), undefined)
      const back = openHouse(t, { store, clock, users })
      assert.equal(await back.who(asleep.value), 'alice', 'the right one brings it back')
    })

    test('of a user is revoked under every secret of the list', async (t) => {
      const store = await openHere(t)
      const old = openHouse(t, { store })
      const { clock, users } = old
      const before = await old.signIn('alice')
      const both = openHouse(t, { store, clock, users, secrets: [new Secret('new'), SECRET] })
      const after = await both.signIn('alice')
      assert.equal(await both.sessions.revokeUser('alice'), 2)
      assert.equal(await both.who(before.value), undefined)
      assert.equal(await both.who(after.value), undefined)
    })
  })
}
