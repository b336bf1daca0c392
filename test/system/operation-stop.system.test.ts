import assert from 'node:assert/strict'
import http from 'node:http'
import { connect, type Socket } from 'node:net'
import { suite, type TestContext, test } from 'node:test'
import argon2 from 'argon2'
import { PASSWORD, type RunningServer, request, startServer } from '../support/server.ts'
import { eventually } from '../support/verdict.ts'

/** A server whose only user has this digest. */
const startWith = (t: TestContext, digest: string): Promise<RunningServer> =>
  startServer(t, {
    users: JSON.stringify({ users: { john: { displayname: 'John', password: digest } } }),
  })

/** Takes some tenths of a second. */
const slowDigest = (): Promise<string> =>
  argon2.hash(PASSWORD, {
    type: argon2.argon2id,
    memoryCost: 64 * 1024,
    timeCost: 4,
    parallelism: 1,
  })

/** Sends a sign-in and resolves once the server has it in hand. */
async function sendSignIn(server: RunningServer, agent: http.Agent | false = false) {
  const body = JSON.stringify({ username: 'john', password: PASSWORD })
  const sent = http.request({
    host: '127.0.0.1',
    port: server.port,
    path: '/api/firstfactor',
    method: 'POST',
    agent,
    headers: { Host: 'auth.vestibule.localhost', 'Content-Length': body.length },
  })
  const answer = new Promise<http.IncomingMessage>((resolve, reject) => {
    sent.on('response', (got) => resolve(got.resume())).on('error', reject)
  })
  answer.catch(() => {})
  await new Promise<void>((done) => sent.end(body, () => done()))
  // Whoever asks later on the same thread has let it begin.
  await server.request('/api/health')
  return { answer }
}

const open = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket))
    socket.on('error', reject)
  })
const closed = (socket: Socket): Promise<unknown> =>
  new Promise((resolve) => socket.once('close', resolve).resume())

// Each waits most of its time.
suite('asked to stop', { concurrency: true }, () => {
  test('it lets a sign-in under way finish, takes nothing new, waits for nobody idle, and ends with status 0', async (t) => {
    const server = await startWith(t, await slowDigest())
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    const order: string[] = []
    // One that has asked and may ask again, and one that was opened in advance, as browsers do.
    const idle = await open(server.port)
    const asked = new Promise((resolve) => idle.once('data', resolve))
    idle.write('GET /api/health HTTP/1.1\r\nHost: x\r\n\r\n')
    await asked
    const unused = await open(server.port)
    const gone = Promise.all([closed(idle), closed(unused)]).then(() => order.push('idle closed'))

    const { answer } = await sendSignIn(server, agent)
    server.signal('SIGTERM')
    await server.until(/msg="stopping" signal=SIGTERM/)
    // One that waited to be accepted at that moment is reset.
    await eventually(
      () => request(server.port, '/api/health').then(String, (error) => error.code),
      (code) => code === 'ECONNREFUSED',
    )
    // A reload has nothing to do any more, and must not end the process as it would by default.
    server.signal('SIGHUP')
    const { statusCode, headers } = await answer
    order.push('answered')
    assert.equal(statusCode, 200)
    assert.match(headers['set-cookie']?.[0] ?? '', /^vestibule_session=/)
    assert.equal(await server.ended, 0)
    await gone
    assert.deepEqual(order, ['idle closed', 'answered'])
    // The connection that the answer left open was not waited for either.
    assert.doesNotMatch(server.output(), /were cut/)
    agent.destroy()
  })

  test('a request that never ends is cut, and said so, and it still ends with status 0', async (t) => {
    const server = await startWith(t, await slowDigest())
    const endless = await open(server.port)
    endless.on('error', () => {})
    endless.write(
      'POST /api/firstfactor HTTP/1.1\r\nHost: auth.vestibule.localhost\r\nContent-Length: 100\r\n\r\n{',
    )
    await server.request('/api/health')
    server.signal('SIGINT')
    assert.equal(await server.ended, 0)
    assert.match(server.output(), /msg="stopping" signal=SIGINT/)
    assert.match(server.output(), /connections were cut that did not end in time" connections=1/)
  })
})

// Apart from the others: its digest takes the processor from sign-ins that have eight seconds to end.
test('asked twice to stop, it ends at once', async (t) => {
  // Nobody's password: only the work counts, as much as a digest may ask for.
  const digest = `$argon2id$v=19$m=65536,t=250,p=1$${'c'.repeat(22)}$${'d'.repeat(43)}`
  const server = await startWith(t, digest)
  const { answer } = await sendSignIn(server)
  server.signal('SIGTERM')
  await server.until(/msg="stopping"/)
  server.signal('SIGTERM')
  // Killed by the signal: it did not wait for the answer.
  assert.equal(await server.ended, null)
  await assert.rejects(answer, { code: 'ECONNRESET' })
})
