/** The little world of the drill of proxies: hosts, people, and rules that a second reading of a request would get round. */
import { isIP } from 'node:net'
import { control } from '../access/rules.ts'
import { PASSWORD } from '../support/server.ts'
import type { Domain, Person, World } from './reference.ts'

export const DOMAIN = 'vestibule.localhost'
export const COOKIE = 'vestibule_session'
/** The hosts of the one app behind the proxy, below the domain. */
export const HOSTS = ['app', 'public', 'admin', 'bank'] as const
export const host = (name: string): string => `${name}.${DOMAIN}`

export const JOHN: Person = {
  name: 'john',
  displayName: 'Jöhn Døe',
  email: 'john@example.com',
  groups: ['dev'],
}
export const ANN: Person = { name: 'ann', displayName: 'ann', email: '', groups: ['admins'] }
export const PEOPLE: readonly Person[] = [JOHN, ANN]

export const ACCESS_CONTROL = {
  default_policy: 'deny',
  rules: [
    { domain: host('public'), policy: 'bypass' },
    // A host that no proxy was told of, and that everybody may see.
    { domain: host('open'), policy: 'bypass' },
    { domain: host('admin'), policy: 'one_factor', subject: 'group:admins' },
    { domain: host('bank'), policy: 'two_factor' },
    { domain: host('app'), resources: '^/open(/|$)', policy: 'bypass' },
    {
      domain: host('app'),
      resources: '^/admin',
      policy: 'one_factor',
      subject: 'group:admins',
    },
    { domain: host('app'), resources: '^/admin', policy: 'deny' },
    { domain: host('app'), methods: ['DELETE', 'PUT'], policy: 'deny' },
    { domain: host('app'), methods: ['GET', 'HEAD'], resources: '^/read', policy: 'bypass' },
    {
      domain: host('app'),
      resources: '^/query',
      query: [
        [
          { key: 'page', operator: 'pattern', value: '^[0-9a-z;=]+$' },
          { key: 'debug', operator: 'absent' },
        ],
      ],
      policy: 'bypass',
    },
    { domain: host('app'), policy: 'one_factor' },
  ],
}

/** The same for the reference. */
export function createProxyWorld(portal: string, sessions: World['sessions']): World {
  const domains: readonly Domain[] = [{ domain: DOMAIN, cookie: COOKIE, portal }]
  return {
    domains,
    control: control(ACCESS_CONTROL),
    networks: {},
    isTrusted: (address) => isIP(address) === 4 && address.startsWith('127.'),
    sessions,
    people: PEOPLE,
    password: PASSWORD,
  }
}
