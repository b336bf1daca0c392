import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createConcurrencyLimit } from '../../src/features/throttle/concurrency-limit.ts'

const settled = () => new Promise((resolve) => setImmediate(resolve))

test('of a thousand look-ups at once eight are under way, some wait, and the rest is told that nothing is known', async () => {
  const limited = createConcurrencyLimit<string>()
  const ends: (() => void)[] = []
  let underWay = 0
  let most = 0
  const answers = Array.from({ length: 1000 }, () =>
    limited(async () => {
      most = Math.max(most, ++underWay)
      await new Promise<void>((resolve) => ends.push(resolve))
      underWay--
      return 'found'
    }, 'nothing'),
  )
  let done = false
  const all = Promise.all(answers).finally(() => {
    done = true
  })
  while (!done) {
    ends.shift()?.()
    await settled()
  }
  const found = (await all).filter((answer) => answer === 'found').length
  assert.deepEqual([most, found], [8, 8 + 256])
})

test('a look-up that fails gives its place back', async () => {
  const limited = createConcurrencyLimit<string>({ atOnce: 1 })
  for (let i = 0; i < 3; i++)
    await assert.rejects(
      limited(() => Promise.reject(new Error('away')), 'nothing'),
      /away/,
    )
  assert.equal(await limited(async () => 'found', 'nothing'), 'found')
})
