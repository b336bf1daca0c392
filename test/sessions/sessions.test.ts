import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { createMemoryStore } from '../../src/features/sessions/index.ts'
import { AppError } from '../../src/kernel/errors.ts'
import { heldMemory } from '../support/memory.ts'
import { HOUR, MINUTE, openHouse, SECOND, TWO_DOMAINS, watched } from './house.ts'

/** One turn of the event loop: what was started in the background has had its chance. */
const turn = () => new Promise((resolve) => setImmediate(resolve))

const unavailable = (error: unknown) => {
  assert.ok(error instanceof AppError, String(error))
  assert.equal(error.code, 'STORE_UNAVAILABLE')
  assert.equal(error.statusCode, 503)
  assert.ok((error.retryAfter ?? 0) > 0)
  return true
}

suite('a known session', () => {
  test('is recognised at once and without the store', async (t) => {
    const store = watched(createMemoryStore())
    const { sessions, domain, signIn } = openHouse(t, { store })
    const { value } = await signIn('alice')
    for (let i = 0; i < 1000; i++) {
      const found = sessions.identify([value], domain)
      assert.ok(!(found instanceof Promise))
      assert.equal(found?.profile.name, 'alice')
    }
    assert.deepEqual(store.calls, { put: 1 })
  })

  test('is read once, however many ask for it at the same time', async (t) => {
    const store = watched(createMemoryStore())
    const first = openHouse(t, { store })
    const { value } = await first.signIn('alice')
    const cold = openHouse(t, { store, clock: first.clock, users: first.users })
    const found = await Promise.all(Array.from({ length: 100 }, () => cold.who(value)))
    assert.deepEqual(new Set(found), new Set(['alice']))
    assert.equal(store.calls['get'], 1)
  })

  test('is answered with the same object until its profile changes', async (t) => {
    const { sessions, domain, signIn, users } = openHouse(t, { store: createMemoryStore() })
    const { value } = await signIn('alice')
    const first = await sessions.identify([value], domain)
    assert.equal(await sessions.identify([value], domain), first)
    users.add('alice', ['staff'])
    const second = await sessions.identify([value], domain)
    assert.deepEqual(second?.profile.groups, ['staff'])
    assert.equal(second?.session, first?.session)
  })

  test('is pushed out by other sessions only, never by made-up cookies', async (t) => {
    const store = watched(createMemoryStore())
    const { signIn, who } = openHouse(t, { store, cacheSize: 2 })
    const { value } = await signIn('alice')
    for (let i = 0; i < 100; i++) {
      assert.equal(await who(String(i).padStart(43, 'A')), undefined)
    }
    const reads = store.calls['get']
    assert.equal(await who(value), 'alice')
    assert.equal(store.calls['get'], reads)
    await signIn('bob')
    await signIn('carol')
    assert.equal(await who(value), 'alice', 'read again')
    assert.equal(store.calls['get'], (reads ?? 0) + 1)
  })
})

suite('the cache', () => {
  test('keeps who comes often, however many sign in meanwhile', async (t) => {
    const store = watched(createMemoryStore())
    const { signIn, who } = openHouse(t, { store, cacheSize: 4 })
    const { value } = await signIn('alice')
    for (let i = 0; i < 20; i++) {
      await signIn(`user-${i}`)
      assert.equal(await who(value), 'alice')
    }
    assert.equal(store.calls['get'], undefined)
  })

  test('forgets those it has not seen for long as surely as the others', async (t) => {
    const { signIn, who, sessions } = openHouse(t, { store: createMemoryStore(), cacheSize: 4 })
    const names = ['alice', 'bob', 'carol']
    const [alice, bob, carol] = await Promise.all(names.map((name) => signIn(name)))
    assert.ok(alice && bob && carol)
    await sessions.revoke(alice.key)
    assert.equal(await who(alice.value), undefined)
    await sessions.revokeUser('bob')
    assert.equal(await who(bob.value), undefined)
    assert.equal(await who(carol.value), 'carol')
  })
})

