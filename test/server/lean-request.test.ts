import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, IncomingMessage } from 'node:http'
import { type AddressInfo, connect, Socket } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { handOver, LeanRequest, READ_BY_NODE } from '../../src/server/lean-request.ts'

/** What Node's parser does with the headers of a request. It is not in Node's types. */
type Parsed = IncomingMessage & { _addHeaderLines(headers: string[], count: number): void }

function received(request: IncomingMessage, headers: readonly string[]): IncomingMessage {
  const parsed = request as Parsed
  parsed._addHeaderLines([...headers], headers.length)
  return parsed
}

const anyCase = (name: string) =>
  fc
    .array(fc.boolean(), { minLength: name.length, maxLength: name.length })
    .map((upper) => [...name].map((c, i) => (upper[i] ? c.toUpperCase() : c)).join(''))
const name = fc.oneof(
  ...[...READ_BY_NODE, 'host', 'cookie', 'accept', 'upgrade', 'expects', 'content_length'].map(
    anyCase,
  ),
  fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}$/),
)
const rawHeaders = fc
  .array(fc.tuple(name, fc.stringMatching(/^[\x21-\x7e]{0,12}$/)), { maxLength: 12 })
  .map((pairs) => pairs.flat())

test('Node reads the same of a lean request before it is handed over as of its own', () => {
  fc.assert(
    fc.property(rawHeaders, (raw) => {
      const own = received(new IncomingMessage(new Socket()), raw)
      const lean = received(new LeanRequest(new Socket()), raw)
      for (const key of READ_BY_NODE) {
        assert.equal(key in lean.headers, key in own.headers)
        assert.equal(lean.headers[key], own.headers[key])
      }
    }),
  )
})

test('after it is handed over a request shows every header, as Node builds them', () => {
  fc.assert(
    fc.property(rawHeaders, fc.boolean(), (raw, readBefore) => {
      const own = received(new IncomingMessage(new Socket()), raw)
      const lean = received(new LeanRequest(new Socket()), raw)
      if (readBefore) assert.ok(lean.headers)
      handOver(lean)
      assert.deepEqual(lean.headers, own.headers)
      assert.deepEqual(lean.headersDistinct, own.headersDistinct)
    }),
  )
})

test('this Node reads no other header before it hands a request over', async (t) => {
  const asked = new Set<string>()
  class Watched extends IncomingMessage {}
  const get = Object.getOwnPropertyDescriptor(IncomingMessage.prototype, 'headers')?.get
  assert.ok(get, 'Node builds the object when it is read')
  let watching = true
  const note = (key: string | symbol) => {
    if (watching) asked.add(String(key))
  }
  Object.defineProperty(Watched.prototype, 'headers', {
    get(this: Watched) {
      return new Proxy(get.call(this), {
        get: (target, key) => {
          note(key)
          return Reflect.get(target, key)
        },
        has: (target, key) => {
          note(key)
          return Reflect.has(target, key)
        },
        getOwnPropertyDescriptor: (target, key) => {
          note(key)
          return Reflect.getOwnPropertyDescriptor(target, key)
        },
        ownKeys: (target) => {
          note('every name')
          return Reflect.ownKeys(target)
        },
      })
    },
  })
  const server = createServer(
    { IncomingMessage: Watched, optimizeEmptyRequests: true, requireHostHeader: false },
    (_request, response) => {
      watching = false
      response.end()
      watching = true
    },
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const head = 'Host: a\r\nCookie: b=c\r\n'
  for (const request of [
    `GET / HTTP/1.1\r\n${head}\r\n`,
    `POST / HTTP/1.1\r\n${head}Content-Length: 2\r\n\r\nok`,
    `POST / HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `POST / HTTP/1.1\r\n${head}Expect: 100-continue\r\nContent-Length: 0\r\n\r\n`,
    `GET / HTTP/1.1\r\n${head}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    `GET / HTTP/1.0\r\n${head}\r\n`,
  ]) {
    const { port } = server.address() as AddressInfo
    const socket = connect(port, '127.0.0.1')
    socket.write(request)
    await once(socket, 'data')
    socket.destroy()
  }
  assert.ok(asked.size > 0)
  assert.deepEqual(
    [...asked].filter((key) => !READ_BY_NODE.includes(key)),
    [],
  )
})
