import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startServer } from '../support/server.ts'

test('a server that ends by itself is told with the request that meets it, and fails its test', async () => {
  const cleanup: (() => unknown)[] = []
  const server = await startServer({ after: (one: () => unknown) => void cleanup.push(one) })
  assert.equal(server.unasked(), undefined)
  process.kill(server.pid, 'SIGKILL')
  const why = /ended by itself, by SIGKILL; it said last:.*listening on/s
  await assert.rejects(async () => {
    for (;;) await server.request('/api/health')
  }, why)
  await assert.rejects(async () => {
    for (const one of cleanup) await one()
  }, why)
})

test('a server that a test ends has not ended by itself', async (t) => {
  const server = await startServer(t)
  server.signal('SIGKILL')
  await server.ended
  assert.equal(server.unasked(), undefined)
  await assert.rejects(
    server.request('/api/health'),
    ({ message }: Error) => !/ended/.test(message),
  )
})