suite('a cookie that is none', () => {
  test('never reaches the store when it cannot be ours', async (t) => {
    const store = watched(createMemoryStore())
    const { sessions, domain } = openHouse(t, { store })
    for (const value of [
      '',
      'x',
      'A'.repeat(42),
      'A'.repeat(44),
      'A'.repeat(60_000),
      '\0'.repeat(43),
    ])
      assert.equal(sessions.identify([value], domain), undefined)
    assert.equal(sessions.identify([], domain), undefined)
    assert.deepEqual(store.calls, {})
  })

  test('does not count beside the one that is: a sibling host signs nobody out', async (t) => {
    const { signIn, who } = openHouse(t, { store: createMemoryStore() })
    const { value } = await signIn('alice')
    const [a, b, c] = ['A', 'B', 'C'].map((letter) => letter.repeat(43))
    assert.ok(a && b && c)
    assert.equal(await who(a, value), 'alice')
    assert.equal(await who(value, a), 'alice')
    assert.equal(await who(a, b, value, 'garbage'), 'alice')
    assert.equal(await who(value, value), 'alice', 'the same twice is one session')
    assert.equal(await who(a, b, c), undefined)
    assert.equal(await who(a, b, c, 'garbage', value), undefined, 'more than four')
  })

  test('nor does one that is over, of another domain, or of a user who is gone', async (t) => {
    const house = openHouse(t, { store: createMemoryStore() })
    const [, org] = house.sessions.domains
    const over = await house.signIn('alice')
    house.clock.advance(5 * MINUTE + 1)
    assert.ok(org)
    const elsewhere = await house.signIn('bob', { domain: org })
    const { value } = await house.signIn('carol')
    assert.equal(await house.who(over.value, elsewhere.value, value), 'carol')
  })

  test('is what two live ones are: nobody can say who it is', async (t) => {
    const { signIn, who, clock } = openHouse(t, { store: createMemoryStore() })
    const alice = await signIn('alice')
    const mallory = await signIn('mallory')
    assert.equal(await who(alice.value, mallory.value), undefined)
    assert.equal(await who(mallory.value, alice.value), undefined)
    clock.advance(4 * MINUTE)
    assert.equal(await who(alice.value), 'alice', 'both go on by themselves')
    clock.advance(4 * MINUTE)
    assert.equal(await who(alice.value, mallory.value), 'alice', 'and asking was no use of either')
  })
})

suite('who has a session', () => {
  test('is asked of the users at every request (advisories 3, 36)', async (t) => {
    const { signIn, who, users, sessions, domain } = openHouse(t, { store: createMemoryStore() })
    const alice = await signIn('alice')
    const bob = await signIn('bob')
    users.add('alice', ['new-group'])
    const identity = await sessions.identify([alice.value], domain)
    assert.deepEqual(identity?.profile.groups, ['new-group'])
    users.remove('alice')
    assert.equal(await who(alice.value), undefined)
    assert.equal(await who(bob.value), 'bob')
    users.add('alice')
    assert.equal(await who(alice.value), undefined, 'coming back does not bring the session back')
  })

  test('loses all of them when the users say so, in memory and in the store', async (t) => {
    const store = createMemoryStore()
    const house = openHouse(t, { store })
    const { value } = await house.signIn('alice')
    house.users.tellRemoved('alice')
    assert.equal(house.sessions.identify([value], house.domain) instanceof Promise, true)
    assert.equal(await house.who(value), undefined)
    assert.deepEqual(await store.list(undefined, 10), [])
    const again = await house.signIn('alice')
    assert.equal(await house.who(again.value), 'alice')
  })

  test('loses it when it turns out that they are gone', async (t) => {
    const store = createMemoryStore()
    const { signIn, who, users } = openHouse(t, { store })
    const one = await signIn('alice')
    const two = await signIn('alice')
    users.vanish('alice')
    assert.equal(await who(one.value), undefined)
    assert.equal(await who('A'.repeat(43), two.value), undefined)
    assert.deepEqual(await store.list(undefined, 10), [])
    users.add('alice')
    assert.equal(await who(one.value), undefined)
  })

  test('is a promise of backends that have to ask; nobody is let in meanwhile', async (t) => {
    const store = createMemoryStore()
    const { signIn, clock, users } = openHouse(t, { store })
    const alice = await signIn('alice')
    const bob = await signIn('bob')
    users.remove('bob')
    const asking = Object.assign(users, {
      profile: async (name: string) => (name === 'alice' ? users.add('alice') : undefined),
    })
    // The roster answers later than its type says; sessions take both.
    const slow = openHouse(t, { store, clock, users: asking as typeof users })
    for (let i = 0; i < 2; i++) {
      const found = slow.sessions.identify([alice.value], slow.domain)
      assert.ok(found instanceof Promise)
      assert.equal((await found)?.profile.name, 'alice')
      assert.equal(await slow.who(bob.value), undefined)
    }
  })
})

