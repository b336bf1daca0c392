/** What has to be true of one proxy in front of the apps of two cookie domains, each with a cookie and a portal of its own. */
import assert from 'node:assert/strict'
import { Traveller } from '../../hub/traveller.ts'
import { PASSWORD, request } from '../server.ts'
import { raw } from '../wire.ts'
import type { Proof } from './scene.ts'

const HTML = 'text/html,application/xhtml+xml,*/*;q=0.8'

export const DOMAIN_PROOFS = {
  'domains-asked': {
    title: 'apps of two cookie domains: each leads to its own portal, and opens to its own session',
    async prove({ ask, app, during, domains, port }) {
      assert.equal(domains.length, 2)
      for (const { domain, portal, user, cookie } of domains) {
        const away = await ask('/a?b=c', { domain, headers: { Accept: HTML } })
        assert.equal(away.status, 302)
        const location = new URL(away.headers.location ?? '')
        assert.equal(location.origin, portal)
        assert.equal(location.searchParams.get('rd'), `http://app.${domain}:${port}/a?b=c`)
        const known = await ask('/', { domain, headers: { Cookie: cookie } })
        assert.equal(known.status, 200)
        assert.deepEqual(app.folded('Remote-User'), [user])
        assert.deepEqual(app.folded('Host'), [`app.${domain}:${port}`])
        for (const other of domains.filter((one) => one.domain !== domain)) {
          const seen = await during(async () => {
            const answer = await ask('/', { domain, headers: { Cookie: other.cookie } })
            assert.ok([302, 401].includes(answer.status), String(answer.status))
          })
          assert.deepEqual(seen, [])
        }
      }
    },
  },
  'domains-cookie': {
    title: 'of two cookie domains, no app sees the session cookie of either',
    async prove({ ask, app, domains }) {
      const all = domains.map(({ cookie }) => cookie).join('; ')
      for (const { domain } of domains)
        for (const host of ['app', 'public'] as const)
          for (const [sent, left] of [
            [`a=b; ${all}; c=d`, ['a=b; c=d']],
            [all, []],
          ] as const) {
            const answer = await ask('/', { host, domain, headers: { Cookie: sent } })
            assert.equal(answer.status, 200)
            const seen = app.folded('Cookie').map((text) => text.replace(/;\s*$/, ''))
            assert.deepEqual(seen, left, `${host}.${domain}`)
          }
    },
  },
  'domains-portals': {
    title:
      'the portals of two cookie domains work through one proxy, and no client asks for verdicts there',
    async prove({ ask, domains }) {
      for (const { domain, user, cookie } of domains) {
        const state = await ask('/api/state', { host: 'auth', domain, headers: { Cookie: cookie } })
        assert.equal(JSON.parse(state.body).data.username, user)
        const headers = { 'X-Original-URL': `http://public.${domain}/`, 'X-Original-Method': 'GET' }
        for (const path of ['/verify', '/api/verify', '/api/authz/auth-request']) {
          const { status } = await ask(path, { host: 'auth', domain, headers })
          assert.ok([404, 503].includes(status), `${domain}${path} ${status}`)
        }
      }
    },
  },
  'domains-login': {
    title:
      'one sign-in, at the portal of one cookie domain, opens an app of the other through the same proxy',
    async prove({ app, domains, port }) {
      const [first, second] = domains
      assert.ok(first && second)
      const through = {
        request: (...asked: Tail<Parameters<typeof request>>) => request(port, ...asked),
      }
      const portals = domains.map(({ portal }) => new URL(portal).host)
      const browser = new Traveller(through, portals)
      const page = (domain: string) => `http://app.${domain}:${port}/page`
      const away = await browser.ask(page(first.domain))
      const form = await browser.visit(away.headers.location ?? '')
      const done = await browser.signIn(form.url, { username: 'john', password: PASSWORD })
      assert.equal(done.url.href, page(first.domain))
      const other = await browser.ask(page(second.domain))
      const { url } = await browser.visit(other.headers.location ?? '')
      assert.equal(url.href, page(second.domain))
      assert.equal((await browser.ask(url)).status, 200)
      assert.deepEqual(app.folded('Remote-User'), ['john'])
    },
  },
  'domains-unknown': {
    title: 'of two cookie domains, a host that the proxy was not told of is no app’s',
    async prove({ port, during, domains }) {
      const cookies = `Cookie: ${domains.map(({ cookie }) => cookie).join('; ')}`
      for (const host of [
        ...domains.flatMap(({ domain }) => [domain, `open.${domain}`, `app.${domain}.nobody.test`]),
        'app.third.localhost',
        'nobody.test',
      ])
        for (const path of ['/secret', `http://${host}/secret`]) {
          const seen = await during(() =>
            raw(port, `GET ${path} HTTP/1.1`, [`Host: ${host}:${port}`, cookies]),
          )
          assert.deepEqual(seen, [], host)
        }
    },
  },
} as const satisfies Readonly<Record<string, Proof>>

type Tail<T extends readonly unknown[]> = T extends readonly [unknown, ...infer R] ? R : never
