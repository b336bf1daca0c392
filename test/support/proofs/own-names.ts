/** With names and a base path of somebody's own, in a scene of their own. */
import assert from 'node:assert/strict'
import { cookiesOf, DOMAIN, HTML, OWN, type Proof } from './scene.ts'

export const OWN_PROOFS = {
  'own-headers': {
    title: 'headers that you have named are as safe: no mixture of - _ . reaches the app',
    async prove({ ask, app, cookie }) {
      const names = Object.values(OWN.identityHeaders)
      for (const first of ['-', '_', '.'])
        for (const second of ['-', '_', '.']) {
          const forged = names.map((name) => {
            const [head, ...tail] = name.split(/[-_]/)
            return [`${head}${first}${tail.join(second)}`, 'mallory']
          })
          const headers = { Cookie: cookie, ...Object.fromEntries(forged) }
          const answer = await ask('/', { headers })
          // A proxy may refuse such names altogether.
          if (answer.status === 400 && `${first}${second}` !== '--') continue
          assert.equal(answer.status, 200, `${first} ${second}`)
          assert.deepEqual(
            names.map((name) => app.folded(name).filter((value) => value !== '')),
            [['john'], ['admins,dev'], ['J\u00c3\u00b6hn D\u00c3\u00b8e'], ['john@example.com']],
            `${first} ${second}`,
          )
        }
    },
  },
  'own-cookie': {
    title: 'a session cookie whose name you have chosen is kept from the app, whatever its signs',
    async prove({ ask, app, cookie }) {
      const answer = await ask('/', { headers: { Cookie: `a=b; ${cookie}; c=d` } })
      assert.equal(answer.status, 200)
      assert.deepEqual(cookiesOf(app), ['a=b; c=d'])
    },
  },
  'base-path': {
    title: 'a portal below a base path works, and its verify endpoints are closed there too',
    async prove({ ask, portal }) {
      const away = await ask('/x', { headers: { Accept: HTML } })
      assert.equal(away.status, 302)
      assert.ok(
        away.headers.location?.startsWith(`${portal}${OWN.basePath}/?`),
        away.headers.location,
      )
      const page = await ask(`${OWN.basePath}/`, { host: 'auth', headers: { Accept: HTML } })
      assert.equal(page.status, 200)
      assert.ok(page.body.includes('<form'))
      const headers = { 'X-Original-URL': `http://public.${DOMAIN}/`, 'X-Original-Method': 'GET' }
      for (const path of ['/verify', '/api/verify', '/api/authz/auth-request'])
        for (const base of ['', OWN.basePath]) {
          const { status } = await ask(base + path, { host: 'auth', headers })
          assert.ok([404, 503].includes(status), `${base}${path} ${status}`)
        }
    },
  },
} as const satisfies Readonly<Record<string, Proof>>
