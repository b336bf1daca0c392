import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { before, suite, test } from 'node:test'
import { suiteCleanup } from '../support/cleanup.ts'
import { type Answer, type RunningServer, startServer } from '../support/server.ts'
import { CHEAP, usersYaml } from '../support/users.ts'

const PORTAL = 'auth.example.com'
const ORIGIN = `https://${PORTAL}`

suite('the portal, over connections that are no browser’s', () => {
  const t = suiteCleanup()
  let server: RunningServer

  before(async () => {
    server = await startServer(t, {
      config: { ...CHEAP, session: { cookies: [{ domain: 'example.com', portal_url: ORIGIN }] } },
      users: await usersYaml({ john: {} }),
    })
  })

  const ask = (path: string): Promise<Answer> => server.request(path, { headers: { Host: PORTAL } })

  // Each was an error with a stack in the log: any client could fill the log with errors.
  test('who goes away in the middle of a body leaves no error behind', async () => {
    const mark = server.output().length
    for (const [path, type] of [
      ['/api/firstfactor', 'application/json'],
      ['/', 'application/x-www-form-urlencoded'],
    ]) {
      const socket = connect(server.port, '127.0.0.1')
      await once(socket, 'connect')
      socket.write(
        `POST ${path} HTTP/1.1\r\nHost: ${PORTAL}\r\nOrigin: ${ORIGIN}\r\nContent-Type: ${type}\r\nContent-Length: 100\r\n\r\n{`,
      )
      // An answer on another connection: by then the server has read this one.
      await ask('/api/health')
      socket.destroy()
    }
    await server.until(/BODY_INVALID[\s\S]*BODY_INVALID/, mark)
    assert.doesNotMatch(server.output().slice(mark), /level=error|stack=/)
  })
  test('who asks for page after page and reads none is cut off, and nobody else notices', async () => {
    const socket = connect(server.port, '127.0.0.1')
    const ended = new Promise<void>((resolve) => {
      socket.on('error', () => {})
      socket.once('close', () => resolve())
    })
    socket.pause()
    socket.write(`GET / HTTP/1.1\r\nHost: ${PORTAL}\r\n\r\n`.repeat(500))
    socket.resume()
    await ended
    assert.equal((await ask('/')).status, 200)
  })
  test('an address that leads out of the files is not there', async () => {
    assert.equal((await ask('/static/../../package.json')).status, 404)
  })
})