suite('a revocation', () => {
  test('wins against a read from the store that began before it', async (t) => {
    for (const how of ['key', 'user', 'start'] as const) {
      const store = watched(createMemoryStore())
      const first = openHouse(t, { store })
      const { value, key } = await first.signIn('alice')
      const { sessions, who, signIn } = openHouse(t, {
        store,
        clock: first.clock,
        users: first.users,
      })
      const gate = Promise.withResolvers<void>()
      // The row has been read; it is still on its way. What the sign-in reads of it itself is not held up.
      store.after = (name) =>
        name === 'get' && store.calls['get'] === 1 ? gate.promise : undefined
      const reading = who(value)
      await turn()
      if (how === 'key') await sessions.revoke(key)
      if (how === 'user') await sessions.revokeUser('alice')
      if (how === 'start') await signIn('alice', { replaces: [value] })
      gate.resolve()
      assert.equal(await reading, undefined, how)
      assert.equal(await who(value), undefined, how)
    }
  })

  test('wins against a read that began while the store was deleting', async (t) => {
    for (const how of ['key', 'user'] as const) {
      const store = watched(createMemoryStore())
      const first = openHouse(t, { store })
      const { value, key } = await first.signIn('alice')
      const { sessions, who } = openHouse(t, { store, clock: first.clock, users: first.users })
      const [deleting, reading] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      store.before = (name) => (name.startsWith('delete') ? deleting.promise : undefined)
      store.after = (name) => (name === 'get' ? reading.promise : undefined)
      const revoked = how === 'key' ? sessions.revoke(key) : sessions.revokeUser('alice')
      const asked = who(value)
      await turn()
      deleting.resolve()
      await revoked
      reading.resolve()
      assert.equal(await asked, undefined, how)
      assert.equal(await who(value), undefined, how)
    }
  })

  test('of a user wins against a sign-in that is being stored', async (t) => {
    const store = watched(createMemoryStore())
    const { sessions, signIn } = openHouse(t, { store })
    const gate = Promise.withResolvers<void>()
    store.before = (name) => (name === 'put' ? gate.promise : undefined)
    const starting = signIn('alice')
    const refused = assert.rejects(starting, { code: 'AUTHENTICATION_FAILED' })
    await turn()
    await sessions.revokeUser('alice')
    gate.resolve()
    await refused
    assert.deepEqual(await sessions.list('alice'), [])
    assert.deepEqual(await store.list(undefined, 10), [])
  })

  // The audit trail said so at once, whether the store did it or not, and for users who had no session.
  test('of removed users is told when it is done, with how many, and not for those who had none', async (t) => {
    const store = watched(createMemoryStore())
    const { sessions, signIn, users, revoked } = openHouse(t, { store })
    await signIn('alice')
    await signIn('alice')
    await signIn('bob')
    users.add('carol')
    store.failing = true
    users.tellRemoved('alice')
    users.tellRemoved('carol')
    await turn()
    assert.deepEqual(revoked, [], 'nothing has ended yet')
    store.failing = false
    await signIn('alice')
    assert.deepEqual(revoked, [['alice', 2]], 'made up for before the next sign-in')
    users.tellRemoved('carol')
    users.tellRemoved('bob')
    await sessions.close()
    assert.deepEqual(revoked, [
      ['alice', 2],
      ['bob', 1],
    ])
    await sessions.revokeUser('alice')
    assert.equal(revoked.length, 2, 'who asks for it knows it by themselves')
  })

  test('is told apart from the other ends of a session, for the log', async (t) => {
    const { sessions, signIn, users, clock, domain } = openHouse(t, { store: createMemoryStore() })
    const why = async (value: string): Promise<string> => {
      let said = ''
      await sessions.identify([value], domain, (reason) => {
        said = reason
      })
      return said
    }
    const gone = await signIn('carol')
    users.vanish('carol')
    assert.equal(await why(gone.value), 'user-gone')
    const [idle, ended] = [await signIn('alice'), await signIn('alice')]
    await sessions.revoke(ended.key)
    assert.equal(await why(ended.value), 'unknown-session')
    assert.equal(await why(idle.value), '')
    clock.advance(5 * MINUTE + 1)
    assert.equal(await why(idle.value), 'session-idle')
    const old = await signIn('alice', { remember: true })
    clock.advance(31 * 24 * HOUR)
    assert.equal(await why(old.value), 'session-expired')
  })

  test('that the store did not do in full is no sign-out: it is refused, and can be tried again', async (t) => {
    const store = watched(createMemoryStore())
    const house = openHouse(t, { store })
    const all = []
    for (let i = 0; i < 150; i++) all.push((await house.signIn('alice')).value)
    let batch = 0
    store.before = (name) => {
      store.failing = name === 'delete' && ++batch === 2
    }
    await assert.rejects(house.sessions.end(all, house.domain), { code: 'STORE_UNAVAILABLE' })
    assert.ok((await house.sessions.list('alice')).length > 0, 'some of them live on')
    store.before = () => {}
    store.failing = false
    await house.sessions.end(all, house.domain)
    assert.deepEqual(await house.sessions.list('alice'), [])
    assert.ok((store.calls['delete'] ?? 0) <= 6, 'asked in batches')
  })

  test('of a user wins against a sign-in that is still looking at what it replaces', async (t) => {
    const store = watched(createMemoryStore())
    const before = openHouse(t, { store })
    const { value } = await before.signIn('alice')
    const { clock, users } = before
    const { sessions, signIn } = openHouse(t, { store, clock, users })
    const gate = Promise.withResolvers<void>()
    store.before = (name) => (name === 'getMany' ? gate.promise : undefined)
    const refused = assert.rejects(signIn('alice', { replaces: [value] }), {
      code: 'AUTHENTICATION_FAILED',
    })
    await turn()
    await sessions.revokeUser('alice')
    gate.resolve()
    await refused
    assert.deepEqual(await store.list(undefined, 10), [])
  })

  test('of a user wins against a sign-in that is stored after it and ends before it', async (t) => {
    const store = watched(createMemoryStore())
    const { sessions, signIn } = openHouse(t, { store })
    const [putting, deleting] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    store.before = (name) => (name === 'put' ? putting.promise : undefined)
    store.after = (name) => (name === 'deleteOwned' ? deleting.promise : undefined)
    const refused = assert.rejects(signIn('alice'), { code: 'AUTHENTICATION_FAILED' })
    await turn()
    const revoked = sessions.revokeUser('alice')
    await turn()
    putting.resolve()
    await refused
    deleting.resolve()
    await revoked
    assert.deepEqual(await store.list(undefined, 10), [])
  })

  test('of a removed user holds while the store is down, and is made up for', async (t) => {
    const store = watched(createMemoryStore())
    const { users, who, signIn, sessions, said, clock } = openHouse(t, { store })
    const { value } = await signIn('alice')
    store.failing = true
    users.tellRemoved('alice')
    await turn()
    assert.equal(said.length, 1)
    store.failing = false
    assert.equal(await who(value), undefined, 'the store still has it')
    assert.deepEqual(await sessions.list('alice'), [])
    clock.advance(SECOND)
    const again = await signIn('alice')
    assert.equal(await who(again.value), 'alice')
    assert.equal((await store.list(undefined, 10)).length, 1, 'the old one is gone for good')
  })

  test('that the store could not do is not reported as done', async (t) => {
    const store = watched(createMemoryStore())
    const { sessions, signIn } = openHouse(t, { store })
    const { key, id } = await signIn('alice')
    store.failing = true
    await assert.rejects(sessions.revoke(key), unavailable)
    await assert.rejects(sessions.revokeById(id), unavailable)
    await assert.rejects(sessions.revokeUser('alice'), unavailable)
    await assert.rejects(sessions.list(), unavailable)
  })
})

