/** Random rule sets, people and targets out of a small vocabulary, so that they meet often. */
import fc from 'fast-check'
import type { Subject, Target } from '../../src/features/access/index.ts'
import type { AccessControl } from '../../src/features/access/manifest.ts'

const some = <T>(values: readonly T[], most = 2) =>
  fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: most })
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 })

const HOSTS = [
  'a.example.com',
  'x.a.example.com',
  'john.example.com',
  'dev.example.com',
  'x.dev.example.com',
  'john-app.example.com',
  'kim.example.com',
  'example.com',
  'john',
]
const DOMAINS = [
  'a.example.com',
  'A.Example.COM.',
  'example.com',
  '*.example.com',
  '*.a.example.com',
  '{user}.example.com',
  '{user}-app.example.com',
  '{group}.example.com',
  '{user}',
  '{group}',
  '{user}example.com',
  '{group}example.com',
  '*example.com',
]
const HOST_PATTERNS = [
  '^a\\.',
  '^(?P<User>[a-z]+)\\.example\\.com$',
  '(?<Group>\\w+)\\.example',
  '(?P<User>\\w+)-app|(?P<Group>dev)\\.',
  '\\bexample\\b',
  'EXAMPLE',
  '^(?P<User>[a-z]*)\\.?example',
  '^(?P<Group>[a-z]*)\\.?example',
]
const RESOURCES = [
  '^/public/',
  '^/public(/.*)?$',
  '^/admin(/.*)?$',
  '^/$',
  '/admin',
  '^/home/(?P<User>[^/]+)/',
  '^/(?P<Group>\\w+)/group',
  '^/[^/]+/[^/]+$',
  '\\?x=1$',
  '[?&]x=',
  '^/public/.*x=1',
  '(?i)^/PUBLIC',
  '^/pub.*[0-9]$',
  '%2F',
  '^[^;#]*$',
  '\\badmin\\b',
]
const CONDITIONS = [
  { key: 'x' },
  { key: 'x', value: '1' },
  { operator: 'not equal', key: 'x', value: '1' },
  { operator: 'absent', key: 'y z' },
  { operator: 'present', key: 'y z' },
  { operator: 'pattern', key: 'x', value: '^[0-9]+$' },
  { operator: 'not pattern', key: 'x', value: 'é|^$' },
] as const
const SUBJECTS = ['user:john', 'user:mary', 'group:dev', 'group:admins', 'oauth2:client:app']

const rule = fc.record(
  {
    policy: fc.constantFrom('bypass', 'one_factor', 'two_factor', 'deny'),
    domain: maybe(some(DOMAINS, 3)),
    domain_regex: maybe(some(HOST_PATTERNS)),
    resources: maybe(some(RESOURCES, 3)),
    methods: maybe(some(['GET', 'POST', 'get'])),
    networks: maybe(some(['10.0.0.0/8', '10.0.0.7', 'fec0::1/64', 'inside', '192.168.1.1'])),
    subject: maybe(fc.array(some(SUBJECTS), { minLength: 1, maxLength: 2 })),
    query: maybe(fc.array(some(CONDITIONS), { minLength: 1, maxLength: 2 })),
  },
  { requiredKeys: ['policy'] },
)

/** Rule sets that the configuration would refuse are among them: the engine takes any. */
export const controls: fc.Arbitrary<AccessControl> = fc.record({
  default_policy: fc.constantFrom('bypass', 'one_factor', 'two_factor', 'deny'),
  rules: fc.array(rule, { maxLength: 6 }),
  // The fields are those of the schema; what is wider are its literal types.
}) as fc.Arbitrary<AccessControl>

