import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, suite, test } from 'node:test'
import { suiteCleanup } from '../support/cleanup.ts'
import { assertDiscreet } from '../support/discretion.ts'
import { PASSWORD, type RunningServer, signIn, startServer } from '../support/server.ts'
import { CHEAP, usersYaml } from '../support/users.ts'
import { eventuallyAnswers, verdict } from '../support/verdict.ts'

const PORTAL = { Host: 'auth.vestibule.localhost' }
const HTML = { Accept: 'text/html' }

suite('the log', () => {
  const t = suiteCleanup()
  let server: RunningServer
  let cookie: string

  before(async () => {
    server = await startServer(t, { config: CHEAP, users: await usersYaml({ john: {}, bob: {} }) })
    cookie = await signIn(server.port, 'john')
  })

  // There were three: the sign-in, its audit line, and the audit line of the new device.
  test('a sign-in is one line', async () => {
    const from = server.output().length
    await signIn(server.port, 'bob')
    assert.equal((await verdict(server.port, undefined)).status, 401)
    await server.until(/access needs a sign-in/, from)
    const lines = server.output().slice(from).trim().split('\n')
    assert.equal(lines.length, 2, lines.join('\n'))
    assert.match(
      lines[0] ?? '',
      /event=login\.succeeded .*new_device=true|new_device=true .*event=login\.succeeded/,
    )
  })

  test('a request that passes writes nothing at info, with a session or without one', async () => {
    await server.until(/event=login.succeeded/)
    const from = server.output().length
    for (let i = 0; i < 25; i++) {
      assert.equal((await verdict(server.port, cookie)).status, 200)
      assert.equal((await verdict(server.port, cookie, { app: 'public' })).status, 200)
      assert.equal((await verdict(server.port, undefined, { app: 'public' })).status, 200)
    }
    // What is said next would come after it.
    assert.equal((await verdict(server.port, undefined)).status, 401)
    await server.until(/access needs a sign-in/, from)
    assert.equal(
      server.output().slice(from).trim().split('\n').length,
      1,
      server.output().slice(from),
    )
  })

  test('what a visitor is shown names the very line of the log', async () => {
    const page = await server.request('/verify', {
      headers: {
        Host: 'vestibule',
        ...HTML,
        'X-Original-URL': 'http://admin.vestibule.localhost/',
        'X-Original-Method': 'GET',
        Cookie: cookie,
      },
    })
    assert.equal(page.status, 403)
    const error = await server.request('/%zz', { headers: { ...PORTAL, ...HTML } })
    assert.equal(error.status, 400)
    const data = await server.request('/api/logout', {
      method: 'POST',
      headers: { ...PORTAL, Origin: 'https://evil.test' },
      body: '{}',
    })
    assert.equal(data.status, 403)
    const ids = [page, error].map(
      ({ body }) => /class="request-id">[^<]*?([\w-]{9,})</.exec(body)?.[1],
    )
    ids.push(JSON.parse(data.body).request_id)
    assert.equal(new Set(ids).size, 3)
    for (const id of ids) {
      assert.ok(id !== undefined && id.length > 8, String(id))
      await server.until(new RegExp(`^time=.* request_id=${id} `, 'm'))
    }
  })
})

for (const format of ['text', 'json'])
  test(`not even at trace does it hold a password, a cookie, a digest or a token (${format})`, async (t) => {
    const server = await startServer(t, {
      config: {
        ...CHEAP,
        log: { level: 'trace', format },
        session: {
          secret: 'the-secret-of-all-sessions-is-long-enough',
          cookies: [
            { domain: 'vestibule.localhost', portal_url: 'http://auth.vestibule.localhost' },
          ],
        },
      },
      users: await usersYaml({ john: {}, bob: {} }),
    })
    const { port } = server
    const cookies = [await signIn(port, 'john'), await signIn(port, 'bob')]
    const [john = '', bob = ''] = cookies
    const wrong = 'wrong-but-nearly-right'
    await assert.rejects(signIn(port, 'john', wrong), /401/)
    // In the wrong field, in a form, in a broken body, and in one that is too long.
    await assert.rejects(signIn(port, wrong, 'x'), /401/)
    const form = { ...PORTAL, Origin: 'http://auth.vestibule.localhost' }
    for (const [path, headers, body] of [
      [
        '/',
        { ...form, 'Content-Type': 'application/x-www-form-urlencoded' },
        `username=john&password=${wrong}`,
      ],
      ['/', { ...form, 'Content-Type': 'text/plain' }, `username=john&password=${wrong}`],
      ['/api/firstfactor', PORTAL, `{"username":"john","password":"${wrong}"`],
      [
        '/api/firstfactor',
        PORTAL,
        JSON.stringify({ username: 'john', password: wrong.repeat(9_000) }),
      ],
      ['/api/logout', { ...PORTAL, Cookie: bob }, '{}'],
    ] as const) {
      const { status } = await server.request(path, { method: 'POST', headers, body })
      assert.ok(status < 500, `${path} ${status}`)
    }
    const basic = (password: string) =>
      `Basic ${Buffer.from(`john:${password}`).toString('base64')}`
    const token = 'a-token-of-the-app-itself'
    for (const authorization of [basic(wrong), basic(PASSWORD), `Bearer ${token}`]) {
      for (const app of ['app', 'admin'])
        await server.request('/verify', {
          headers: {
            Host: 'vestibule',
            ...HTML,
            'X-Original-URL': `http://${app}.vestibule.localhost/?access_token=${token}`,
            'X-Original-Method': 'GET',
            Authorization: authorization,
            'Proxy-Authorization': authorization,
          },
        })
    }
    await verdict(port, john)
    await verdict(port, `${john}; ${bob}`)
    await verdict(port, john.replace(/.{4}$/, 'AAAA'))
    await server.request(`/?rd=http://app.vestibule.localhost/?t=${token}`, {
      headers: { ...PORTAL, Cookie: john },
    })
    // Faults about secrets, in both files.
    const config = readFileSync(server.configFile, 'utf8')
    writeFileSync(
      server.configFile,
      config.replace('long-enough"', 'long-enough", "secrte": "misspelt-secret"'),
    )
    await server.until(/stays active/)
    const users = readFileSync(server.usersFile, 'utf8')
    for (const faulty of [
      users.replace('$argon2id$v=19', '$argon2idd$v=19'),
      users.replaceAll('$argon2id$', '$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$'),
    ]) {
      const from = server.output().length
      writeFileSync(server.usersFile, faulty)
      await server.until(/users file was not taken up/, from)
    }
    // The next start would refuse them, and so does a reload of the configuration.
    writeFileSync(server.usersFile, users)
    writeFileSync(server.configFile, config.replace('one_factor', 'deny'))
    await eventuallyAnswers(port, john, 403)
    await server.stop()
    assertDiscreet(server.output(), {
      dataDirectory: join(server.folder, 'data'),
      secrets: [
        PASSWORD,
        wrong,
        token,
        ...cookies,
        basic(PASSWORD).slice(6),
        basic(wrong).slice(6),
        'the-secret-of-all-sessions',
        'misspelt-secret',
      ],
    })
  })
