/** Paths and bodies reach the app as they were asked about. */
import assert from 'node:assert/strict'
import { raw } from '../wire.ts'
import { DOMAIN, HTML, type Proof } from './scene.ts'

const PATHS = [
  '/a%2Fb',
  '/%C3%BCber',
  '/a//b',
  '/a/./b?x=%26&y',
  '/a/%2e%2e/b',
  '/a%5Cb',
  '/a;b=c',
  '/?',
]
/** Sent by nobody but people who try. */
const ODD_PATHS = [
  '///a',
  '/.//a',
  '/%2e//a',
  '/x/..//a',
  '/xadmin/..//',
  '/../a',
  '/a/../../b',
  '/\\a',
  '/a#b',
  '/a?b#c?d',
  '/a"<>|b',
  '/%',
  '/a%zz',
  '/a%00b',
  '/a\u00fcb',
  '/a%c0%afb',
]

export const PATH_PROOFS = {
  body: {
    title: 'a POST arrives whole, with a length and in chunks',
    async prove({ ask, port, app, cookie }) {
      const body = 'x'.repeat(100_000)
      const answer = await ask('/upload', { method: 'POST', headers: { Cookie: cookie }, body })
      assert.equal(answer.status, 200)
      assert.equal(app.seen.at(-1)?.body.length, body.length)
      assert.equal(app.seen.at(-1)?.method, 'POST')
      const chunked = await raw(
        port,
        'POST /upload HTTP/1.1',
        [`Host: app.${DOMAIN}`, `Cookie: ${cookie}`, 'Transfer-Encoding: chunked'],
        '5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n',
      )
      assert.match(chunked, /^HTTP\/1\.1 200 /)
      assert.equal(app.seen.at(-1)?.body, 'hello world')
    },
  },
  paths: {
    title: 'the path that the app gets is the one that was asked about, however odd',
    async prove({ port, app, cookie }) {
      const host = `Host: app.${DOMAIN}:${port}`
      let passed = 0
      for (const path of [...PATHS, '//a', ...ODD_PATHS]) {
        const seen = app.seen.length
        const known = await raw(port, `GET ${path} HTTP/1.1`, [host, `Cookie: ${cookie}`])
        const url = app.seen[seen]?.url
        // What a proxy refuses by itself, or we by no rule, does not reach the app.
        if (url === undefined) assert.doesNotMatch(known, /^HTTP\/1\.1 [23]/, path)
        else passed++
        const anonymous = await raw(port, `GET ${path} HTTP/1.1`, [host, `Accept: ${HTML}`])
        if (url === undefined) continue
        const location = /^location: (\S+)/im.exec(anonymous)?.[1]
        const asked = new URL(location ?? '').searchParams.get('rd') ?? ''
        assert.equal(Buffer.from(url, 'latin1').toString(), asked.replace(/^http:\/\/[^/?#]*/, ''))
      }
      assert.ok(passed >= 6, `${passed} passed`)
    },
  },
  verbatim: {
    title: 'paths reach the app exactly as they were sent',
    async prove({ ask, app, cookie }) {
      for (const path of PATHS) {
        const answer = await ask(path, { headers: { Cookie: cookie } })
        assert.equal(answer.status, 200, path)
        assert.equal(app.seen.at(-1)?.url, path)
      }
    },
  },
  slashes: {
    title: 'a path that begins with two slashes reaches the app as it was sent',
    async prove({ ask, app, cookie }) {
      assert.equal((await ask('//a?b', { headers: { Cookie: cookie } })).status, 200)
      assert.equal(app.seen.at(-1)?.url, '//a?b')
    },
  },
  long: {
    title:
      'an address and cookies of 8 KiB pass with a session, and come back from the portal without',
    async prove({ ask, port, app, cookie }) {
      const path = `/${'a'.repeat(4100)}?${'%C3%BC'.repeat(690)}`
      assert.ok(path.length > 8 * 1024)
      assert.equal((await ask(path, { headers: { Cookie: cookie } })).status, 200)
      const answer = await ask(path, { headers: { Accept: HTML } })
      assert.equal(answer.status, 302)
      assert.equal(
        new URL(answer.headers.location ?? '').searchParams.get('rd'),
        `http://app.${DOMAIN}:${port}${path}`,
      )
      const mine = `a=${'b'.repeat(9000)}`
      assert.equal((await ask('/', { headers: { Cookie: `${mine}; ${cookie}` } })).status, 200)
      assert.ok(app.folded('Cookie').join().includes(mine), 'the cookies')
    },
  },
  targets: {
    title:
      'what does not begin with a slash is refused before it is asked about: `http://…`, `*`, a host, nothing',
    async prove({ port, cookie, during }) {
      for (const host of ['app', 'public'])
        for (const target of [
          `http://${host}.${DOMAIN}/a`,
          `http://${host}.${DOMAIN}:${port}/a`,
          `http://${host}.${DOMAIN}?a`,
          'http:///public/../a',
          `http://x\\a\\b@${host}.${DOMAIN}/c`,
          '*',
          '*/a',
          '?a',
          '#/a',
          '\\a',
          'a',
          `${host}.${DOMAIN}:80`,
        ])
          for (const method of ['GET', 'OPTIONS']) {
            const lines = [`Host: ${host}.${DOMAIN}`, `Cookie: ${cookie}`]
            const seen = await during(async () => {
              const answer = await raw(port, `${method} ${target} HTTP/1.1`, lines)
              // A proxy may answer an OPTIONS about itself.
              if (method === 'GET') assert.match(answer, /^(?:HTTP\/1\.[01] 4|$)/, target)
            })
            assert.deepEqual(seen, [], `${method} ${target}`)
          }
    },
  },
} as const satisfies Readonly<Record<string, Proof>>