suite('a store that fails', () => {
  test('is a refusal and never an answer (advisory 22)', async (t) => {
    const store = watched(createMemoryStore())
    const house = openHouse(t, { store })
    const { value } = await house.signIn('alice')
    const cold = openHouse(t, { store, clock: house.clock, users: house.users })
    store.failing = true
    await assert.rejects(cold.who(value), unavailable)
    await assert.rejects(cold.who('A'.repeat(43)), unavailable)
    await assert.rejects(cold.who('A'.repeat(43), value), unavailable)
    await assert.rejects(cold.signIn('bob'), unavailable)
    assert.equal(await house.who(value), 'alice', 'who is known goes on')
    store.failing = false
    assert.equal(await cold.who(value), 'alice', 'nobody was signed out by it')
  })

  test('does not start half a session, nor end the one before', async (t) => {
    const store = watched(createMemoryStore())
    const { signIn, who, sessions } = openHouse(t, { store })
    const { value, id } = await signIn('alice')
    store.failing = true
    await assert.rejects(signIn('alice', { replaces: [value] }), unavailable)
    store.failing = false
    assert.equal(await who(value), 'alice')
    assert.deepEqual(
      (await sessions.list()).map((session) => session.id),
      [id],
    )
  })

  test('that lost everything leaves nobody signed in after a restart (advisory 23)', async (t) => {
    const house = openHouse(t, { store: createMemoryStore() })
    const { value } = await house.signIn('alice')
    const { clock, users } = house
    const empty = openHouse(t, { store: createMemoryStore(), clock, users })
    assert.equal(await empty.who(value), undefined)
  })
})

