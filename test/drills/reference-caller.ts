/** The reference's reading of who asks: cookies, credentials, navigation, and the portal that the proxy may name. */
import { type AskedOf, valuesOf, withoutBlanks } from './http.ts'
import type { Domain, Person, World } from './reference.ts'
import { covers, type Endpoint, hostOf, isLoopback, Malformed } from './reference-target.ts'

type Headers = AskedOf['headers']

const queryOf = (target: string): URLSearchParams =>
  new URLSearchParams(/\?(.*)$/s.exec(target)?.[1] ?? '')

/** @returns undefined on the old endpoint alone, when nobody names one */
export function portalOf(
  { headers, target }: AskedOf,
  endpoint: Endpoint,
  { domain, portal }: Domain,
): string | undefined {
  const values = valuesOf(headers, 'x-authelia-url')
  // Blank or not: of two, no proxy's configuration has written both.
  const named = values.length > 1 ? values : values.filter((value) => value !== '')
  const rd = queryOf(target).getAll('rd')
  const overrides =
    endpoint === 'ext-authz'
      ? named
      : endpoint === 'legacy'
        ? rd.length > 0
          ? rd
          : named
        : queryOf(target).getAll('authelia_url')
  const [override] = overrides
  if (overrides.length > 1) throw new Malformed('two overrides')
  if (override === undefined) {
    if (portal === undefined && endpoint !== 'legacy') throw new Malformed('no portal')
    return endpoint === 'legacy' ? undefined : portal
  }
  const url = /^https?:\/\/[^/]/i.test(override) ? URL.parse(override) : null
  if (url === null || /[\s\\]/.test(override) || url.username !== '' || url.password !== '')
    throw new Malformed('the override is no URL')
  if (url.hostname.endsWith('.')) throw new Malformed('another origin than the one without the dot')
  const host = hostOf(url.host, url.protocol.slice(0, -1))
  if (host === undefined || !covers(domain, host.name)) throw new Malformed('it leads out')
  if (url.protocol !== 'https:' && !isLoopback(host.name)) throw new Malformed('no TLS')
  return url.href
}

/** Whose live session came along: exactly one of up to four values counts. */
export function personOfCookie(
  headers: Headers,
  { domain, cookie }: Domain,
  world: World,
): Person | undefined {
  const values = valuesOf(headers, 'cookie')
    .flatMap((header) => header.split(';'))
    .filter((pair) => pair.includes('='))
    .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)])
    .filter(([name = '']) => withoutBlanks(name) === cookie)
    .map(([, value = '']) => withoutBlanks(value).replace(/^"(.*)"$/s, '$1'))
  if (values.length > 4) return undefined
  const live = [...new Set(values)].flatMap((value) => {
    const session = world.sessions.get(value)
    return session?.domain === domain ? [session.person] : []
  })
  return live.length === 1 ? live[0] : undefined
}

/**
 * A Basic credential (RFC 7617): whose it is, or that it is nobody's. Any other scheme may be the app's own and is not looked
 * at. Two in one request are wrong, whatever they are.
 */
export function readBasic(
  { headers, target }: AskedOf,
  endpoint: Endpoint,
  world: World,
): Person | 'wrong' | undefined {
  const isAsked = endpoint === 'legacy' && queryOf(target).get('auth') === 'basic'
  const [own, proxys] = [
    valuesOf(headers, 'authorization'),
    valuesOf(headers, 'proxy-authorization'),
  ]
  const isRepeated = own.length > 1 || (endpoint === 'legacy' && proxys.length > 1)
  if (isRepeated) return 'wrong'
  const [value = ''] = endpoint === 'legacy' && !isAsked ? proxys : own
  const [, scheme = ''] = /^([^\s]+)(?:\s|$)/.exec(value) ?? []
  if (scheme.toLowerCase() !== 'basic') return isAsked ? 'wrong' : undefined
  const [, token = ''] = /^\S+\s+([A-Za-z0-9+/]+={0,2})$/.exec(value) ?? []
  const text = Buffer.from(token, 'base64').toString('utf8')
  const person = world.people.find(({ name }) => text.normalize('NFC').startsWith(`${name}:`))
  if (person === undefined || text.slice(text.indexOf(':') + 1) !== world.password) return 'wrong'
  return person
}

export function isNavigation(headers: Headers): boolean {
  const joined = (name: string): string => valuesOf(headers, name).join(', ').toLowerCase()
  if (joined('x-requested-with') === 'xmlhttprequest') return false
  const mode = joined('sec-fetch-mode')
  if (mode !== '' && mode !== 'navigate') return false
  const types = joined('accept')
    .split(',')
    .map((range) => range.replace(/;.*$/s, '').trim())
  return types.includes('text/html') || types[0] === '*/*'
}
