import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { cookieDomains } from '../../src/features/sessions/cookie-domain.ts'
import manifest from '../../src/features/sessions/manifest.ts'

const schema = manifest.config.session
type Written = Readonly<Record<string, unknown>>

/** `path: message` of every fault. */
const faults = (session: Written): string[] => {
  const parsed = schema.safeParse(session)
  return parsed.success
    ? []
    : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
}
const faultsOf = (cookie: Written, session: Written = {}): string[] =>
  faults({ ...session, cookies: [cookie] })

suite('a cookie domain', () => {
  for (const domain of [
    'example.com',
    'a.b-c.example',
    'xn--bcher-kva.example',
    '192.0.2.7',
    '::1',
    'fd00::1',
    'localhost',
    'home.localhost',
    '.example.com',
  ]) {
    test(`may be ${domain}`, () => assert.deepEqual(faultsOf({ domain }), []))
  }
  for (const [domain, message] of [
    ['', 'is no domain'],
    ['.', 'is no domain'],
    ['com', 'has no dot: browsers refuse a cookie for it'],
    ['*.example.com', 'is a wildcard'],
    ['Example.com', 'is not in lower case'],
    ['exa_mple.com', 'is no domain'],
    ['bücher.example', 'is no domain'],
    ['example..com', 'is no domain'],
    ['..example.com', 'is no domain'],
    ['example.com.', 'is no domain'],
    ['-a.example.com', 'is no domain'],
    ['example.com:443', 'is no domain'],
    ['https://example.com', 'is no domain'],
    ['example.com/auth', 'is no domain'],
    ['example.com;secure', 'is no domain'],
    ['1.2.3', 'is no domain'],
    ['256.1.1.1', 'is no domain'],
    ['a.0x7f', 'is no domain'],
    [`${'a'.repeat(64)}.com`, 'is no domain'],
  ] as const) {
    test(`may not be ${JSON.stringify(domain)}`, () => {
      assert.deepEqual(faultsOf({ domain }), [`cookies.0.domain: ${message}`])
    })
  }

  test('must not be another, nor lie inside another, whichever comes first', () => {
    const both = (a: string, b: string) => faults({ cookies: [{ domain: a }, { domain: b }] })
    assert.deepEqual(both('example.com', '.example.com'), ['cookies.1.domain: stands here twice'])
    const overlap = 'cookies.1.domain: overlaps with the cookie domain'
    assert.deepEqual(both('example.com', 'a.example.com'), [`${overlap} example.com`])
    assert.deepEqual(both('a.example.com', 'example.com'), [`${overlap} a.example.com`])
    assert.deepEqual(both('example.com', 'badexample.com'), [])
    assert.deepEqual(both('localhost', 'home.localhost'), [])
    assert.deepEqual(both('a.example.com', 'b.example.com'), [])
    assert.deepEqual(both('::1', '0:0::1'), ['cookies.1.domain: stands here twice'])
  })

  test('there must be one', () => {
    assert.equal(faults({}).length, 1)
    assert.equal(faults({ cookies: [] }).length, 1)
  })
})

suite('a portal', () => {
  const portal = (domain: string, portal_url: string) => faultsOf({ domain, portal_url })
  for (const [domain, url] of [
    ['example.com', 'https://auth.example.com'],
    ['example.com', 'https://example.com/auth'],
    ['example.com', 'https://AUTH.example.com:8443/'],
    ['home.localhost', 'http://auth.home.localhost:9091'],
    ['localhost', 'http://localhost:9091'],
    ['127.0.0.1', 'http://127.0.0.1:9091'],
    ['192.0.2.7', 'https://192.0.2.7'],
    ['::1', 'http://[::1]:9091'],
  ] as const) {
    test(`of ${domain} may be ${url}`, () => assert.deepEqual(portal(domain, url), []))
  }
  for (const [domain, url, message] of [
    [
      'example.com',
      'http://auth.example.com',
      'is not https: browsers do not send the cookie there',
    ],
    ['192.0.2.7', 'http://192.0.2.7', 'is not https: browsers do not send the cookie there'],
    ['example.com', 'https://auth.example.org', 'is not inside the cookie domain example.com'],
    ['example.com', 'https://evilexample.com', 'is not inside the cookie domain example.com'],
    ['localhost', 'http://auth.localhost:9091', 'is not inside the cookie domain localhost'],
    ['example.com', 'https://auth.example.com.', 'has no host that can be used'],
    ['example.com', 'https://auth.example.com/?a', 'has a query or a fragment'],
    ['example.com', 'https://auth.example.com/#a', 'has a query or a fragment'],
    ['example.com', 'https://me@auth.example.com', 'is not a web address'],
    ['example.com', 'auth.example.com', 'is not a web address'],
    ['example.com', 'ftp://auth.example.com', 'is not a web address'],
  ] as const) {
    test(`of ${domain} may not be ${url}`, () => {
      assert.deepEqual(portal(domain, url), [`cookies.0.portal_url: ${message}`])
    })
  }

  test('is not where a sign-in from nowhere leads; that is an app inside the domain', () => {
    const leads = (default_redirection_url: string) =>
      faultsOf({
        domain: 'example.com',
        portal_url: 'https://auth.example.com',
        default_redirection_url,
      })
    assert.deepEqual(leads('https://home.example.com/?start'), [])
    const at = 'cookies.0.default_redirection_url:'
    assert.deepEqual(leads('https://auth.example.com/'), [`${at} is the portal itself`])
    assert.deepEqual(leads('https://AUTH.example.com:443'), [`${at} is the portal itself`])
    assert.deepEqual(leads('https://home.example.org'), [
      `${at} is not inside the cookie domain example.com`,
    ])
    assert.deepEqual(leads('http://home.example.com'), [
      `${at} is not https: browsers do not send the cookie there`,
    ])
  })
})