suite('the last use', () => {
  test('of many requests is written once, within a tenth of the limit', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const store = watched(createMemoryStore())
    const { signIn, who, clock } = openHouse(t, { store })
    const { value } = await signIn('alice')
    const pass = async (ms: number) => {
      clock.advance(ms)
      t.mock.timers.tick(ms)
      await turn()
    }
    for (let i = 0; i < 100; i++) {
      assert.equal(await who(value), 'alice')
      await pass(SECOND)
    }
    const writes = store.calls['touch'] ?? 0
    assert.ok(writes >= 3 && writes <= 5, `${writes} writes in 100 s: every 25 to 30 s`)
    await pass(30 * SECOND)
    const rest = store.calls['touch']
    await pass(60 * SECOND)
    assert.equal(store.calls['touch'], rest, 'nobody came: nothing to write')
  })

  test('that a crash loses is at most a tenth of the limit', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const store = createMemoryStore()
    const house = openHouse(t, { store })
    const { value } = await house.signIn('alice')
    for (let i = 0; i < 300; i++) {
      house.clock.advance(SECOND)
      t.mock.timers.tick(SECOND)
      await turn()
      assert.equal(await house.who(value), 'alice')
    }
    // Another process reads the store while the first one has not written yet.
    const cold = openHouse(t, { store, clock: house.clock, users: house.users })
    const [session] = await cold.sessions.list()
    assert.ok(session)
    const lost = house.clock.now() - session.lastSeen
    assert.ok(lost > 0 && lost <= 30 * SECOND, `${lost} ms`)
  })

  test('is tried again when the store fails, and nobody notices', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const store = watched(createMemoryStore())
    const { signIn, who, clock, said, users } = openHouse(t, { store })
    const alice = await signIn('alice')
    const bob = await signIn('bob')
    clock.advance(4 * MINUTE)
    assert.equal(await who(alice.value), 'alice')
    store.failing = true
    t.mock.timers.tick(30 * SECOND)
    await turn()
    assert.equal(said.length, 1)
    assert.equal(await who(bob.value), 'bob')
    store.failing = false
    t.mock.timers.tick(30 * SECOND)
    await turn()
    clock.advance(4 * MINUTE)
    const cold = openHouse(t, { store, clock, users })
    assert.equal(await cold.who(alice.value), 'alice')
    assert.equal(await cold.who(bob.value), 'bob')
  })

  test('of a clock that was set back does not make a session immortal', async (t) => {
    const { signIn, who, clock } = openHouse(t, { store: createMemoryStore() })
    const { value } = await signIn('alice')
    clock.advance(4 * MINUTE)
    assert.equal(await who(value), 'alice')
    clock.advance(-30 * MINUTE)
    assert.equal(await who(value), 'alice')
    clock.advance(5 * MINUTE + 1)
    assert.equal(await who(value), undefined)
  })
})

