import assert from 'node:assert/strict'
import test from 'node:test'
import { features, messageCatalogues, migrations } from '../../src/features.ts'
import { load } from './house.ts'

const { server, http, access, admin, login, verify, basePath } = features
/** What has defaults for everything: no cookie domain and no rule is needed with these. */
const definitions = { config: { definitions: access.config.definitions } }
const only = { server, http, admin, login, verify, definitions, basePath }

test('every room has its say once: no key, migration or message is claimed twice', () => {
  // Importing the list would have thrown.
  assert.ok(Object.keys(features).length > 0)
  const names = Object.keys(migrations)
  assert.deepEqual(names, [...names].sort())
  for (const name of names) assert.match(name, /^\d{4}_[a-z0-9_]+$/)
  assert.ok(Object.keys(messageCatalogues['en'] ?? {}).length > 0)
})

const FAULTS: readonly (readonly [name: string, text: string, fault: string])[] = [
  [
    'an address that is none',
    'server: {address: "http://x"}',
    '1:10 server.address: is not an address to listen on; found "http://x"; allowed: tcp://host:port/path, tcp4://…, tcp6://…, unix:///path/to/socket',
  ],
  [
    'a value for HSTS that is none',
    'server: {headers: {hsts: "forever"}}',
    '1:20 server.headers.hsts: is no value for Strict-Transport-Security; found "forever"; allowed: true, false, max-age=31536000; includeSubDomains; preload',
  ],
  [
    'a header with a line break in it',
    'server: {headers: {hsts: "max-age=1\\r\\nX: y"}}',
    '1:20 server.headers.hsts: is no value for Strict-Transport-Security; found "max-age=1\\r\\nX: y"; allowed: true, false, max-age=31536000; includeSubDomains; preload',
  ],
  [
    'a page where an origin belongs',
    'server: {headers: {frame_ancestors: "https://a.example.com/"}}',
    `1:20 server.headers.frame_ancestors: is no origin; found "https://a.example.com/"; allowed: 'self', https://dashboard.example.com (no path, no slash at the end)`,
  ],
  [
    'two names for one header',
    'identity_headers: {user: X-User, name: x_user}',
    '1:34 identity_headers.name: is the same header as identity_headers.user; found "x_user"',
  ],
  [
    'a name of a header that HTTP needs',
    'identity_headers: {user: Content-Length}',
    '1:20 identity_headers.user: has a meaning of its own in HTTP; found "Content-Length"; allowed: a name of your own, such as X-User',
  ],
  [
    'a name of a header with a space',
    'identity_headers: {user: "X User"}',
    '1:20 identity_headers.user: is no name for a header; found "X User"',
  ],
  [
    'a letter between groups',
    'identity_headers: {separator: x}',
    '1:20 identity_headers.separator: is no separator; found "x"',
  ],
  [
    'a colour that is CSS',
    'branding: {accent: "red;}body{display:none"}',
    '1:12 branding.accent: is no colour; six hex digits, in quotes; found "red;}body{display:none"',
  ],
  [
    'a network that is named like an address',
    'definitions: {network: {10.0.0.1: [10.0.0.1]}}',
    '1:25 definitions.network."10.0.0.1": is no key for this map: a name that is no address itself',
  ],
  [
    'a path where an address belongs',
    'logout_url: /logout',
    '1:1 logout_url: is not a web address; found "/logout"; allowed: https://auth.example.com',
  ],
  [
    'an endpoint of no kind',
    'server: {endpoints: {authz: {mine: {implementation: Nginx}}}}',
    '1:37 server.endpoints.authz.mine.implementation: found "Nginx"; allowed: ForwardAuth, AuthRequest, ExtAuthz, Legacy',
  ],
]

for (const [name, text, fault] of FAULTS) {
  test(`the server's keys are refused: ${name}`, async (t) => {
    const result = await load(t, { 'c.yml': text }, { features: only })
    assert.equal(result.text, `c.yml:${fault}`)
  })
}

test('a portal that is not where the base path serves it is named', async (t) => {
  const yaml = (address: string, portal: string) =>
    `server: {address: ${address}}\nsession: {cookies: [{domain: example.com, portal_url: ${portal}}]}\naccess_control: {default_policy: one_factor}\n`
  for (const [address, portal, warned] of [
    ['tcp://:9091/', 'https://auth.example.com', false],
    ['tcp://:9091/auth', 'https://example.com/auth', false],
    ['tcp://:9091/auth', 'https://example.com/auth/', false],
    ['tcp://:9091/auth', 'https://auth.example.com', true],
    ['tcp://:9091/', 'https://example.com/auth', true],
  ] as const) {
    const { text, warnings } = await load(t, { 'c.yml': yaml(address, portal) }, { features })
    assert.equal(text, '')
    assert.equal(/but server\.address serves/.test(warnings.join()), warned, `${address} ${portal}`)
  }
})

