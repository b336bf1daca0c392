/** Why a request is allowed or refused: for administrators alone, and the same that the proxy is told. */
import assert from 'node:assert/strict'
import { before, suite, test } from 'node:test'
import { createRefusedRequests } from '../../src/features/verify/index.ts'
import { type BuiltApp, buildApp } from '../support/app.ts'
import { suiteCleanup } from '../support/cleanup.ts'
import { FakeClock } from '../support/clock.ts'
import { usersYaml } from '../support/users.ts'

const HOST = 'auth.vestibule.localhost:9091'

suite('why', () => {
  const t = suiteCleanup()
  let app: BuiltApp
  let root: string
  let ann: string

  before(async () => {
    app = await buildApp(t, {
      config: {
        admin: { groups: ['root'] },
        access_control: {
          default_policy: 'deny',
          rules: [
            { domain: 'public.vestibule.localhost', policy: 'bypass' },
            {
              domain: 'wiki.vestibule.localhost',
              policy: 'one_factor',
              subject: 'group:writers',
              title: '<b>Wiki</b>',
            },
            { domain: 'bank.vestibule.localhost', policy: 'two_factor' },
            { domain: 'app.vestibule.localhost', policy: 'one_factor', networks: '10.0.0.0/8' },
          ],
        },
      },
      users: await usersYaml({
        ann: { displayname: 'Ann', groups: ['readers'] },
        root: { displayname: 'Root', groups: ['root', 'writers'] },
      }),
    })
    root = await app.signIn('root')
    ann = await app.signIn('ann')
  })

  const get = (path: string, cookie?: string) =>
    app.request(path, { headers: { Host: HOST, ...(cookie !== undefined && { Cookie: cookie }) } })
  const why = async (query: Readonly<Record<string, string>>) => {
    const { status, body } = await get(`/api/admin/why?${new URLSearchParams(query)}`, root)
    assert.equal(status, 200)
    return JSON.parse(body).data
  }
  const verify = (host: string, path: string, cookie: string) =>
    app.request('/api/authz/forward-auth', {
      headers: {
        Cookie: cookie,
        'X-Forwarded-Method': 'GET',
        'X-Forwarded-Proto': 'https',
        'X-Forwarded-Host': host,
        'X-Forwarded-Uri': path,
        'X-Forwarded-For': '10.1.2.3',
      },
    })

  test('administrators alone may ask; others are told so, and clients without a session sign in', async () => {
    for (const path of [
      '/api/admin/why?url=https://wiki.vestibule.localhost/',
      '/admin/why',
      '/admin',
    ]) {
      const denied = await get(path, ann)
      assert.equal(denied.status, 403, path)
      assert.doesNotMatch(denied.body, /rules\[/)
    }
    assert.match((await get('/admin/why', ann)).body, /For administrators alone/)
    assert.equal((await get('/api/admin/why')).status, 403)
    const page = await get('/admin/why')
    assert.equal(page.status, 302)
    assert.equal(page.headers.location, '/')
    assert.equal((await get('/admin', root)).headers.location, '/admin/why')
  })

  test('the portal shows administrators where it is, and nobody else', async () => {
    assert.match((await get('/', root)).body, /href="\/admin"/)
    assert.doesNotMatch((await get('/', ann)).body, /href="\/admin"/)
  })

  test('each rule is named with the criteria that failed, and the decision is that of the rules', async () => {
    const denied = await why({ user: 'ann', url: 'https://wiki.vestibule.localhost/x' })
    assert.equal(denied.decision, 'deny')
    assert.equal(denied.level, null)
    assert.equal(denied.rule, null)
    assert.equal(denied.policy, 'deny')
    assert.deepEqual(
      denied.rules.map(({ number, failed }: { number: number; failed: string[] }) => [
        number,
        failed,
      ]),
      [
        [0, ['domain']],
        [1, ['subject']],
        [2, ['domain']],
        [3, ['domain', 'networks']],
      ],
    )
    assert.deepEqual(denied.user, { name: 'ann', groups: ['readers'], known: true })
    assert.equal(denied.headers['Remote-User'], 'ann')
    assert.equal(denied.headers['Remote-Groups'], 'readers')

    const of = async (user: string, url: string, address = '') => {
      const { decision, level } = await why({ user, url, address })
      return [decision, level]
    }
    assert.deepEqual(await of('root', 'https://wiki.vestibule.localhost/'), ['allow', 1])
    assert.deepEqual(await of('ann', 'https://bank.vestibule.localhost/'), ['allow', 2])
    assert.deepEqual(await of('ann', 'https://public.vestibule.localhost/'), ['allow', 0])
    assert.deepEqual(await of('', 'https://wiki.vestibule.localhost/'), ['sign-in', null])
    assert.deepEqual(await of('ann', 'https://app.vestibule.localhost/', '10.1.1.1'), ['allow', 1])
    assert.deepEqual(await of('ann', 'https://app.vestibule.localhost/', '11.1.1.1'), [
      'deny',
      null,
    ])
    assert.deepEqual(await of('ann', 'https://elsewhere.example.com/'), ['malformed', null])
    assert.deepEqual(await of('ann', 'https://ann@wiki.vestibule.localhost/'), [
      'malformed',
      undefined,
    ])
    assert.deepEqual(await of('ann', 'https://wiki.vestibule.localhost/', 'x'), [
      'malformed',
      undefined,
    ])
  })

  test('what a user was refused is two clicks away: coalesced, without its query, on the page and in the API', async () => {
    const before = (await why({ user: 'ann' })).recent.length
    assert.equal(before, 0)
    for (let i = 0; i < 3; i++)
      assert.equal(
        (await verify('wiki.vestibule.localhost', '/page?token=secret', ann)).status,
        403,
      )
    assert.equal((await verify('bank.vestibule.localhost', '/', ann)).status, 401)
    const { recent } = await why({ user: 'ann' })
    assert.deepEqual(
      recent.map(({ url, why, times }: Record<string, unknown>) => [url, why, times]),
      [
        ['https://bank.vestibule.localhost/', 'second-factor-needed', 1],
        ['https://wiki.vestibule.localhost/page', 'policy-deny', 3],
      ],
    )
    const page = (await get('/admin/why?user=ann', root)).body
    assert.doesNotMatch(page, /secret/)
    const links = [...page.matchAll(/href="(\/admin\/why\?user(?:=|&#61;)[^"]+)"/g)].map(
      ([, link = '']) => link.replaceAll('&#38;', '&').replaceAll('&#61;', '='),
    )
    assert.equal(links.length, 2)
    const explained = (await get(links[1] ?? '', root)).body
    assert.match(explained, /Refused, however the user signs in\./)
    assert.match(explained, /does not match because of: subject/)
    assert.match(explained, /&#60;b&#62;Wiki/)
  })

  test('the page says what it cannot ask, and escapes what it was asked', async () => {
    const page = async (query: Readonly<Record<string, string>>) =>
      (await get(`/admin/why?${new URLSearchParams(query)}`, root)).body
    assert.match(
      await page({ user: '<script>x', url: 'https://wiki.vestibule.localhost/' }),
      /no enabled user &#60;script&#62;x/,
    )
    assert.match(await page({ url: 'wiki' }), /refused before any rule is asked/)
    assert.match(
      await page({ url: 'https://wiki.vestibule.localhost/', address: '1.2' }),
      /1\.2 is no IP address/,
    )
    assert.match(
      await page({ url: 'https://example.com/' }),
      /No cookie domain covers example\.com/,
    )
    assert.match(
      await page({ user: 'root', url: 'https://wiki.vestibule.localhost/a%2f..%2fb' }),
      /How the path can be read/,
    )
  })
})

test('what is kept of refusals is bounded in users, requests and letters', () => {
  const refused = createRefusedRequests({ clock: new FakeClock() })
  const one = { method: 'GET', address: '', why: 'policy-deny', rule: undefined } as const
  for (let i = 0; i < 3000; i++)
    for (let j = 0; j < (i < 5 ? 50 : 1); j++)
      refused.note(`user${i}`, {
        ...one,
        url: `https://a/${j}/${'x'.repeat(i === 2999 ? 5000 : 1)}`,
      })
  assert.deepEqual(refused.of('user0'), [])
  assert.equal(refused.of('user2000').length, 1)
  const [last] = refused.of('user2999')
  assert.equal(last?.url.length, 512)
  for (let j = 0; j < 50; j++) refused.note('user2999', { ...one, url: `https://b/${j}` })
  assert.equal(refused.of('user2999').length, 10)
  assert.equal(refused.of('user2999')[0]?.url, 'https://b/49')
})
