import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMemoryStore } from '../../src/features/sessions/index.ts'
import { openHouse } from './house.ts'

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
