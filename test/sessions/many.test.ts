import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMemoryStore } from '../../src/features/sessions/index.ts'
import { openHouse, valueIn } from './house.ts'

const COUNT = 1000

test('many sessions of one user are listed in pieces, and other work is done in between', async (t) => {
  const store = createMemoryStore()
  const before = openHouse(t, { store })
  for (let i = 0; i < COUNT; i++) await before.signIn('john')
  // Nothing is in the memory of this one: each row has to be opened.
  const { sessions } = openHouse(t, { store, users: before.users, clock: before.clock })
  let turns = 0
  let isListing = true
  const count = () => {
    turns++
    if (isListing) setImmediate(count)
  }
  setImmediate(count)
  const listed = await sessions.list('john')
  isListing = false
  assert.equal(listed.length, COUNT)
  assert.ok(turns >= COUNT / 200, `${turns} turns of the event loop`)
})

test('a linked session ends with the others, however many sessions its user has', async (t) => {
  const home = openHouse(t, { store: createMemoryStore() })
  // One more than a list shows.
  for (let i = 0; i <= 10_000; i++) await home.signIn('john')
  const { value, key } = await home.signIn('john')
  const [, other] = home.sessions.domains
  assert.ok(other)
  const linked = await home.sessions.link({
    ...{ source: key, seenAt: home.clock.now(), domain: other },
    ...{ address: '', userAgent: '', replaces: [] },
  })
  assert.ok(linked !== undefined && linked !== 'kept')
  const there = [valueIn(linked.cookie)]
  assert.equal((await home.sessions.identify(there, other))?.profile.name, 'john')
  await home.sessions.end([value], home.domain)
  assert.equal(await home.sessions.identify(there, other), undefined)
})
