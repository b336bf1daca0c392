/** The requests of the fuzz drill, each made from the seed and its number alone. */
import { METHODS } from 'node:http'
import {
  ACCEPTS,
  CHAINS,
  CREDENTIALS,
  ENDPOINTS,
  NOISE,
  OVERRIDES,
  PLAIN_CHAINS,
  PLAIN_ENDPOINTS,
} from './corpus-headers.ts'
import {
  HOSTS,
  PATHS,
  PLAIN_PATHS,
  QUERIES,
  SCHEMES,
  SPELLINGS,
  TARGET_METHODS,
} from './corpus-target.ts'
import { anotherValue, change, type Draft, damage, type Header, write } from './mutations.ts'
import { type Random, randomOf } from './random.ts'
import type { Cookie } from './scene.ts'
import { DOMAINS, PEERS } from './world.ts'

export interface Question {
  readonly index: number
  /** The address it comes from. */
  readonly peer: string
  /** One character a byte. */
  readonly bytes: string
}

const OWN_METHODS = METHODS.filter((method) => method !== 'CONNECT')

/** @param cookies of everybody, dead and alive */
export function createQuestions(
  seed: number,
  cookies: readonly Cookie[],
): (index: number) => Question {
  const byDomain = new Map(
    DOMAINS.map(({ domain }) => [domain, cookies.filter((one) => one.domain === domain)]),
  )

  function draft(random: Random): Draft {
    // What is odd all over is refused for the first oddity: half of the requests have few.
    const oddness = random.chance(0.5) ? 1 : 0.2
    const isOdd = (probability: number) => random.chance(probability * oddness)
    const host = random.pick(HOSTS)
    const uri = `${random.pick(isOdd(0.6) ? PATHS : PLAIN_PATHS)}${isOdd(0.7) ? random.pick(QUERIES) : ''}`
    const authority = isOdd(0.2) ? random.pick(SPELLINGS)(host) : host
    const isLocal = /localhost$|^127|^\[/.test(host)
    const scheme = isOdd(0.2) ? random.pick(SCHEMES) : isLocal ? 'http' : 'https'
    const method = isOdd(0.4) ? random.pick(TARGET_METHODS) : 'GET'
    const endpoint = random.pick(isOdd(0.04) ? ENDPOINTS : PLAIN_ENDPOINTS)
    const isOwn = endpoint.includes('ext-authz') || endpoint.includes('/api/verif')
    const overrides = [0.1, 0.02]
      .filter(isOdd)
      .map(() => `${isOwn ? 'rd' : 'authelia_url'}=${random.pick(OVERRIDES)}`)
    if (isOwn && isOdd(0.1)) overrides.push('auth=basic')
    const query = overrides.length === 0 ? '' : `?${overrides.join('&')}`
    const headers: Header[] = [
      ['Host', isOwn || isOdd(0.1) ? authority : 'vestibule'],
      ...family(random, endpoint, scheme, authority, uri, method),
      ...cookieHeaders(random, host),
      ...caller(random, isOdd),
    ]
    const isTail = endpoint.includes('ext-authz') || (isOwn && random.chance(0.2))
    return {
      method: isOdd(0.2) ? random.pick(OWN_METHODS) : 'GET',
      target: `${endpoint}${isTail ? uri : ''}${query}`,
      version: isOdd(0.01) ? 'HTTP/1.0' : 'HTTP/1.1',
      headers: isOdd(0.3) ? random.shuffle(headers) : headers,
      body: '',
    }
  }

  function cookieHeaders(random: Random, host: string): Header[] {
    if (random.chance(0.15)) return []
    const own = DOMAINS.find(({ domain }) => host.endsWith(domain))
    const pairs = [cookiePair(random, own?.domain)]
    while (random.chance(0.15) && pairs.length < 8)
      pairs.push(
        random.chance(0.5) ? `other=${random.below(1000)}` : cookiePair(random, own?.domain),
      )
    if (random.chance(0.9)) return [['Cookie', random.shuffle(pairs).join('; ')]]
    return pairs.map((pair): Header => [random.pick(['Cookie', 'cookie', 'COOKIE']), pair])
  }

  function cookiePair(random: Random, domain: string | undefined): string {
    const name = DOMAINS.find((one) => one.domain === domain)?.cookie ?? 'vestibule_session'
    const mine = byDomain.get(domain ?? '') ?? cookies
    const live = mine.filter(({ state }) => state === 'live')
    const any = random.pick(cookies).value
    const own = live.length > 0 ? random.pick(live).value : any
    switch (random.below(24)) {
      case 0:
        return `${name}=${any}`
      case 1:
        return `${name}=${random.pick(cookies.filter(({ state }) => state !== 'live')).value}`
      case 2:
        return `${name}=${own.slice(0, random.below(44))}`
      case 3:
        return `${name}=${own}${random.pick(['=', 'A', ' x', '%20', ',', '\xff', '"'])}`
      case 4:
        return `${name}="${own}"`
      case 5:
        return `${random.pick([' ', '\t', ''])}${name} = ${own} `
      case 6:
        return `${name.toUpperCase()}=${own}`
      case 7:
        return `${random.pick(['x', '$', '__Host-', ''])}${name}${random.pick(['x', '', '.'])}=${own}`
      case 8:
        return Array.from({ length: 1 + random.below(6) }, () => `${name}=${own}`).join('; ')
      case 9:
        return Array.from({ length: 2 + random.below(5) }, (_, i) =>
          i === 0 ? `${name}=${own}` : `${name}=${'x'.repeat(43)}`,
        ).join(';')
      case 10:
        return `a="; ${name}=${own}; b="`
      case 11:
        return `x=${name}=${own}`
      default:
        return `${name}=${own}`
    }
  }

  return (index) => {
    const random = randomOf(seed, index)
    const made = draft(random)
    change(made, random)
    let bytes = write(made)
    if (random.chance(0.15)) {
      // A splice needs a second request to take a piece of.
      const other = random.chance(0.1) ? write(draft(random)) : ''
      for (let i = 1 + random.below(4); i > 0; i--) bytes = damage(bytes, other, random)
    }
    const peer = random.chance(0.97) ? PEERS.usual : random.pick([PEERS.other, PEERS.untrusted])
    return { index, peer, bytes }
  }
}

function family(
  random: Random,
  endpoint: string,
  scheme: string,
  authority: string,
  uri: string,
  method: string,
): Header[] {
  const original: Header[] = [
    ['X-Original-URL', `${scheme}://${authority}${uri}`],
    ['X-Original-Method', method],
  ]
  const forwarded: Header[] = [
    ['X-Forwarded-Proto', scheme],
    ['X-Forwarded-Host', authority],
    ['X-Forwarded-Uri', uri],
    ['X-Forwarded-Method', method],
  ]
  if (random.chance(0.1)) {
    // On /verify they have to say the same.
    const other = random.pick(forwarded)
    if (random.chance(0.4)) other[1] = anotherValue(other[0], random)
    return [...original, ...forwarded]
  }
  if (random.chance(0.03)) return random.shuffle([...original, ...forwarded]).slice(random.below(4))
  if (endpoint.includes('ext')) return forwarded.slice(0, 1)
  if (endpoint.includes('forward')) return forwarded
  if (endpoint.includes('/api/verif') && random.chance(0.2)) return forwarded.slice(random.below(5))
  return endpoint.includes('request') || random.chance(0.5) ? original : forwarded
}

/** Who asks, and from where. */
function caller(random: Random, isOdd: (probability: number) => boolean): Header[] {
  const headers: Header[] = []
  if (random.chance(0.5)) headers.push(['Accept', random.pick(ACCEPTS)])
  if (random.chance(0.3))
    headers.push(['X-Forwarded-For', random.pick(isOdd(0.8) ? CHAINS : PLAIN_CHAINS)])
  if (isOdd(0.05)) headers.push(['X-Forwarded-For', random.pick(CHAINS)])
  if (isOdd(0.1))
    headers.push(['X-Requested-With', random.pick(['XMLHttpRequest', 'xmlhttprequest', 'x', ''])])
  if (isOdd(0.2))
    headers.push(['Sec-Fetch-Mode', random.pick(['navigate', 'Navigate', 'cors', '', 'no-cors'])])
  if (isOdd(0.04))
    headers.push([
      random.pick(['Authorization', 'Authorization', 'Proxy-Authorization']),
      random.pick(CREDENTIALS),
    ])
  if (isOdd(0.05)) headers.push(['X-Authelia-URL', random.pick(OVERRIDES)])
  while (isOdd(0.4)) headers.push([...random.pick(NOISE)])
  return headers
}
