/** A browser that opens the server by a name that no cookie domain covers. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freePort } from '../support/nginx.ts'
import { startServer } from '../support/server.ts'
import { usersYaml } from '../support/users.ts'

const HTML = { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }

test('localhost leads to the portal on the same port, and other names are told where it is', async (t) => {
  const server = await startServer(t, { users: await usersYaml({ john: {} }) })
  const portal = `http://auth.vestibule.localhost:${server.port}/`
  for (const host of ['localhost', '127.0.0.1', '[::1]']) {
    const answer = await server.request('/', {
      headers: { ...HTML, Host: `${host}:${server.port}` },
    })
    assert.equal(answer.status, 302, host)
    assert.equal(answer.headers.location, portal)
  }
  const machine = await server.request('/', { headers: { ...HTML, Host: '192.0.2.7:9091' } })
  assert.equal(machine.status, 403)
  assert.ok(machine.body.includes(`href="${portal}"`), machine.body)
  assert.match(machine.body, /You opened 192\.0\.2\.7\./)
  assert.match(machine.body, /set session\.cookies/)
  const script = await server.request('/api/state', { headers: { Host: 'localhost' } })
  assert.equal(script.status, 403)
  assert.equal(script.headers.location, undefined)
})

test('a proxy that hides the host sends nobody in circles', async (t) => {
  // The portal is at the proxy; what the proxy passes on says `localhost`.
  const proxy = await freePort()
  const server = await startServer(t, {
    users: await usersYaml({ john: {} }),
    config: {
      session: {
        cookies: [
          {
            domain: 'vestibule.localhost',
            portal_url: `http://auth.vestibule.localhost:${proxy}`,
          },
        ],
      },
    },
  })
  const answer = await server.request('/', {
    headers: { ...HTML, Host: `localhost:${server.port}` },
  })
  assert.equal(answer.status, 403)
  assert.ok(answer.body.includes(`href="http://auth.vestibule.localhost:${proxy}/"`))
  assert.match(answer.body, /it has to pass on the host/)
})
