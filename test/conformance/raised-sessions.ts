import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import {
  type Identity,
  levelOf,
  type SessionStore,
  type Started,
  type StoredSession,
} from '../../src/features/sessions/index.ts'
import type { Clock, EpochMs } from '../../src/kernel/clock.ts'
import { Secret } from '../../src/kernel/secret.ts'
import { HOUR, type House, MINUTE, openHouse, SECRET, valueIn, watched } from '../sessions/house.ts'
import { FakeClock } from '../support/clock.ts'

const DOMAINS = {
  cookies: [
    { domain: 'example.com', portal_url: 'https://auth.example.com' },
    { domain: 'example.org', portal_url: 'https://auth.example.org' },
  ],
}
const ONE_DOMAIN = { cookies: DOMAINS.cookies.slice(0, 1) }

/** What sessions that gain a factor or an elevation promise, in every store. */
export function raisedSessionConformance(
  name: string,
  open: (t: TestContext, clock: Clock) => Promise<SessionStore>,
  { skip }: { readonly skip?: string | undefined } = {},
): void {
  const openOver = async (t: TestContext, config: typeof DOMAINS = DOMAINS) => {
    const clock = new FakeClock()
    const store = watched(await open(t, clock))
    return { ...openHouse(t, { store, config, clock }), store }
  }
  const identityOf = async (
    { sessions }: House,
    started: Pick<Started, 'cookie'> | string,
    place: 0 | 1 = 0,
  ): Promise<Identity | undefined> => {
    const domain = sessions.domains[place]
    assert.ok(domain)
    return sessions.identify(
      [typeof started === 'string' ? started : valueIn(started.cookie)],
      domain,
    )
  }
  const link = async ({ sessions, clock }: House, source: string) => {
    const domain = sessions.domains[1]
    assert.ok(domain)
    const browser = { address: '198.51.100.9', userAgent: 'Firefox', replaces: [] }
    const linked = await sessions.link({ source, seenAt: clock.now(), domain, ...browser })
    assert.notEqual(linked, 'kept')
    return linked === 'kept' ? undefined : linked
  }
  const row = (name: string, clock: Clock): StoredSession => ({
    key: `key-${name}`,
    id: `id-${name}`,
    owner: 'owner',
    sealed: Buffer.from(`sealed ${name}`),
    expiresAt: (clock.now() + MINUTE) as EpochMs, // a time of the tests
  })
  /** What of these can be used, and what the store still lists. */
  const living = async (house: House, started: readonly (Started | undefined)[]) => {
    const used = await Promise.all(started.map((one) => one && identityOf(house, one)))
    return {
      used: used.filter((identity) => identity !== undefined).length,
      listed: (await house.sessions.list('alice')).length,
    }
  }

  suite(`the ${name} store replaces rows`, { skip: skip ?? false }, () => {
    test('that are there, and no others', async (t) => {
      const clock = new FakeClock()
      const store = await open(t, clock)
      await store.put(row('a', clock), [])
      assert.equal(await store.replace(row('b', clock), 'key-a'), true)
      assert.equal(await store.get('key-a'), undefined)
      assert.equal(await store.findById('id-a'), undefined)
      assert.equal((await store.get('key-b'))?.id, 'id-b')
      const sealed = (rows: readonly StoredSession[]) =>
        rows.map((one) => `${one.id} ${Buffer.from(one.sealed)}`)
      assert.deepEqual(sealed(await store.replaced({ keys: ['key-b', 'key-a'] })), [
        'id-a sealed a',
      ])
      assert.deepEqual(sealed(await store.replaced({ id: 'id-a' })), ['id-a sealed a'])
      assert.deepEqual(await store.replaced({ id: 'id-b' }), [])
      assert.equal(await store.replace(row('c', clock), 'key-a'), false)
      assert.equal(await store.get('key-c'), undefined)
      assert.equal(await store.findById('id-c'), undefined)
      assert.deepEqual(
        (await store.list(['owner'], 10)).map(({ id }) => id),
        ['id-b'],
      )
    })

    test('once, however many want to at the same time', async (t) => {
      const clock = new FakeClock()
      const store = await open(t, clock)
      await store.put(row('a', clock), [])
      const rows = Array.from({ length: 20 }, (_, i) => row(`${i}`, clock))
      const done = await Promise.all(rows.map((one) => store.replace(one, 'key-a')))
      assert.equal(done.filter(Boolean).length, 1)
      const winner = rows[done.indexOf(true)]
      assert.deepEqual(
        (await store.list(undefined, 30)).map(({ id }) => id),
        [winner?.id],
      )
    })
  })

  suite(`the ${name} store replaces rows and ends them`, { skip: skip ?? false }, () => {
    for (const what of ['the one', 'all of its owner'] as const)
      test(`at once: none is left when ${what} ends`, async (t) => {
        const clock = new FakeClock()
        const store = await open(t, clock)
        for (let i = 0; i < 60; i++) {
          const owner = `owner-${i}`
          const [old, next] = ['a', 'b'].map((letter) => ({
            ...row(`${letter}${i}`, clock),
            owner,
          }))
          assert.ok(old && next)
          await store.put(old, [])
          const end = async () => {
            if (what === 'all of its owner') return store.deleteOwned([owner])
            // Where another call took it away first, nothing of it may be left to take.
            return store.delete([old.key])
          }
          const ended = i % 2 ? end() : undefined
          const [replaced, count] = await Promise.all([
            store.replace(next, old.key),
            ended ?? end(),
          ])
          if (what === 'the one') assert.equal(count, replaced ? 0 : 1)
          else assert.equal(await store.get(next.key), undefined, `round ${i}`)
          assert.equal(await store.get(old.key), undefined)
          if (!replaced) assert.equal(await store.get(next.key), undefined)
        }
      })
  })

  suite(`a session that gains a factor in the ${name} store`, { skip: skip ?? false }, () => {
    test('is another one with the same limits; the old cookie is worth nothing', async (t) => {
      const house = await openOver(t)
      const old = await house.signIn('alice')
      const before = (await identityOf(house, old.value))?.session
      assert.ok(before)
      house.clock.advance(MINUTE)
      const now = house.clock.now()
      const raised = await house.sessions.raise({ key: old.key, factor: 'totp' })
      assert.ok(raised)
      const { session } = raised
      for (const key of ['id', 'key'] as const) assert.notEqual(session[key], before[key])
      assert.notEqual(valueIn(raised.cookie), old.value)
      assert.deepEqual(session, {
        ...before,
        id: session.id,
        key: session.key,
        factors: [
          { kind: 'password', at: now - MINUTE },
          { kind: 'totp', at: now },
        ],
        lastSeen: now,
      })
      assert.equal(await house.who(old.value), undefined)
      const identity = await identityOf(house, raised)
      assert.equal(identity && levelOf(identity.session), 2)
      assert.deepEqual(await living(house, [raised]), { used: 1, listed: 1 })
      const cold = openHouse(t, { ...house, config: DOMAINS })
      assert.equal(await cold.who(old.value), undefined)
      assert.deepEqual((await identityOf(cold, raised))?.session, session, 'after a restart too')
    })

    test('notes the new time of one that was shown before, with a new cookie too', async (t) => {
      const house = await openOver(t)
      const old = await house.signIn('alice')
      house.clock.advance(MINUTE)
      const again = await house.sessions.raise({ key: old.key, factor: 'password' })
      assert.deepEqual(again?.session.factors, [{ kind: 'password', at: house.clock.now() }])
      assert.equal(again.session.createdAt, house.clock.now() - MINUTE, 'and lives no longer')
      assert.equal(await house.who(old.value), undefined)
      assert.equal(levelOf(again.session), 1)
    })

    test('ends what is linked with it, which starts anew with all factors', async (t) => {
      const house = await openOver(t)
      const old = await house.signIn('alice')
      const other = await house.signIn('alice')
      const there = await link(house, old.key)
      assert.ok(there)
      const raised = await house.sessions.raise({ key: old.key, factor: 'webauthn' })
      assert.ok(raised)
      assert.equal(await identityOf(house, there, 1), undefined)
      assert.equal(await link(house, old.key), undefined, 'the old one vouches for nothing')
      const anew = await link(house, raised.session.key)
      assert.ok(anew)
      assert.equal(levelOf(anew.session), 2)
      assert.deepEqual(anew.session.factors, raised.session.factors)
      assert.equal(anew.session.login, old.id)
      assert.equal(await house.who(other.value), 'alice', 'another sign-in is not touched')
      await house.sessions.end([valueIn(raised.cookie)], house.domain)
      assert.equal(await identityOf(house, anew, 1), undefined, 'they end together')
    })

    test('gains nothing when it is over, unknown, or its user is gone', async (t) => {
      const house = await openOver(t)
      const raise = (key: string) => house.sessions.raise({ key, factor: 'totp' })
      assert.equal(await raise('never'), undefined)
      const ended = await house.signIn('alice')
      await house.sessions.end([ended.value], house.domain)
      assert.equal(await raise(ended.key), undefined)
      const disabled = await house.signIn('bob')
      house.users.vanish('bob')
      assert.equal(await raise(disabled.key), undefined)
      const idle = await house.signIn('carol')
      house.clock.advance(5 * MINUTE + 1)
      assert.equal(await raise(idle.key), undefined)
      assert.deepEqual(await house.sessions.list(), [])
    })

    test('of twenty at once one succeeds, and one session lives', async (t) => {
      for (const config of [DOMAINS, ONE_DOMAIN]) {
        const house = await openOver(t, config)
        const old = await house.signIn('alice')
        const raised = await Promise.all(
          Array.from({ length: 20 }, (_, i) =>
            i % 2
              ? house.sessions.raise({ key: old.key, factor: 'totp' })
              : house.sessions.elevate({
                  key: old.key,
                  until: (house.clock.now() + MINUTE) as EpochMs,
                }),
          ),
        )
        assert.equal(raised.filter((one) => one !== undefined).length, 1)
        assert.deepEqual(await living(house, raised), { used: 1, listed: 1 })
        assert.equal(await house.who(old.value), undefined)
      }
    })

    test('at two linked ones at once, at most one lives', async (t) => {
      const house = await openOver(t)
      const old = await house.signIn('alice')
      const there = await link(house, old.key)
      assert.ok(there)
      await Promise.all(
        [old.key, there.session.key].map((key) => house.sessions.raise({ key, factor: 'totp' })),
      )
      assert.ok((await house.sessions.list('alice')).length <= 1)
      assert.equal(await house.who(old.value), undefined)
      assert.equal(await identityOf(house, there, 1), undefined)
    })

    const ENDINGS: Readonly<
      Record<string, (house: House, old: { value: string; key: string; id: string }) => unknown>
    > = {
      'its cookie signs out': (house, { value }) => house.sessions.end([value], house.domain),
      'it is revoked': (house, { id }) => house.sessions.revokeById(id),
      'all of its user are revoked': (house) => house.sessions.revokeUser('alice'),
      'its user is removed': (house) => house.users.remove('alice'),
      'its user is changed': (house) => house.users.tellRemoved('alice'),
    }
    for (const [what, end] of Object.entries(ENDINGS)) {
      // The raise stops at a call to the store, the ending runs to its end meanwhile.
      for (const [when, call] of [
        ['before', 'replace'],
        ['after', 'replace'],
      ] as const)
        test(`is over when ${what} just ${when} it is stored`, async (t) => {
          for (const config of [DOMAINS, ONE_DOMAIN]) {
            const house = await openOver(t, config)
            const old = await house.signIn('alice')
            const [there, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
            house.store[when] = (name) => {
              if (name !== call) return
              there.resolve()
              return gate.promise
            }
            // Known before: an ending by id or cookie has read the session when it is replaced.
            const raising = house.sessions.raise({ key: old.key, factor: 'totp' })
            await there.promise
            await end(house, old)
            gate.resolve()
            assert.deepEqual(await living(house, [await raising]), { used: 0, listed: 0 })
            assert.equal(await house.who(old.value), undefined)
          }
        })

      test(`is over when ${what} at the same moment, or never began`, async (t) => {
        for (const config of [DOMAINS, ONE_DOMAIN]) {
          const house = await openOver(t, config)
          for (let i = 0; i < 10; i++) {
            const old = await house.signIn('alice')
            // The ending first: in most rounds it has read the session when the raise takes it away.
            const ending = end(house, old)
            const raising = house.sessions.raise({ key: old.key, factor: 'totp' })
            const [raised] = await Promise.all([raising, ending])
            await house.sessions.list()
            assert.equal((await living(house, [raised])).used, 0)
            assert.equal(await house.who(old.value), undefined)
          }
        }
      })
    }

    for (const what of ['its cookie signs out', 'it is revoked'])
      test(`is over when ${what} that was sent before it had risen, as often as it rose`, async (t) => {
        for (const config of [DOMAINS, ONE_DOMAIN]) {
          const house = await openOver(t, config)
          const old = await house.signIn('alice')
          const raised = await house.sessions.raise({ key: old.key, factor: 'totp' })
          const again = await house.sessions.elevate({
            key: raised?.session.key ?? '',
            until: (house.clock.now() + MINUTE) as EpochMs,
          })
          const there = await link(house, again?.session.key ?? '').catch(() => undefined)
          const other = await house.signIn('alice')
          await ENDINGS[what]?.(house, old)
          assert.equal(await house.who(other.value), 'alice', 'another sign-in is not touched')
          await house.sessions.revokeById(other.id)
          assert.deepEqual(await living(house, [again, there]), { used: 0, listed: 0 })
        }
      })

    test('is over when an ending that has read it deletes what it was', async (t) => {
      for (const what of ['its cookie signs out', 'it is revoked']) {
        for (const config of [DOMAINS, ONE_DOMAIN]) {
          const house = await openOver(t, config)
          const old = await house.signIn('alice')
          const [there, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
          let isFirst = true
          house.store.before = (name) => {
            if (name !== 'delete' || !isFirst) return
            isFirst = false
            there.resolve()
            return gate.promise
          }
          const ending = ENDINGS[what]?.(house, old)
          await there.promise
          const raised = await house.sessions.raise({ key: old.key, factor: 'totp' })
          gate.resolve()
          await ending
          assert.deepEqual(await living(house, [raised]), { used: 0, listed: 0 }, what)
        }
      }
    })

    test('that cannot be stored stays as it was, and no half of it lives', async (t) => {
      const house = await openOver(t)
      const old = await house.signIn('alice')
      house.store.failing = true
      const raising = house.sessions.raise({ key: old.key, factor: 'totp' })
      await assert.rejects(raising, { code: 'STORE_UNAVAILABLE' })
      house.store.failing = false
      assert.equal(await house.who(old.value), 'alice')
      assert.equal((await house.sessions.list('alice')).length, 1)
    })

    test('is found under a new secret as one that signed in with it', async (t) => {
      const house = await openOver(t)
      const old = await house.signIn('alice')
      const secrets = [new Secret('another secret, just as long as it'), SECRET]
      const { store, clock, users } = house
      const both = openHouse(t, { store, clock, users, secrets, config: DOMAINS })
      const raised = await both.sessions.raise({ key: old.key, factor: 'totp' })
      assert.ok(raised)
      assert.equal((await identityOf(both, raised))?.profile.name, 'alice')
      assert.equal(await both.sessions.revokeUser('alice'), 1)
      assert.equal(await identityOf(both, raised), undefined)
    })
  })

  suite(`an elevated session in the ${name} store`, { skip: skip ?? false }, () => {
    test('is another one, elevated until then; linked ones stay and get nothing of it', async (t) => {
      const house = await openOver(t)
      const old = await house.signIn('alice')
      const there = await link(house, old.key)
      assert.ok(there)
      const until = (house.clock.now() + 10 * MINUTE) as EpochMs // a time of the tests
      const elevated = await house.sessions.elevate({ key: old.key, until })
      assert.ok(elevated)
      assert.equal(await house.who(old.value), undefined)
      assert.notEqual(elevated.session.id, old.id)
      assert.equal(elevated.session.elevatedUntil, until)
      assert.equal(levelOf(elevated.session), 1)
      const linked = (await identityOf(house, there, 1))?.session
      assert.ok(linked)
      assert.equal(linked.elevatedUntil, undefined)
      const org = house.sessions.domainOf('example.org')
      assert.ok(org)
      await house.sessions.end([valueIn(there.cookie)], org)
      assert.equal(await identityOf(house, elevated), undefined, 'they still end together')
    })

    test('passes it to no session that is started from it, and keeps it when it is raised', async (t) => {
      const house = await openOver(t)
      const old = await house.signIn('alice')
      const until = (house.clock.now() + 10 * MINUTE) as EpochMs // a time of the tests
      const elevated = await house.sessions.elevate({ key: old.key, until })
      assert.ok(elevated)
      const there = await link(house, elevated.session.key)
      assert.ok(there)
      assert.equal(there.session.elevatedUntil, undefined)
      const raised = await house.sessions.raise({ key: elevated.session.key, factor: 'totp' })
      assert.equal(raised?.session.elevatedUntil, until)
      const again = await house.signIn('alice', { replaces: [valueIn(raised.cookie)] })
      assert.equal((await identityOf(house, again.value))?.session.elevatedUntil, undefined)
    })

    test('is elevated no longer than it lives, and not at all once the time has passed', async (t) => {
      const house = await openOver(t)
      const old = await house.signIn('alice')
      const far = (house.clock.now() + 2 * HOUR) as EpochMs // a time of the tests
      const elevated = await house.sessions.elevate({ key: old.key, until: far })
      assert.equal(elevated?.session.elevatedUntil, elevated?.session.expiresAt)
      assert.ok(elevated)
      const { key } = elevated.session
      const dropped = await house.sessions.elevate({ key, until: house.clock.now() })
      assert.ok(dropped)
      assert.equal(dropped.session.elevatedUntil, undefined)
      assert.equal(await identityOf(house, elevated), undefined)
    })
  })
}
