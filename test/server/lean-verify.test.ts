import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { test } from 'node:test'
import { MAX_HEADER_BYTES } from '../../src/app.ts'
import { listen } from '../../src/server/listen.ts'
import { buildApp } from '../support/app.ts'
import { usersYaml } from '../support/users.ts'

/** Whether Node has built the object of `request.headers`, which it keeps under a symbol of its own. */
function isBuilt(request: IncomingMessage): boolean {
  const key = Object.getOwnPropertySymbols(request).find(
    ({ description }) => description === 'kHeaders',
  )
  assert.ok(key, 'this Node keeps the headers elsewhere')
  return Boolean(Reflect.get(request, key))
}

test('the listener and a verify that is allowed build no headers object', async (t) => {
  const built = await buildApp(t, { users: await usersYaml({ john: {} }) })
  const cookie = await built.signIn('john')
  const { app } = built
  const seen: { url: string; isBuilt: boolean }[] = []
  const listening = await listen(
    { kind: 'tcp', host: '127.0.0.1', port: 0, basePath: '/', family: undefined },
    {
      handler(request, response) {
        response.once('finish', () => {
          seen.push({ url: request.url ?? '', isBuilt: isBuilt(request) })
        })
        app.handle(request, response)
      },
      connected: app.connected,
      maxHeaderBytes: MAX_HEADER_BYTES,
      timeouts: { read: 6000, write: 6000, idle: 6000 },
      errorHeaders: {},
      onError: assert.fail,
    },
  )
  t.after(() => listening.drain(0))
  const port = Number(new URL(listening.urls[0] ?? '').port)

  const ask = async (path: string, ...more: readonly string[]): Promise<string> => {
    const socket = connect(port, '127.0.0.1')
    socket.setEncoding('latin1')
    const headers = [
      `GET ${path} HTTP/1.1`,
      'Host: auth.vestibule.localhost:9091',
      `Cookie: theme=dark; ${cookie}`,
      ...more,
      'Connection: close',
    ]
    socket.write(`${headers.join('\r\n')}\r\n\r\n`)
    let answer = ''
    socket.on('data', (data: string) => {
      answer += data
    })
    await once(socket, 'close')
    return answer.split('\r\n', 1)[0] ?? ''
  }
  const verify = await ask(
    '/verify',
    'X-Original-URL: http://app.vestibule.localhost/',
    'X-Original-Method: GET',
  )
  assert.equal(verify, 'HTTP/1.1 200 OK')
  assert.equal(await ask('/api/health'), 'HTTP/1.1 200 OK')
  assert.deepEqual(seen, [
    { url: '/verify', isBuilt: false },
    // Shows that the symbol tells the two apart: this one goes through Fastify.
    { url: '/api/health', isBuilt: true },
  ])
})
