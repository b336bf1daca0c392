import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startServer } from '../support/server.ts'

const MEASURE = new URL('../support/tick-cost.ts', import.meta.url).pathname

test('nextTick costs as much after a major garbage collection as before', async (t) => {
  const server = await startServer(t, {
    env: { NODE_OPTIONS: `--expose-gc --import ${MEASURE}` },
  })
  server.signal('SIGUSR2')
  const [, ratio] = await server.until(/ticks: ([\d.]+)/)
  // Without the kept object it is five to nine times as much.
  assert.ok(Number(ratio) < 4, `${ratio} times as much`)
})
