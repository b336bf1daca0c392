import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createConnectionUse } from '../../src/http/connection-use.ts'

/** A thousand requests, each so many milliseconds after the one before it. */
function run({ perConnection, pause }: { perConnection: number; pause: number }): string[] {
  const said: string[] = []
  let now = 0
  const log = { warn: (_: unknown, text: string) => void said.push(text) }
  const use = createConnectionUse(log as Parameters<typeof createConnectionUse>[0], () => now)
  for (let i = 0; i < 5000; i++) {
    if (i % perConnection === 0) use.opened('127.0.0.1')
    now += pause
    use.asked('127.0.0.1')
  }
  return said
}

test('a proxy that opens a connection for each request is named once', () => {
  const said = run({ perConnection: 1, pause: 20 })
  assert.equal(said.length, 1)
  assert.match(said[0] ?? '', /keep connections alive/)
})

test('a proxy that keeps connections for a few requests is not', () => {
  assert.deepEqual(run({ perConnection: 2, pause: 20 }), [])
})

test('one that asks so seldom that its connections are closed in between is not', () => {
  assert.deepEqual(run({ perConnection: 1, pause: 40_000 }), [])
})

test('no more than a hundred proxies are watched', () => {
  const said: string[] = []
  const log = { warn: (_: unknown, text: string) => void said.push(text) }
  const use = createConnectionUse(log as Parameters<typeof createConnectionUse>[0], () => 0)
  for (let proxy = 0; proxy < 150; proxy++)
    for (let i = 0; i < 1000; i++) {
      use.opened(`10.0.0.${proxy}`)
      use.asked(`10.0.0.${proxy}`)
    }
  assert.equal(said.length, 100)
})
