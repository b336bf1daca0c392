import assert from 'node:assert/strict'
import { before, suite, test } from 'node:test'
import { VERIFY_REASONS, type VerifyReason } from '../../src/kernel/verify-reasons.ts'
import { type BuiltApp, buildApp } from '../support/app.ts'
import { suiteCleanup } from '../support/cleanup.ts'
import { usersYaml } from '../support/users.ts'

/** Said by the sessions room, with the time in the test's hands (test/sessions/sessions.test.ts). */
const ELSEWHERE: readonly VerifyReason[] = ['session-expired', 'session-idle', 'user-gone']

suite('the debug log of a refused verify', () => {
  const t = suiteCleanup()
  let server: BuiltApp
  const seen = new Set<string>()

  before(async () => {
    server = await buildApp(t, {
      config: {
        log: { level: 'debug' },
        session: {
          cookies: [
            { domain: 'example.com', portal_url: 'https://auth.example.com' },
            { domain: 'example.org', portal_url: 'https://auth.example.org' },
          ],
        },
        access_control: {
          default_policy: 'one_factor',
          rules: [
            { domain: 'shut.example.com', policy: 'deny' },
            { domain: 'bank.example.com', policy: 'two_factor' },
          ],
        },
      },
      users: await usersYaml({ john: {} }),
    })
  })

  /** Asks, and reads the word off the log. */
  const why = async (
    headers: Readonly<Record<string, string>>,
    { url = 'https://app.example.com/', path = '/verify' } = {},
  ): Promise<string> => {
    const from = server.output().length
    const answer = await server.request(path, {
      headers: { Host: 'v', 'X-Original-URL': url, 'X-Original-Method': 'GET', ...headers },
    })
    assert.ok(answer.status >= 400, String(answer.status))
    const [, word = ''] = await server.until(/\bwhy=(\S+)/, from)
    seen.add(word)
    return word
  }
  const at = (portal: string) => server.signIn('john', undefined, portal)

  test('says which of the cookies did not count, and why', async () => {
    const [one, two, other] = [
      await at('auth.example.com'),
      await at('auth.example.com'),
      await at('auth.example.org'),
    ]
    const nobody = (i: number) => `vestibule_session=${`${i}`.padStart(43, 'N')}`
    assert.equal(await why({}), 'no-cookie')
    assert.equal(await why({ Cookie: 'a=b' }), 'no-cookie')
    assert.equal(await why({ Cookie: 'vestibule_session=x' }), 'malformed-cookie')
    assert.equal(
      await why({ Cookie: 'vestibule_session=x; vestibule_session=y' }),
      'malformed-cookie',
    )
    assert.equal(await why({ Cookie: nobody(1) }), 'unknown-session')
    assert.equal(await why({ Cookie: `${nobody(1)}; ${nobody(2)}` }), 'unknown-session')
    assert.equal(await why({ Cookie: `${one}; ${two}` }), 'several-sessions')
    const five = [1, 2, 3, 4].map(nobody).join('; ')
    assert.equal(await why({ Cookie: `${five}; ${one}` }), 'too-many-cookies')
    assert.equal(await why({ Cookie: other }), 'other-domain')
  })

  test('says what else stood in the way', async () => {
    const cookie = await at('auth.example.com')
    const shut = { url: 'https://shut.example.com/' }
    assert.equal(await why({ Cookie: cookie }, shut), 'policy-deny')
    assert.equal(await why({}, shut), 'policy-deny')
    const bank = { url: 'https://bank.example.com/' }
    assert.equal(await why({ Cookie: cookie }, bank), 'second-factor-needed')
    assert.equal(await why({}, bank), 'no-cookie')
    const basic = `Basic ${Buffer.from('john:wrong').toString('base64')}`
    assert.equal(await why({ Authorization: basic }), 'wrong-credentials')
    assert.equal(await why({ 'X-Forwarded-Host': 'other.test' }), 'malformed-request')
    assert.equal(await why({}, { url: 'https://evil.test/' }), 'no-cookie-domain')
    await server.users.change('john', { mustChangePassword: true })
    assert.equal(await why({ Cookie: cookie }), 'password-change-needed')
  })

  test('has every word that is listed, and no other', async () => {
    const far = await buildApp(t, {
      config: {
        log: { level: 'debug' },
        trusted_proxies: ['192.0.2.1'],
        access_control: { default_policy: 'one_factor' },
      },
      users: await usersYaml({ john: {} }),
    })
    await far.request('/verify', {
      headers: {
        'X-Original-URL': 'http://app.vestibule.localhost/',
        'X-Original-Method': 'GET',
      },
    })
    seen.add((await far.until(/\bwhy=(\S+)/))[1] ?? '')
    const headersOnly = await buildApp(t, {
      config: {
        log: { level: 'debug' },
        server: {
          address: 'tcp://127.0.0.1:9091/',
          endpoints: {
            authz: {
              api: {
                implementation: 'AuthRequest',
                authn_strategies: [{ name: 'HeaderAuthorization', schemes: ['basic'] }],
              },
            },
          },
        },
        access_control: { default_policy: 'one_factor' },
      },
      users: await usersYaml({ john: {} }),
    })
    await headersOnly.request('/api/authz/api', {
      headers: {
        'X-Original-URL': 'http://app.vestibule.localhost/',
        'X-Original-Method': 'GET',
      },
    })
    seen.add((await headersOnly.until(/\bwhy=(\S+)/))[1] ?? '')
    assert.deepEqual([...seen, ...ELSEWHERE].sort(), Object.keys(VERIFY_REASONS).sort())
  })

  test('is no part of the log at info', async () => {
    const quiet = await buildApp(t, { users: await usersYaml({ john: {} }) })
    await quiet.request('/verify', {
      headers: {
        'X-Original-URL': 'http://app.vestibule.localhost/',
        'X-Original-Method': 'GET',
      },
    })
    await quiet.until(/access needs a sign-in/)
    assert.doesNotMatch(quiet.output(), /why=/)
  })
})
