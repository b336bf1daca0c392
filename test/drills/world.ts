/** The little world that the fuzz drill asks about: people, cookie domains, and rules with every criterion. */
import { BlockList } from 'node:net'
import { control } from '../access/rules.ts'
import { PASSWORD } from '../support/server.ts'
import type { Domain, Person, World } from './reference.ts'

export const PEOPLE: readonly Person[] = [
  {
    name: 'john',
    displayName: 'John Doe',
    email: 'john@example.com',
    groups: ['admins', 'dev'],
  },
  { name: 'bob', displayName: 'bob', email: '', groups: [] },
  {
    name: 'Ann',
    displayName: 'Ann “A” O’Hara',
    email: 'ann@corp.test',
    groups: ['Dev', 'ops team'],
  },
  { name: 'zoë', displayName: 'Zoë 李', email: '', groups: ['équipe', 'dev'] },
  { name: 'a.b', displayName: 'A. B.', email: 'a.b@example.com', groups: ['team.one'] },
]
/** Signs in and is struck out of the users file. */
export const LEAVER: Person = {
  name: 'leaver',
  displayName: 'Leaver',
  email: '',
  groups: ['admins', 'dev'],
}

export const DOMAINS: readonly Domain[] = [
  { domain: 'example.com', cookie: 'vestibule_session', portal: 'https://auth.example.com/' },
  // The same cookie name in another domain: its sessions must count for nothing in the first.
  { domain: 'bare.test', cookie: 'vestibule_session', portal: undefined },
  { domain: 'corp.test', cookie: 'corp.id', portal: 'https://login.corp.test:8443/sso/' },
  { domain: 'vestibule.localhost', cookie: 'v', portal: 'http://auth.vestibule.localhost:9091/' },
  { domain: '192.0.2.10', cookie: 'ip_session', portal: 'https://192.0.2.10/' },
  // Its sessions are over as soon as they have begun.
  { domain: 'brief.test', cookie: 'brief', portal: 'https://auth.brief.test/' },
]
export const BRIEF = 'brief.test'

const NETWORKS = { lan: ['10.0.0.0/8', 'fd00::/8'], office: ['198.51.100.0/24'] }

/** Two addresses of loopback, a network of proxies behind which clients are, and nothing else. */
export const TRUSTED = ['127.0.0.0/30', '::1', '10.9.0.0/16']
export const PEERS = { usual: '127.0.0.1', other: '127.0.0.2', untrusted: '127.0.0.9' } as const

