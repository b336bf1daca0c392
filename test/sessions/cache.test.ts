import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCache, type Found } from '../../src/features/sessions/cache.ts'
import type { Session } from '../../src/features/sessions/session.ts'
import type { EpochMs } from '../../src/kernel/clock.ts'

const time = 0 as EpochMs // a time of the tests
const found = (key: string, owner = 'owner'): Found => {
  const session: Session = {
    id: `id of ${key}`,
    key,
    domain: 'example.com',
    login: key,
    user: 'alice',
    factors: [{ kind: 'password', at: time }],
    createdAt: time,
    expiresAt: time,
    remembered: false,
    address: '',
    userAgent: '',
    elevatedUntil: undefined,
    lastSeen: time,
  }
  return { session, owner }
}

/** A store whose reads end when the test says so. */
function slowStore() {
  const waiting: ((answer: Found | undefined) => void)[] = []
  return {
    waiting,
    read: () => new Promise<Found | undefined>((resolve) => void waiting.push(resolve)),
    answer: async (answer: Found | undefined) => {
      waiting.shift()?.(answer)
      for (let turn = 0; turn < 5; turn++) await Promise.resolve()
    },
  }
}

const CHANGES: readonly [string, (cache: ReturnType<typeof createCache>) => void][] = [
  ['this session', (cache) => cache.doubt(['a'])],
  ['sessions of this owner', (cache) => cache.doubtOwners(new Set(['owner']))],
  ['anything', (cache) => cache.doubtAll()],
]
for (const [what, change] of CHANGES) {
  test(`a read that is overtaken by a change of ${what} is done again, and its answer is not kept`, async () => {
    const cache = createCache(10)
    const store = slowStore()
    const asked = cache.fetch('a', store.read)
    change(cache)
    await store.answer(found('a'))
    assert.equal(store.waiting.length, 1, 'asked again')
    await store.answer(undefined)
    assert.equal(await asked, undefined)
    assert.equal(cache.get('a'), undefined)
  })

  test(`after a change of ${what} nobody shares a read that began before it`, async () => {
    const cache = createCache(10)
    const [first, second] = [slowStore(), slowStore()]
    const before = cache.fetch('a', first.read)
    change(cache)
    const after = cache.fetch('a', second.read)
    await second.answer(undefined)
    assert.equal(await after, undefined)
    await first.answer(found('a'))
    await first.answer(found('a'))
    assert.equal((await before)?.session.key, 'a')
    assert.equal(cache.get('a'), undefined)
  })

  test(`a change of ${what} takes it out of memory`, async () => {
    const cache = createCache(10)
    assert.ok(await cache.fetch('a', async () => found('a')))
    assert.ok(cache.get('a'))
    change(cache)
    assert.equal(cache.get('a'), undefined)
  })
}

test('a change of others leaves what is known', async () => {
  const cache = createCache(10)
  await cache.fetch('a', async () => found('a'))
  cache.doubt(['b'])
  cache.doubtOwners(new Set(['somebody else']))
  assert.ok(cache.get('a'))
})

test('what was revoked here does not come back through a read that is done again', async () => {
  const cache = createCache(10)
  const store = slowStore()
  const asked = cache.fetch('a', store.read)
  cache.forget('a')
  cache.doubt(['a'])
  await store.answer(found('a'))
  await store.answer(found('a'))
  assert.equal(await asked, undefined)
  assert.equal(cache.get('a'), undefined)
})