suite('the rest of the session slice', () => {
  const domain = 'example.com'

  test('has the defaults of the manual', () => {
    const parsed = schema.parse({ cookies: [{ domain }] })
    const [cookie] = cookieDomains(parsed)
    assert.deepEqual(cookie, {
      domain,
      hostOnly: false,
      portalUrl: undefined,
      defaultRedirectionUrl: undefined,
      name: 'vestibule_session',
      sameSite: 'lax',
      expiration: 3_600_000,
      inactivity: 300_000,
      rememberMe: 30 * 86_400_000,
    })
  })

  test('is inherited by every domain that does not say otherwise', () => {
    const parsed = schema.parse({
      name: 'one',
      same_site: 'STRICT',
      expiration: '2h',
      inactivity: 0,
      remember_me: -1,
      cookies: [
        { domain: '.example.com', portal_url: 'https://auth.example.com/sso' },
        {
          domain: 'example.org',
          name: 'two',
          same_site: 'None',
          expiration: 60,
          inactivity: '1m',
          remember_me: '1w',
        },
      ],
    })
    const [first, second] = cookieDomains(parsed)
    assert.deepEqual(first, {
      domain: 'example.com',
      hostOnly: false,
      portalUrl: new URL('https://auth.example.com/sso/'),
      defaultRedirectionUrl: undefined,
      name: 'one',
      sameSite: 'strict',
      expiration: 7_200_000,
      inactivity: 0,
      rememberMe: 0,
    })
    assert.equal(first?.portalUrl?.href, 'https://auth.example.com/sso/')
    assert.deepEqual(
      [second?.name, second?.sameSite, second?.expiration, second?.inactivity, second?.rememberMe],
      ['two', 'none', 60_000, 60_000, 7 * 86_400_000],
    )
  })

  test('takes lax, strict and none for same_site, and nothing else', () => {
    for (const same_site of ['lax', 'Strict', 'NONE'])
      assert.deepEqual(faultsOf({ domain, same_site }), [])
    for (const same_site of ['', 'no', 'default', 'lax ', true])
      assert.equal(faultsOf({ domain, same_site }).length, 1, String(same_site))
  })

  test('takes a token for the name', () => {
    for (const name of ['a', 'my-session', '__Secure-sid', 'a.b_c!'])
      assert.deepEqual(faultsOf({ domain, name }), [])
    for (const name of ['', 'a b', 'a=b', 'a;b', 'a,b', 'ü', 'a"', '(a)', 'a'.repeat(65)])
      assert.deepEqual(faultsOf({ domain, name }), ['cookies.0.name: is no name of a cookie'], name)
  })

  test('takes a __Host- name only where the cookie has no Domain', () => {
    const fault =
      'cannot be used for example.com: browsers refuse a __Host- cookie that has a Domain'
    assert.deepEqual(faultsOf({ domain, name: '__Host-sid' }), [`cookies.0.name: ${fault}`])
    assert.deepEqual(faultsOf({ domain }, { name: '__host-sid' }), [`name: ${fault}`])
    assert.deepEqual(faultsOf({ domain: '192.0.2.7', name: '__Host-sid' }), [])
    assert.deepEqual(faultsOf({ domain: 'localhost' }, { name: '__Host-sid' }), [])
  })

  test('takes no lifetime that no session could have', () => {
    assert.deepEqual(faultsOf({ domain, expiration: 0 }), [
      'cookies.0.expiration: is no lifetime of a session',
    ])
    assert.deepEqual(faultsOf({ domain, expiration: '101y' }), [
      'cookies.0.expiration: is no lifetime of a session',
    ])
    assert.deepEqual(faultsOf({ domain, remember_me: '200y' }), [
      'cookies.0.remember_me: is no lifetime of a session',
    ])
    assert.equal(faultsOf({ domain, inactivity: -1 }).length, 1)
  })

  test('takes one secret or several, and never prints them', () => {
    const parsed = schema.parse({ secret: ['first secret', 'second'], cookies: [{ domain }] })
    assert.deepEqual(
      parsed.secret?.map((secret) => secret.reveal()),
      ['first secret', 'second'],
    )
    assert.doesNotMatch(JSON.stringify(parsed), /first|second/)
    assert.equal(schema.parse({ secret: 'only', cookies: [{ domain }] }).secret?.length, 1)
    assert.equal(faults({ secret: [], cookies: [{ domain }] }).length, 1)
    assert.equal(faults({ secret: '', cookies: [{ domain }] }).length, 1)
  })

  test('warns of a dot in front, a missing portal and a secret that can be guessed', () => {
    const warnings: string[] = []
    const session = schema.parse({
      secret: 'short',
      cookies: [
        { domain: '.example.com', portal_url: 'https://auth.example.com' },
        { domain: 'example.org' },
      ],
    })
    manifest.check(
      { session },
      {
        fault: (path, message) => assert.fail(`${path.join('.')}: ${message}`),
        warn: (path, message) => warnings.push(`${path.join('.')}: ${message}`),
      },
      () => true,
    )
    assert.deepEqual(warnings, [
      'session.cookies.0.domain: the dot in front has no effect',
      'session.cookies.1: example.org has no portal_url: who is not signed in gets an error there, unless the proxy names a portal',
      'session.secret: a secret of fewer than 20 characters can be guessed from a copy of the database',
    ])
  })
})