const RULES = [
  { domain: 'public.example.com', policy: 'bypass' },
  { domain: 'bank.example.com', policy: 'two_factor' },
  { domain: 'never.example.com', policy: 'deny' },
  // Paths
  {
    domain: 'app.example.com',
    resources: ['^/public/', '^/assets/[^/]+\\.(css|js)$', '^/free$'],
    policy: 'bypass',
  },
  {
    domain: 'app.example.com',
    resources: '^/admin([/?].*)?$',
    subject: 'group:admins',
    policy: 'one_factor',
  },
  { domain: 'app.example.com', resources: '^/admin', policy: 'deny' },
  {
    domain: 'app.example.com',
    resources: ['^/users/(?P<User>[^/]+)/', '^/teams/(?<Group>[^/]+)/'],
    policy: 'one_factor',
  },
  { domain: 'app.example.com', resources: '^/(users|teams)/', policy: 'deny' },
  { domain: 'app.example.com', resources: ['^/bank', '\\.key$'], policy: 'two_factor' },
  { domain: 'app.example.com', resources: '^/search\\?q=[a-z]+$', policy: 'bypass' },
  { domain: 'app.example.com', methods: ['DELETE', 'PUT'], subject: 'user:bob', policy: 'deny' },
  { domain: 'app.example.com', policy: 'one_factor' },
  // Methods and subjects
  { domain: 'api.example.com', methods: ['GET', 'HEAD', 'OPTIONS'], policy: 'bypass' },
  {
    domain: 'api.example.com',
    methods: ['POST', 'PATCH', 'PROPFIND'],
    subject: [['group:dev', 'user:john'], 'user:Ann', 'user:zoë'],
    policy: 'one_factor',
  },
  { domain: 'secret.example.com', subject: ['group:dev', 'group:équipe'], policy: 'deny' },
  { domain: 'secret.example.com', policy: 'one_factor' },
  // Queries
  {
    domain: 'query.example.com',
    query: [[{ key: 'token', value: 'let me in' }]],
    policy: 'bypass',
  },
  {
    domain: 'query.example.com',
    query: [
      [
        { key: 'page', operator: 'pattern', value: '^[0-9]+$' },
        { key: 'debug', operator: 'absent' },
      ],
      [
        { key: 'lang', operator: 'not equal', value: 'en' },
        { key: 'lang', operator: 'present' },
      ],
    ],
    policy: 'one_factor',
  },
  {
    domain: 'query.example.com',
    query: [[{ key: 'name', operator: 'not pattern', value: '[^a-z]' }]],
    resources: '^/names',
    policy: 'bypass',
  },
  // Networks
  { domain: 'lan.example.com', networks: ['lan', '2001:db8::/32'], policy: 'bypass' },
  { domain: 'lan.example.com', networks: 'office', policy: 'one_factor' },
  { domain: 'lan.example.com', networks: '127.0.0.0/8', policy: 'two_factor' },
  // Names
  { domain: '{user}.home.example.com', policy: 'one_factor' },
  { domain: '{user}-files.example.com', policy: 'one_factor' },
  { domain: '{group}.team.example.com', policy: 'one_factor' },
  { domain: '*.team.example.com', policy: 'deny' },
  { domain_regex: '^(?P<User>[a-z.]+)\\.u\\.example\\.com$', policy: 'one_factor' },
  {
    domain_regex: '^(?<Group>[a-z]+)-(?P<User>[a-z]+)\\.g\\.example\\.com$',
    policy: 'one_factor',
  },
  { domain_regex: ['^img-\\d+\\.example\\.com$', '^cdn\\.'], policy: 'bypass' },
  { domain: '*.wild.example.com', resources: '^/open$', policy: 'bypass' },
  { domain: '*.wild.example.com', policy: 'one_factor' },
  // The other cookie domains
  { domain: ['open.corp.test', 'open.bare.test', 'open.vestibule.localhost'], policy: 'bypass' },
  {
    domain: ['*.corp.test', '*.bare.test', '*.vestibule.localhost', '192.0.2.10', '*.brief.test'],
    policy: 'one_factor',
  },
  // No cookie domain covers it: malformed, whatever its rule says
  { domain: ['*.elsewhere.test', 'example.com.evil.test'], policy: 'bypass' },
]

const accessControl = { default_policy: 'deny', rules: RULES }

/** What the server is configured with. */
export const CONFIG: Readonly<Record<string, unknown>> = {
  session: {
    expiration: '1d',
    inactivity: 0,
    cookies: DOMAINS.map(({ domain, cookie, portal }) => ({
      domain,
      name: cookie,
      ...(portal !== undefined && { portal_url: portal }),
      ...(domain === BRIEF && { expiration: '1s' }),
    })),
  },
  definitions: { network: NETWORKS },
  trusted_proxies: TRUSTED,
  access_control: accessControl,
}

/** The same for the reference. */
export function createWorld(sessions: World['sessions']): World {
  const trusted = new BlockList()
  trusted.addSubnet('127.0.0.0', 30)
  trusted.addAddress('::1', 'ipv6')
  trusted.addSubnet('10.9.0.0', 16)
  return {
    domains: DOMAINS,
    control: control(accessControl),
    networks: NETWORKS,
    isTrusted: (address) => trusted.check(address, address.includes(':') ? 'ipv6' : 'ipv4'),
    sessions,
    people: PEOPLE,
    password: PASSWORD,
  }
}
