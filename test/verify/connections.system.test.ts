import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startServer } from '../support/server.ts'
import { CHEAP } from '../support/users.ts'

const SAID = /opens a new connection for nearly every verify request/g

test('a proxy that asks over a new connection each time is told of it, once', async (t) => {
  const server = await startServer(t, { config: CHEAP })
  const lane = async () => {
    for (let i = 0; i < 260; i++) {
      const answer = await server.request('/verify', {
        headers: {
          Host: 'v',
          'X-Original-URL': 'http://public.vestibule.localhost/',
          'X-Original-Method': 'GET',
        },
      })
      assert.equal(answer.status, 200)
    }
  }
  await Promise.all(Array.from({ length: 8 }, lane))
  await server.until(SAID)
  assert.equal(server.output().match(SAID)?.length, 1)
})