suite('the sweeper', () => {
  test('removes what is over and nothing that may live, without anybody asking', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
    const store = createMemoryStore()
    const { signIn, clock, who } = openHouse(t, { store })
    const idle = await signIn('idle')
    const kept = await signIn('kept', { remember: true })
    const used = await signIn('used')
    for (let minute = 0; minute < 7; minute++) {
      clock.advance(MINUTE)
      assert.equal(await who(used.value), 'used')
      t.mock.timers.tick(MINUTE)
      await turn()
      await turn()
    }
    assert.equal(await store.get(idle.key), undefined)
    assert.ok(await store.get(kept.key))
    assert.ok(await store.get(used.key))
    assert.equal(await who(used.value), 'used')
  })

  test('never forgets a session before its time, whatever was last written of its use', async (t) => {
    const store = createMemoryStore()
    const house = openHouse(t, { store })
    const { key } = await house.signIn('alice')
    const stored = await store.get(key)
    assert.equal(stored?.expiresAt, house.clock.now() + 5.5 * MINUTE)
    const remembered = await store.get((await house.signIn('bob', { remember: true })).key)
    assert.equal(remembered?.expiresAt, house.clock.now() + 30 * 24 * HOUR)
  })
})

suite('what is kept of a request', () => {
  test('is bounded', async (t) => {
    const { sessions, signIn } = openHouse(t, { store: createMemoryStore(), config: TWO_DOMAINS })
    await signIn('alice', { userAgent: 'x'.repeat(60_000), address: 'y'.repeat(1000) })
    const [session] = await sessions.list()
    assert.equal(session?.userAgent.length, 256)
    assert.equal(session?.address.length, 64)
  })
  // A slice is a view in V8: what was cut off stayed, as long as the session did.
  test('does not hold what it was cut from', async (t) => {
    const { sessions, signIn } = openHouse(t, { store: createMemoryStore(), config: TWO_DOMAINS })
    const COUNT = 200
    const LONG = 60_000
    const before = heldMemory()
    for (let i = 0; i < COUNT; i++)
      await signIn('alice', { userAgent: Buffer.alloc(LONG, 'x').toString('latin1') })
    assert.ok(heldMemory() - before < (COUNT * LONG) / 4)
    assert.equal((await sessions.list()).length, COUNT)
  })
})
