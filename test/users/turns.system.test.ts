import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { makeStore } from './store.ts'

const COUNTER = new URL('./counter.ts', import.meta.url).pathname

test('two servers that change the same users file at once lose no change of each other', async (t) => {
  const store = makeStore(t, '0')
  const each = 150
  const ended = [0, 1].map(async () => {
    const child = spawn(process.execPath, [COUNTER, store.path, String(each)], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const [status] = await once(child, 'exit')
    assert.equal(status, 0)
  })
  await Promise.all(ended)
  assert.equal(store.read(), String(2 * each))
})
