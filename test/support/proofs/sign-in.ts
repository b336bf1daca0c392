/** How a caller without a session is answered, and who is told no. */
import assert from 'node:assert/strict'
import { PASSWORD } from '../server.ts'
import { assertNo, DOMAIN, HTML, type Proof } from './scene.ts'

export const SIGN_IN_PROOFS = {
  'to-portal': {
    title: 'a browser without session is sent to the portal, with where it wanted to go',
    async prove({ ask, port, portal }) {
      const answer = await ask('/a/b%20c?d=e&f=g%26h', { headers: { Accept: HTML } })
      assert.equal(answer.status, 302)
      const location = new URL(answer.headers.location ?? '')
      assert.equal(location.origin, portal)
      assert.equal(
        location.searchParams.get('rd'),
        `http://app.${DOMAIN}:${port}/a/b%20c?d=e&f=g%26h`,
      )
      assert.equal(location.searchParams.get('rm'), 'GET')
      const head = await ask('/', { method: 'HEAD', headers: { Accept: HTML } })
      assert.equal(head.status, 302)
    },
  },
  'post-303': {
    title: 'a browser that posts without session is sent there with 303',
    async prove({ ask }) {
      const answer = await ask('/form', { method: 'POST', headers: { Accept: HTML }, body: 'a=b' })
      assert.equal(answer.status, 303)
      assert.equal(new URL(answer.headers.location ?? '').searchParams.get('rm'), 'POST')
    },
  },
  script: {
    title: 'a script without session gets 401, where to sign in, and no HTML',
    async prove({ ask, portal }) {
      for (const headers of [
        { Accept: 'application/json' },
        { Accept: '*/*', 'Sec-Fetch-Mode': 'cors' },
        { Accept: HTML, 'X-Requested-With': 'XMLHttpRequest' },
      ]) {
        const answer = await ask('/api', { headers })
        assert.equal(answer.status, 401)
        assert.ok(answer.headers.location?.startsWith(`${portal}/?rd=`), answer.headers.location)
        assert.doesNotMatch(answer.headers['content-type'] ?? '', /html/)
        assert.ok(!answer.body.includes('<'), 'HTML')
        if (headers.Accept === 'application/json')
          assert.equal(JSON.parse(answer.body).login_url, answer.headers.location)
      }
    },
  },
  basic: {
    title:
      'a program gets in with a name and a password (Basic), and is told what to send when they are wrong',
    async prove({ ask, app, during }) {
      const basic = (password: string) => ({
        Authorization: `Basic ${Buffer.from(`john:${password}`).toString('base64')}`,
      })
      const known = await ask('/', { headers: basic(PASSWORD) })
      assert.equal(known.status, 200)
      assert.deepEqual(app.folded('Remote-User'), ['john'])
      const seen = await during(async () => {
        const wrong = await ask('/', { headers: basic('wrong') })
        assert.equal(wrong.status, 401)
        assert.match(wrong.headers['www-authenticate'] ?? '', /^Basic realm=/)
      })
      assert.deepEqual(seen, [])
    },
  },
  forbidden: {
    title: 'who may not enter is told so: a browser by a page, a script by a plain 403',
    async prove({ ask, others: { bob }, cookie, portal }) {
      const page = await ask('/secret', { host: 'admin', headers: { Cookie: bob, Accept: HTML } })
      if (page.status === 303) {
        assert.ok(page.headers.location?.startsWith(`${portal}/forbidden?rd=`))
      } else {
        assert.equal(page.status, 403)
        assert.match(page.headers['content-type'] ?? '', /^text\/html/)
        assert.match(String(page.headers['content-security-policy']), /default-src/)
        assert.ok(page.body.includes('bob'))
        assert.ok(page.body.trimEnd().endsWith('</html>'))
      }
      const data = await ask('/secret', { host: 'admin', headers: { Cookie: bob } })
      assert.equal(data.status, 403)
      assert.ok(!data.body.includes('<'), 'HTML')
      const allowed = await ask('/secret', { host: 'admin', headers: { Cookie: cookie } })
      assert.equal(allowed.status, 200)
    },
  },
  own: {
    title: 'the app’s own 401 and 403 stay its own',
    async prove({ ask, cookie }) {
      for (const status of [401, 403]) {
        const answer = await ask(`/own-${status}`, { headers: { Cookie: cookie, Accept: HTML } })
        assert.equal(answer.status, status)
        assert.equal(answer.body, `the app says ${status}`)
      }
    },
  },
  'two-factor': {
    title: 'nobody gets through a rule that asks for two factors',
    async prove({ ask, cookie, during }) {
      const seen = await during(async () => {
        assertNo((await ask('/', { host: 'bank', headers: { Cookie: cookie } })).status)
      })
      assert.deepEqual(seen, [])
    },
  },
  logout: {
    title: 'a session that was signed out opens nothing',
    async prove({ ask, server, others: { leaving: mine } }) {
      assert.equal((await ask('/', { headers: { Cookie: mine } })).status, 200)
      await server.request('/api/logout', {
        method: 'POST',
        headers: { Host: `auth.${DOMAIN}`, Cookie: mine, 'Content-Type': 'application/json' },
        body: '{}',
      })
      assertNo((await ask('/', { headers: { Cookie: mine } })).status)
    },
  },
} as const satisfies Readonly<Record<string, Proof>>
