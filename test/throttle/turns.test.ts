import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTurns } from '../../src/features/throttle/turns.ts'

test('attempts that come at once begin one a turn, in order, and others have theirs in between', async () => {
  const inTurn = createTurns()
  const said: string[] = []
  await new Promise<void>((resolve) => {
    for (let i = 0; i < 5; i++) inTurn(() => said.push(`attempt ${i}`))
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
  inTurn(() => said.push('later'))
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(said.at(-1), 'later')
})