/** Long enough for every index; of rules that hardly ever match, so that many are looked at. */
export const longControls: fc.Arbitrary<AccessControl> = fc.record({
  default_policy: fc.constantFrom('bypass', 'one_factor', 'two_factor', 'deny'),
  rules: fc.array(
    fc
      .tuple(rule, some(RESOURCES, 2), maybe(fc.constantFrom(...DOMAINS)))
      .map(([written, resources, domain]) => ({
        ...written,
        resources: written.resources ?? resources,
        ...(domain !== undefined && { domain: [domain] }),
      })),
    { minLength: 20, maxLength: 80, size: 'max' },
  ),
}) as fc.Arbitrary<AccessControl>

/** A few hundred of them about one host. */
export const oneHostControls: fc.Arbitrary<AccessControl> = fc.record({
  default_policy: fc.constantFrom('bypass', 'one_factor', 'two_factor', 'deny'),
  rules: fc.array(
    fc.tuple(rule, some(RESOURCES, 2), fc.nat(300)).map(([written, resources, number]) => ({
      ...written,
      domain: ['a.example.com'],
      // Most are about a path that is never asked for: what is left is spread over the list
      resources: number > 20 ? [`^/public/${number}$`] : (written.resources ?? resources),
    })),
    { minLength: 100, maxLength: 300, size: 'max' },
  ),
}) as fc.Arbitrary<AccessControl>

export const NETWORKS = { inside: ['192.168.0.0/16', 'fec0::2'] }

export const subjects: fc.Arbitrary<Subject> = fc.oneof(
  fc.constant({ user: '', groups: [], clientId: '' }),
  fc.record({
    user: fc.constantFrom('john', 'John', 'mary', 'kim', '', '\u212Aim'),
    groups: fc.subarray(['dev', 'Admins', 'admins', 'x.dev']),
    clientId: fc.constantFrom('', 'app'),
  }),
)

const PIECES = [
  'public',
  'admin',
  'home',
  'john',
  'kim',
  'dev',
  'group',
  'a',
  '1',
  '/',
  '/',
  '/',
  '//',
  '/./',
  '/../',
  '/..',
  '.',
  '\\',
  ';',
  ';x=1',
  '#',
  '%2e',
  '%2E%2e',
  '%2f',
  '%5c',
  '%3b',
  '%23',
  '%3f',
  '%25',
  '%252e',
  '%252f',
  '%25252e',
  '%2525252e',
  '%252525252e',
  '%25%32%35%32%35%32%35%32e',
  '%61dmin',
  '%C3%A9',
  '%c0%af',
  '%c0%ae',
  '%e0%80%af',
  '%f8%80%80%80%af',
  '%f0%9f%98%80',
  '%ed%a0%80',
  '%ff',
  '%00',
  '%0a',
  '%c2%85',
  '%7f',
  '%zz',
  '%',
  '%4',
  '\xc3\xa9',
  '\xff',
  '\x85',
  ' ',
  '+',
] as const

/** Mostly paths as browsers send them, and every trick there is. */
export const paths = fc.oneof(
  fc.constantFrom('', '/', '/public/a', '/admin', '/home/john/x', '/dev/group', '/public/a/1'),
  fc.array(fc.constantFrom(...PIECES), { maxLength: 8 }).map((pieces) => `/${pieces.join('')}`),
)

export const queries = fc.oneof(
  fc.constantFrom(
    undefined,
    undefined,
    '',
    'x=1',
    'x=2',
    'y+z=1&x=%31',
    'x=%C3%A9',
    '/admin?x=1',
    'x=1&x=2',
    'x=2&x=1',
  ),
  fc
    .array(
      fc.constantFrom('x', 'y', ' z', '+z', '%20z', '=', '&', '1', '%31', '%', '#', '%c3', '?'),
      {
        maxLength: 8,
      },
    )
    .map((pieces) => pieces.join('')),
)

export const targets: fc.Arbitrary<Target> = fc.record({
  scheme: fc.constant('https'),
  host: fc.constantFrom(...HOSTS),
  path: paths,
  query: queries,
  method: fc.constantFrom('GET', 'POST', 'HEAD'),
  address: fc.constantFrom('10.0.0.7', '192.168.1.1', 'fec0::1', 'fec0::2', '203.0.113.7', ''),
})
