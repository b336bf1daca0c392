import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { suite, test } from 'node:test'
import { openHouse } from './house.ts'
import { openSqliteStore } from './sqlite-house.ts'

suite('the database file', () => {
  test('shows nothing that can be read, and holds nothing that can be sent as a cookie (requirement 18)', async (t) => {
    const { store, storage, path } = await openSqliteStore(t)
    const house = openHouse(t, { store })
    const names = ['alice-liddell', 'bob-builder']
    const values: string[] = []
    for (const name of names) {
      const { value } = await house.signIn(name, {
        address: '203.0.113.77',
        userAgent: 'Netscape/4.8 (very rare)',
      })
      values.push(value)
    }
    await house.sessions.revoke((await house.signIn('carol-gone')).key)

    const files = () =>
      ['', '-wal'].map((suffix) => readFileSync(`${path}${suffix}`).toString('latin1')).join('')
    const beforeCheckpoint = files()
    storage.sqlite.exec('pragma wal_checkpoint(truncate)')
    const dump = beforeCheckpoint + files()
    assert.match(dump, /sessions_by_owner/, 'this is the file')
    const hidden = [...names, 'carol-gone', '203.0.113.77', 'Netscape', 'example.com', 'password']
    for (const text of [...hidden, ...values])
      assert.ok(!dump.toLowerCase().includes(text.toLowerCase()), text)

    const words = new Set(dump.match(/[A-Za-z0-9_-]{22,}/g))
    assert.ok(words.size >= 6, 'keys, ids and index tokens')
    for (const word of words) {
      for (let at = 0; at + 43 <= word.length; at++)
        assert.equal(await house.who(word.slice(at, at + 43)), undefined)
      assert.equal(await house.who(word), undefined)
    }
    assert.equal(await house.who(values[0] ?? ''), names[0])
  })

  test('that can no longer be used is a refusal, never an answer', async (t) => {
    const { store, storage } = await openSqliteStore(t)
    const house = openHouse(t, { store })
    const { value, key } = await house.signIn('alice')
    const { clock, users } = house
    const cold = openHouse(t, { store, clock, users })
    storage.sqlite.close()
    await assert.rejects(cold.who(value), { code: 'STORE_UNAVAILABLE' })
    await assert.rejects(cold.signIn('bob'), { code: 'STORE_UNAVAILABLE' })
    await assert.rejects(cold.sessions.revoke(key), { code: 'STORE_UNAVAILABLE' })
    assert.equal(await house.who(value), 'alice')
  })

  test('that is full refuses new sessions and keeps the old ones', async (t) => {
    const { store, storage } = await openSqliteStore(t)
    const house = openHouse(t, { store })
    const { value } = await house.signIn('alice')
    const { page_count: pages } = storage.sqlite.prepare('pragma page_count').get() ?? {}
    storage.sqlite.exec(`pragma max_page_count = ${pages}`)
    const fill = async () => {
      for (let i = 0; i < 200; i++) await house.signIn(`user-${i}`)
    }
    await assert.rejects(fill(), { code: 'STORE_UNAVAILABLE' })
    assert.ok(!storage.sqlite.isTransaction)
    const { clock, users } = house
    assert.equal(await openHouse(t, { store, clock, users }).who(value), 'alice')
  })

  test('does not take a session back when an unrelated transaction is thrown away', async (t) => {
    const { store, storage } = await openSqliteStore(t)
    const house = openHouse(t, { store })
    const db = (await storage.db()).$extendTables<{ sessions: { key: string } }>()
    const inside = Promise.withResolvers<void>()
    const thrown = db.transaction().execute(async (tx) => {
      await tx.deleteFrom('sessions').execute()
      inside.resolve()
      await new Promise((resolve) => setTimeout(resolve, 10))
      throw new Error('thrown away')
    })
    const failed = assert.rejects(thrown, /thrown away/)
    await inside.promise
    const { value } = await house.signIn('alice')
    await failed
    const { clock, users } = house
    assert.equal(await openHouse(t, { store, clock, users }).who(value), 'alice')
  })
})
