import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createThreads, type Task } from '../../src/features/passwords/threads.ts'

const task = (rounds: number, password = 'password'): Task => ({
  kind: 'sha-crypt',
  variant: 'sha512',
  password,
  rounds,
  salt: 'saltsalt',
})

test('answers come to those who asked, in whatever order they are ready', async () => {
  const threads = createThreads(2)
  const passwords = Array.from({ length: 12 }, (_, i) => `password ${i}`)
  const together = await Promise.all(
    passwords.map((password, i) => threads.run(task(1000 + 500 * (i % 3), password))),
  )
  const one = createThreads(1)
  for (const [i, password] of passwords.entries())
    assert.equal(await one.run(task(1000 + 500 * (i % 3), password)), together[i])
  assert.equal(new Set(together).size, passwords.length)
  await Promise.all([threads.close(), one.close()])
})

test('the event loop turns while a thread works', async () => {
  const threads = createThreads(1)
  let turns = 0
  let done = false
  const work = threads.run(task(200_000)).finally(() => {
    done = true
  })
  while (!done) {
    turns++
    await new Promise(setImmediate)
  }
  await work
  // In the event loop itself it would be a handful.
  assert.ok(turns > 100, `${turns} turns`)
  await threads.close()
})

test('a failed task fails alone', async () => {
  const threads = createThreads(1)
  const bad = threads.run({ kind: 'bcrypt', password: 'x', cost: 4, salt: 'short' })
  const good = threads.run(task(1000))
  await assert.rejects(bad)
  assert.match(await good, /^[./0-9A-Za-z]{86}$/)
  await threads.close()
})

test('closing ends what runs and refuses what comes', async () => {
  const threads = createThreads(1)
  const running = assert.rejects(threads.run(task(50_000_000)), /thread ended/)
  await threads.close()
  await running
  await assert.rejects(threads.run(task(1000)), /closed/)
})
