/** What the app learns of who it is, and what it never sees of a session. */
import assert from 'node:assert/strict'
import { raw } from '../wire.ts'
import { cookiesOf, DOMAIN, IDENTITY, MANY_GROUPS, openSocket, type Proof } from './scene.ts'

export const IDENTITY_PROOFS = {
  identity: {
    title: 'the app learns who it is: each identity header exactly once, names in UTF-8',
    async prove({ ask, port, app, cookie }) {
      const answer = await ask('/', { headers: { Cookie: cookie } })
      assert.equal(answer.status, 200)
      assert.deepEqual(app.folded('Remote-User'), ['john'])
      assert.deepEqual(app.folded('Remote-Groups'), ['admins,dev'])
      assert.deepEqual(app.folded('Remote-Email'), ['john@example.com'])
      assert.deepEqual(app.folded('Host'), [`app.${DOMAIN}:${port}`])
      assert.deepEqual(
        app.folded('Remote-Name').map((name) => Buffer.from(name, 'latin1').toString()),
        ['Jöhn Døe'],
      )
    },
  },
  groups: {
    title: 'the groups of a user who is in hundreds of them arrive whole',
    async prove({ ask, app, others }) {
      assert.equal((await ask('/', { headers: { Cookie: others.ann } })).status, 200)
      assert.deepEqual(app.folded('Remote-Groups'), [MANY_GROUPS.join(',')])
    },
  },
  forged: {
    title:
      'identity headers of a client, in any spelling (`Remote_User`, `Remote.User`), never reach the app',
    async prove({ ask, app, cookie }) {
      for (const host of ['app', 'public'] as const) {
        for (const sign of ['-', '_', '.', '!', '~', '|', "'", '`']) {
          const forged = Object.fromEntries(
            IDENTITY.map((name) => [name.replaceAll('-', sign), 'mallory']),
          )
          const headers = host === 'app' ? { ...forged, Cookie: cookie } : forged
          const answer = await ask('/', { host, headers })
          // A proxy may refuse such names altogether.
          if (answer.status === 400 && sign !== '-') continue
          assert.equal(answer.status, 200, `${host} ${sign}`)
          assert.doesNotMatch(JSON.stringify(app.seen.at(-1)?.headers), /mallory/)
          assert.deepEqual(
            app.folded('Remote-User').filter((value) => value !== ''),
            host === 'app' ? ['john'] : [],
            `${host} ${sign}`,
          )
        }
      }
    },
  },
  cookie: {
    title: 'the app never sees the session cookie; its own cookies stay',
    async prove({ ask, port, app, cookie }) {
      for (const [sent, left] of [
        [`theme=dark; ${cookie}; lang=en`, ['theme=dark; lang=en']],
        [`${cookie}; lang=en`, ['lang=en']],
        [`theme=dark; ${cookie}`, ['theme=dark']],
        [cookie, []],
        [`x${cookie}; a=vestibule_session; b="c"`, [`x${cookie}; a=vestibule_session; b="c"`]],
      ] as const) {
        await ask('/', { host: 'public', headers: { Cookie: sent } })
        assert.deepEqual(cookiesOf(app), left, sent)
      }
      assert.equal((await ask('/', { headers: { Cookie: `a=b; ${cookie}` } })).status, 200)
      assert.deepEqual(cookiesOf(app), ['a=b'])
      await openSocket(port, { Cookie: cookie })
      assert.deepEqual(cookiesOf(app), [])
    },
  },
  'cookie-trick': {
    title: 'the session cookie is kept from the app however often and however oddly it comes',
    async prove({ port, ask, app, cookie }) {
      const [name, value = ''] = cookie.split('=')
      const other = `${value.slice(0, -1)}${value.endsWith('A') ? 'B' : 'A'}`
      for (const sent of [
        `a=1; ${cookie}; ${name}=${other}; b=2`,
        `${cookie};${cookie};${cookie};${cookie};${cookie}`,
        `${name} =${value}`,
        `${name}\t= ${value}`,
        `a=b;\t${cookie}`,
        `a=b ;${name}="${value}"; c=d`,
        `;;; ;${cookie};;`,
        `a="; ${cookie}; b="`,
      ]) {
        await ask('/', { host: 'public', headers: { Cookie: sent } })
        assert.doesNotMatch(app.folded('Cookie').join(), new RegExp(`${value}|${other}`), sent)
      }
      for (const lines of [
        [`Cookie: a=1`, `Cookie: ${cookie}`, 'Cookie: b=2'],
        [`Cookie: ${cookie}`, `Cookie: ${cookie}`],
      ]) {
        await raw(port, 'GET / HTTP/1.1', [`Host: public.${DOMAIN}`, ...lines])
        assert.doesNotMatch(app.folded('Cookie').join(), new RegExp(value), lines.join())
      }
    },
  },
} as const satisfies Readonly<Record<string, Proof>>
