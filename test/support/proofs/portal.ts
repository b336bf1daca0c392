/** The portal behind the same proxy. */
import assert from 'node:assert/strict'
import { PASSWORD } from '../server.ts'
import { raw } from '../wire.ts'
import { ADDRESS, DOMAIN, HTML, type Proof } from './scene.ts'

export const PORTAL_PROOFS = {
  portal: {
    title: 'the portal works through the same proxy, which says whose address it is',
    async prove({ ask, server, cookie }) {
      const page = await ask('/', { host: 'auth', headers: { Accept: HTML } })
      assert.equal(page.status, 200)
      assert.ok(page.body.includes('<form'))
      const state = await ask('/api/state', { host: 'auth', headers: { Cookie: cookie } })
      assert.equal(JSON.parse(state.body).data.username, 'john')
      const signIn = (password: string) =>
        ask('/api/firstfactor', {
          host: 'auth',
          method: 'POST',
          headers: {
            'Content-Type': 'application/json',
            'X-Forwarded-For': '203.0.113.9',
            'X-Forwarded-Host': 'elsewhere.test',
            'X-Forwarded-Proto': 'gopher',
          },
          body: JSON.stringify({ username: 'bob', password }),
        })
      const { status, headers } = await signIn(PASSWORD)
      assert.equal(status, 200)
      const session = headers['set-cookie']?.filter((text) => text.startsWith('vestibule_session='))
      assert.equal(session?.length, 1)
      const said = server.output().length
      assert.equal((await signIn('wrong')).status, 401)
      const [, address] = await server.until(/Unsuccessful 1FA .*remote_ip"?[=:]"?([^\s"]+)/, said)
      assert.match(address ?? '', ADDRESS)
    },
  },
  endpoints: {
    title: 'at the portal’s host no client may ask the verify endpoints',
    async prove({ ask, port }) {
      for (const path of [
        '/verify',
        '/%76erify',
        '/verify?x',
        '/api/verify',
        '/api/verify/x',
        '/api/authz/forward-auth',
        '/api/authz/ext-authz/x',
      ])
        assert.equal((await ask(path, { host: 'auth' })).status, 404, path)
      const lines = [`Host: auth.${DOMAIN}`, 'X-Forwarded-Method: GET']
      for (const path of [
        '/api/verify/../x',
        '/api/verify/../../x',
        '/api/verify/%2e%2e/x',
        '/api/authz/ext-authz/../../x',
        '/api/authz/ext-authz/../../../',
        '/api/authz/ext%2dauthz/../../../x',
        '/api/verify/..;/x',
        '/verify/../',
        `http://auth.${DOMAIN}/api/verify/../../x`,
        `http:///api/verify/../../x`,
      ]) {
        const answer = await raw(port, `GET ${path} HTTP/1.1`, lines)
        // None of the answers that a verdict has. Where `..` is cleaned away, it is the way to a page.
        assert.match(answer, /^HTTP\/1\.1 (?:4(?:00|04|21)|503) |id="sign-in"/, path)
        assert.doesNotMatch(answer, /^remote-user:/im, path)
      }
      // However the path is spelled, there is no verdict.
      const headers = {
        'X-Original-URL': `http://public.${DOMAIN}/`,
        'X-Original-Method': 'GET',
        'X-Forwarded-Uri': '/',
      }
      for (const path of [
        '//verify',
        '/x/../verify',
        '/./verify',
        '/api//verify',
        '/api/%76erify',
        '/api/authz/auth-request',
        '//api/authz/auth-request',
        '/api/authz%2Fauth-request',
      ]) {
        const answer = await ask(path, { host: 'auth', headers })
        assert.ok(![200, 401].includes(answer.status), `${path} ${answer.status}`)
        assert.equal(answer.headers['remote-user'], undefined, path)
      }
    },
  },
} as const satisfies Readonly<Record<string, Proof>>
