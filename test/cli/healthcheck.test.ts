import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { runCli, temporaryDirectory } from '../support/cli.ts'

/** A server on a free port, or on a socket of this name. */
async function listen(t: TestContext, listener: RequestListener, path?: string): Promise<number> {
  const server = createServer(listener)
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  if (path === undefined) server.listen(0, '127.0.0.1')
  else server.listen(path)
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

const healthy: RequestListener = (request, response) => {
  response.statusCode = request.url === '/api/health' ? 200 : 404
  response.end('{"status":"OK"}')
}

const check = (t: TestContext, address: string, env = {}) =>
  runCli(t, ['healthcheck'], { env: { VESTIBULE_SERVER_ADDRESS: address, ...env } })

test('a server that is well gives status 0, over TCP, under a base path and over a unix socket', async (t) => {
  const port = await listen(t, healthy)
  assert.deepEqual(await check(t, `tcp://127.0.0.1:${port}/`), {
    status: 0,
    out: 'healthy\n',
    err: '',
  })
  // What listens on every interface is asked on loopback.
  assert.equal((await check(t, `tcp://:${port}/`)).status, 0)
  assert.equal((await check(t, `tcp://0.0.0.0:${port}/`)).status, 0)
  assert.equal((await check(t, `tcp://127.0.0.1:${port}/auth`)).status, 1)
  const path = join(temporaryDirectory(t), 'v.sock')
  await listen(t, healthy, path)
  assert.equal((await check(t, `unix://${path}`)).status, 0)
})

test('a server that is not well, or is something else, or is not there gives status 1 and a sentence', async (t) => {
  const answers = async (status: number, body: string) => {
    const port = await listen(t, (_request, response) => response.writeHead(status).end(body))
    return check(t, `tcp://127.0.0.1:${port}/`)
  }
  assert.match((await answers(503, '{"status":"OK"}')).err, /status 503/)
  assert.match((await answers(200, '{"status":"KO"}')).err, /not well/)
  assert.match((await answers(200, 'x'.repeat(10_000))).err, /is not this server/)
  const gone = await check(t, `unix://${join(temporaryDirectory(t), 'no.sock')}`)
  assert.equal(gone.status, 1)
  assert.match(gone.err, /^vestibule: the server does not answer on .*no\.sock \(ENOENT\)\n$/)
})

test('a server that does not answer is not waited for', async (t) => {
  const port = await listen(t, () => {})
  const env = { VESTIBULE_SERVER_ADDRESS: `tcp://127.0.0.1:${port}/` }
  const { status, err } = await runCli(t, ['healthcheck', '--timeout', '50ms'], { env })
  assert.equal(status, 1)
  assert.match(err, /did not answer .* in time/)
  const odd = await runCli(t, ['healthcheck', '--timeout', 'soon'], { env })
  assert.match(odd.err, /It takes a duration/)
})

test('a health check that was turned off is always well', async (t) => {
  const env = { VESTIBULE_SERVER_DISABLE_HEALTHCHECK: 'true' }
  const { status, out } = await check(t, 'tcp://127.0.0.1:1/', env)
  assert.equal(status, 0)
  assert.match(out, /not checked/)
})
