import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAttemptQueue } from '../../src/features/throttle/attempt-queue.ts'

test('attempts that come at once begin one a turn, in order, and others have theirs in between', async () => {
  const { wait } = createAttemptQueue()
  const said: string[] = []
  await new Promise<void>((resolve) => {
    for (let i = 0; i < 5; i++) wait(() => said.push(`attempt ${i}`), false)
    let others = 0
    const other = () => {
      said.push('another')
      if (++others < 8) setImmediate(other)
      else resolve()
    }
    setImmediate(other)
  })
  assert.deepEqual(
    said.filter((what) => what !== 'another'),
    ['attempt 0', 'attempt 1', 'attempt 2', 'attempt 3', 'attempt 4'],
  )
  for (let i = 1; i < said.length; i++)
    assert.ok(!(said[i] !== 'another' && said[i - 1] !== 'another'), said.join())
  wait(() => said.push('later'), false)
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(said.at(-1), 'later')
})

test('who says that they are known begins first, and no flood of either keeps the other waiting', async () => {
  const { wait } = createAttemptQueue()
  const said: string[] = []
  for (let i = 0; i < 200; i++) wait(() => said.push('stranger'), false)
  for (let i = 0; i < 200; i++) wait(() => said.push(`claim ${i}`), true)
  wait(() => said.push('last'), false)
  while (said.at(-1) !== 'last') await new Promise((resolve) => setImmediate(resolve))
  const claims = said.filter((what) => what.startsWith('claim'))
  assert.deepEqual(said.slice(0, 5), ['claim 0', 'claim 1', 'claim 2', 'stranger', 'claim 3'])
  assert.deepEqual(
    claims,
    Array.from({ length: 200 }, (_, i) => `claim ${i}`),
  )
  // Of a flood of claims 64 are early; the others come in the order of everything else.
  assert.equal(said.indexOf('claim 63') < 90, true)
  assert.equal(said.indexOf('claim 64') > 250, true)
})
