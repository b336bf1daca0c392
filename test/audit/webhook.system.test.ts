/** A server that is killed while the receiver of its webhook is away. */
import assert from 'node:assert/strict'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { temporaryDirectory } from '../support/cli.ts'
import { until } from '../support/pace.ts'
import { signIn, startServer } from '../support/server.ts'
import { usersYaml } from '../support/users.ts'

test('an event waits over an outage of the receiver and kill -9, and is posted once', async (t) => {
  const taken: unknown[] = []
  const tried = new Set<unknown>()
  let away = true
  const receiver = http.createServer((request, response) => {
    const id = request.headers['webhook-id']
    tried.add(id)
    request.resume().on('end', () => {
      if (!away) taken.push(id)
      response.writeHead(away ? 503 : 204).end()
    })
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    receiver.closeAllConnections()
    receiver.close()
  })
  const { port } = receiver.address() as AddressInfo // a TCP server has one
  const folder = temporaryDirectory(t)
  const config = {
    storage: { encryption_key: 'a key of the database that is long enough' },
    audit: {
      webhook: {
        url: `http://127.0.0.1:${port}/`,
        secret: 'a secret of the webhook, long enough',
        events: ['login.succeeded'],
      },
    },
  }
  const users = await usersYaml({ john: {} })
  const first = await startServer(t, { config, folder, users, keep: true })
  await signIn(first.port, 'john')
  await first.until(/could not be delivered; it is tried again/)
  first.signal('SIGKILL')
  await first.ended
  assert.equal(tried.size, 1)
  away = false
  const second = await startServer(t, { config, folder, users, keep: true })
  await until('it was posted', () => taken.length > 0)
  await signIn(second.port, 'john')
  await until('the next one was posted', () => taken.length > 1)
  assert.equal(taken.length, 2)
  assert.deepEqual(taken[0], [...tried][0])
})
