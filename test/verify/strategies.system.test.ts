import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { before, suite, test } from 'node:test'
import { suiteCleanup } from '../support/cleanup.ts'
import { freePort } from '../support/nginx.ts'
import {
  type Answer,
  PASSWORD,
  type RunningServer,
  signIn,
  startServer,
} from '../support/server.ts'
import { CHEAP, usersYaml } from '../support/users.ts'

const basic = (user: string, password: string = PASSWORD): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
const REALM = 'Basic realm="Authorization Required"'

suite('credentials in headers', () => {
  const t = suiteCleanup()
  let server: RunningServer
  let cookie: string

  before(async () => {
    const port = await freePort()
    const endpoint = (name: string, ...more: string[]) => ({
      implementation: 'ForwardAuth',
      authn_strategies: [name, ...more].map((one) => ({
        name: one,
        ...(one !== 'CookieSession' && { schemes: ['basic', 'bearer'] }),
      })),
    })
    server = await startServer(t, {
      config: {
        ...CHEAP,
        server: {
          address: `tcp://127.0.0.1:${port}/`,
          endpoints: {
            authz: {
              usual: endpoint('HeaderAuthorization', 'CookieSession'),
              proxy: endpoint('HeaderProxyAuthorization', 'CookieSession'),
              nginx: endpoint('HeaderAuthRequestProxyAuthorization', 'CookieSession'),
              only: endpoint('HeaderAuthorization'),
              cookie: endpoint('CookieSession'),
              last: endpoint('CookieSession', 'HeaderAuthorization'),
              cached: {
                implementation: 'ForwardAuth',
                authn_strategies: [
                  {
                    name: 'HeaderAuthorization',
                    schemes: ['basic'],
                    scheme_basic_cache_lifespan: '1h',
                  },
                ],
              },
              legacy: { implementation: 'Legacy' },
            },
          },
        },
      },
      users: await usersYaml({ john: { groups: ['admins'] }, bob: {}, off: { disabled: true } }),
      port,
    })
    cookie = await signIn(server.port, 'bob')
  })

  const ask = (
    endpoint: string,
    host: string,
    headers: Record<string, string> | string[] = {},
  ): Promise<Answer> => {
    const path =
      endpoint === 'verify'
        ? '/verify'
        : endpoint.startsWith('legacy')
          ? `/api/verify${endpoint.slice(6)}`
          : `/api/authz/${endpoint}`
    const own = {
      Host: 'v',
      'X-Forwarded-Method': 'GET',
      'X-Forwarded-Proto': 'http',
      'X-Forwarded-Host': `${host}.vestibule.localhost`,
      'X-Forwarded-Uri': '/',
    }
    return server.request(path, {
      headers: Array.isArray(headers)
        ? [...Object.entries(own).flat(), ...headers]
        : { ...own, ...headers },
    })
  }

  test('a right password passes as its user, from the header that the strategy reads', async () => {
    for (const [endpoint, header] of [
      ['verify', 'Authorization'],
      ['usual', 'Authorization'],
      ['only', 'Authorization'],
      ['last', 'Authorization'],
      ['cached', 'Authorization'],
      ['proxy', 'Proxy-Authorization'],
      ['nginx', 'Proxy-Authorization'],
      ['legacy', 'Proxy-Authorization'],
      ['legacy?auth=basic', 'Authorization'],
    ] as const) {
      const answer = await ask(endpoint, 'app', { [header]: basic('john') })
      assert.equal(answer.status, 200, endpoint)
      assert.equal(answer.headers['remote-user'], 'john')
      assert.equal((await ask(endpoint, 'admin', { [header]: basic('john') })).status, 200)
      assert.equal((await ask(endpoint, 'admin', { [header]: basic('bob') })).status, 403, endpoint)
    }
  })
  test('a wrong credential gets the challenge of its strategy, even over a deny rule', async () => {
    for (const [endpoint, header, status, challenge] of [
      ['usual', 'Authorization', 401, 'www-authenticate'],
      ['proxy', 'Proxy-Authorization', 407, 'proxy-authenticate'],
      ['nginx', 'Proxy-Authorization', 401, 'www-authenticate'],
      ['legacy', 'Proxy-Authorization', 401, 'www-authenticate'],
    ] as const) {
      for (const value of [
        basic('john', 'wrong'),
        basic('nobody'),
        basic('off'),
        basic('JOHN'),
        basic(' john'),
        basic('', ''),
        basic('john', ''),
        'Basic',
        'Basic !!!',
        `Basic ${'A'.repeat(9000)}`,
        'basic am9obg==',
      ]) {
        for (const host of ['app', 'closed']) {
          const answer = await ask(endpoint, host, { [header]: value, Accept: 'text/html' })
          assert.equal(answer.status, status, `${endpoint} ${value.slice(0, 30)} ${host}`)
          assert.equal(answer.headers[challenge], REALM)
          assert.equal(answer.headers.location, undefined)
        }
      }
      assert.equal(
        (await ask(endpoint, 'public', { [header]: basic('john', 'wrong') })).status,
        200,
        'bypass checks nothing',
      )
    }
  })
  test('a scheme that is not ours belongs to the app: the next strategy is asked', async () => {
    for (const value of [
      'Bearer abc',
      'Digest username="john"',
      'Negotiate abc',
      'token',
      '',
      'AWS4-HMAC-SHA256 x',
    ]) {
      const answer = await ask('usual', 'app', { Authorization: value, Accept: 'text/html' })
      assert.equal(answer.status, 302, value)
      assert.equal(
        (await ask('usual', 'app', { Authorization: value, Cookie: cookie })).status,
        200,
        value,
      )
    }
  })
  test('who may pass by the cookie alone passes, whatever the app’s own credential says', async () => {
    const answer = await ask('usual', 'app', {
      Authorization: basic('the-apps-own', 'user'),
      Cookie: cookie,
    })
    assert.equal(answer.status, 200)
    assert.equal(answer.headers['remote-user'], 'bob')
  })
  test('a header that comes before the cookie can do more than the cookie', async () => {
    const both = { Authorization: basic('john'), Cookie: cookie }
    const answer = await ask('usual', 'admin', both)
    assert.equal(answer.status, 200)
    assert.equal(answer.headers['remote-user'], 'john')
    // Behind the cookie it is not asked: a live session was where evaluation stopped.
    assert.equal((await ask('last', 'admin', both)).status, 403)
  })
  test('the strategy where evaluation stopped chooses the reply', async () => {
    const html = { Accept: 'text/html' }
    assert.equal((await ask('usual', 'app', html)).status, 302)
    assert.equal((await ask('only', 'app', html)).headers['www-authenticate'], REALM)
    assert.equal((await ask('last', 'app', html)).headers['www-authenticate'], REALM)
    assert.equal((await ask('cookie', 'app', html)).status, 302)
    assert.equal(
      (await ask('cookie', 'app', { Authorization: basic('john'), ...html })).status,
      302,
    )
    assert.equal((await ask('only', 'app', { Cookie: cookie })).status, 401)
    const twoFactor = await ask('usual', 'bank', { Authorization: basic('john'), ...html })
    assert.equal(twoFactor.status, 401)
    assert.equal(twoFactor.headers['www-authenticate'], REALM)
    assert.equal((await ask('only', 'closed', html)).status, 403)
  })
  test('two credentials in one request are none', async () => {
    const twice = ['Authorization', basic('john'), 'Authorization', basic('john')]
    assert.equal((await ask('usual', 'app', twice)).status, 401)
  })
  test('a failed credential is logged as a failed sign-in, without what was typed', async () => {
    const mark = server.output().length
    await ask('usual', 'app', { Authorization: basic('hunter2-name', 'hunter2-password') })
    await ask('usual', 'app', { Authorization: basic('john', 'hunter3') })
    await server.until(
      /level=error msg="Unsuccessful 1FA authentication attempt by user 'john'".* remote_ip=127\.0\.0\.1/,
      mark,
    )
    assert.doesNotMatch(server.output().slice(mark), /hunter/)
  })
  test('a remembered credential dies with its password, and failures are never remembered', async () => {
    assert.equal((await ask('cached', 'app', { Authorization: basic('john') })).status, 200)
    assert.equal(
      (await ask('cached', 'app', { Authorization: basic('john', 'other') })).status,
      401,
    )
    const before = readFileSync(server.usersFile, 'utf8')
    writeFileSync(
      server.usersFile,
      await usersYaml({ john: { groups: ['admins'] }, bob: {} }, 'other'),
    )
    const eventually = async (password: string, status: number) => {
      for (let tries = 0; tries < 1200; tries++) {
        if (
          (await ask('cached', 'app', { Authorization: basic('john', password) })).status === status
        )
          return
        await new Promise((resolve) => setTimeout(resolve, 25))
      }
      assert.fail(`${password} is never ${status}`)
    }
    await eventually('other', 200)
    assert.equal((await ask('cached', 'app', { Authorization: basic('john') })).status, 401)
    writeFileSync(server.usersFile, before)
    await eventually(PASSWORD, 200)
    assert.equal(
      (await ask('cached', 'app', { Authorization: basic('john', 'other') })).status,
      401,
    )
  })
  test('an endpoint that is not configured is not there', async () => {
    assert.equal((await ask('forward-auth', 'public')).status, 404)
    assert.equal((await ask('nothing', 'public')).status, 404)
  })
})