// With tcp://:9091/verify the portal's page answered the question for a verdict: 200, for everything.
test('a base path is nothing that is ours already', async (t) => {
  for (const base of ['/verify', '/api', '/api/verify', '/api/authz/auth-request', '/static/x']) {
    const { text } = await load(
      t,
      { 'c.yml': `server: {address: 'tcp://:9091${base}/'}` },
      { features: only },
    )
    assert.match(text, /server\.address: has the base path/, base)
  }
  for (const base of ['/', '/verified', '/auth/api']) {
    const { text } = await load(
      t,
      { 'c.yml': `server: {address: 'tcp://:9091${base}'}` },
      { features: only },
    )
    assert.equal(text, '', base)
  }
})

test("the server's keys have Authelia's defaults with a file", async (t) => {
  const { config } = await load(t, { 'c.yml': '# empty\n' }, { features: only })
  assert.deepEqual(config, {
    server: {
      address: { kind: 'tcp', host: '', port: 9091, basePath: '/', family: undefined },
      disable_healthcheck: false,
      headers: { frame_ancestors: [] },
      buffers: { read: 4096, write: 4096 },
      timeouts: { read: 6000, write: 6000, idle: 30_000 },
    },
    'server.endpoints': {},
    trusted_proxies: ['127.0.0.0/8', '::1'],
    data_directory: './data',
    logout_url: undefined,
    reset_admin_password: false,
    admin: { groups: ['vestibule-admins'], disable: false },
    branding: { title: 'Vestibule' },
    identity_headers: {
      user: 'Remote-User',
      groups: 'Remote-Groups',
      name: 'Remote-Name',
      email: 'Remote-Email',
      separator: ',',
    },
    definitions: { network: {} },
  })
})

test('hsts is off, on for a year, or what was written', async (t) => {
  const values = {
    false: undefined,
    true: 'max-age=31536000',
    '"max-age=60; includeSubDomains"': 'max-age=60; includeSubDomains',
  }
  for (const [text, expected] of Object.entries(values)) {
    const { config } = await load(
      t,
      { 'c.yml': `server: {headers: {hsts: ${text}}}` },
      { features: only },
    )
    const server = config?.['server'] as { headers: { hsts?: string } } | undefined // the schema's output
    assert.ok(server !== undefined)
    assert.equal(server.headers.hsts, expected)
  }
})

test('what is dangerous or without effect is said, and accepted', async (t) => {
  const { warnings } = await load(
    t,
    {
      'c.yml': `trusted_proxies: [10.0.0.0/8, 0.0.0.0/0, "::/0"]
server:
  buffers: {read: 8192}
  timeouts: {read: 10s, write: 10s}
  endpoints: {authz: {nginx: {implementation: AuthRequest, authn_strategies: [{name: HeaderAuthorization, schemes: [basic]}, {name: CookieSession}]}}}
`,
    },
    { features: only },
  )
  assert.deepEqual(warnings, [
    'c.yml:1:31 trusted_proxies[1]: trusts every client: each can claim any address, and networks in rules protect nothing',
    'c.yml:1:42 trusted_proxies[2]: trusts every client: each can claim any address, and networks in rules protect nothing',
    'c.yml:3:13 server.buffers.read: has no effect: headers of a request may always be 64 KiB together',
  ])
})

test('a rule about a host that no cookie domain covers is named: a mistyped deny protects nothing', async (t) => {
  const { warnings = [] } = await load(
    t,
    {
      'c.yml': `session: {cookies: [{domain: example.com, portal_url: https://auth.example.com}]}
access_control:
  default_policy: one_factor
  rules:
    - {domain: [secret.exmaple.com, app.example.com, example.com, '*.example.com'], policy: deny}
    - {domain: ['{user}.example.com', '{group}-files.team.example.com', '*.com', 192.0.2.1], policy: one_factor}
    - {domain: evilexample.com, policy: deny}
`,
    },
    { features },
  )
  const about = 'lies in no cookie domain: a request for it is refused before any rule is read'
  assert.deepEqual(
    warnings.filter((line) => line.includes('cookie domain')),
    [
      `c.yml:5:17 access_control.rules[0].domain[0]: ${about}`,
      `c.yml:6:82 access_control.rules[1].domain[3]: ${about}`,
      `c.yml:7:8 access_control.rules[2].domain[0]: ${about}`,
    ],
  )
})

test('what one part has against it hides no fault of the others, nor of what spans them', async (t) => {
  const { text } = await load(
    t,
    {
      'c.yml': `session: {cookies: [{domain: example.com, portal_url: nowhere}]}
access_control:
  default_policy: one_factor
  rules:
    - {domain: a.example.com, policy: one_factor, networks: [hom, 300.1.1.1]}
identity_headers: {user: X-User, groups: X_User}
`,
    },
    { features },
  )
  for (const fault of [
    /^c\.yml:1:43 session\.cookies\[0\]\.portal_url: /m,
    /^c\.yml:5:62 access_control\.rules\[0\]\.networks\[0\]: is no network/m,
    /^c\.yml:5:67 access_control\.rules\[0\]\.networks\[1\]: is no network/m,
    /^c\.yml:6:34 identity_headers\.groups: is the same header/m,
  ])
    assert.match(text, fault)
})
