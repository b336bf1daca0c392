/**
 * A verify request once more, straight from the HTTP contract (§1, §2) and as plainly as possible: from the bytes that came
 * in to the answer that is due. Shares nothing with the verify and sessions rooms; the rules are asked of
 * test/access/reference.ts. The fuzz drill holds the server against it.
 */
import { RE2JS } from 're2js'
import type { AccessControl } from '../../src/features/access/manifest.ts'
import { type ReferenceVerdict, referenceVerdict } from '../access/reference.ts'
import { type AskedOf, valuesOf } from './http.ts'
import { isNavigation, personOfCookie, portalOf, readBasic } from './reference-caller.ts'
import {
  type Asked,
  clientOf,
  covers,
  type Endpoint,
  endpointOf,
  Malformed,
  readTarget,
} from './reference-target.ts'

export interface Person {
  readonly name: string
  readonly displayName: string
  readonly email: string
  readonly groups: readonly string[]
}

export interface Domain {
  readonly domain: string
  readonly cookie: string
  readonly portal: string | undefined
}

/** Everything an answer depends on but the request. */
export interface World {
  readonly domains: readonly Domain[]
  readonly control: AccessControl
  readonly networks: Readonly<Record<string, readonly string[]>>
  /** Whether an address is that of a trusted proxy. */
  isTrusted(address: string): boolean
  /** Live sessions by the value of their cookie. */
  readonly sessions: ReadonlyMap<string, { readonly domain: string; readonly person: Person }>
  /** Who there is. One password is everybody's. */
  readonly people: readonly Person[]
  readonly password: string
}

/** The answer that is due. */
export type Due =
  /** No verify endpoint. */
  | { readonly kind: 'elsewhere' }
  /** Node's own answer to an expectation that nobody can meet. */
  | { readonly kind: 'expectation' }
  /** CONNECT: no answer at all. */
  | { readonly kind: 'closed' }
  | { readonly kind: 'malformed'; readonly status: 400 | 401; readonly why: string }
  | { readonly kind: 'untrusted' }
  | { readonly kind: 'challenge' }
  | ({ readonly kind: 'sign-in'; readonly status: 302 | 303 | 401 } & Leading)
  | ({ readonly kind: 'forbidden' } & Leading)
  | { readonly kind: 'allowed'; readonly person: Person | undefined }

/** What leads a browser to the portal and back. */
export interface Leading {
  /** Undefined: there is no portal to lead to. */
  readonly portal: string | undefined
  readonly url: string
  readonly method: string
  readonly navigates: boolean
}

/** Every header that means something on a verify endpoint and has another spelling. */
const READ = [
  'x-original-url',
  'x-original-method',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-uri',
  'x-forwarded-method',
  'x-forwarded-for',
  'x-authelia-url',
  'proxy-authorization',
  'x-requested-with',
  'sec-fetch-mode',
]

/** @param peer the socket's address */
export function answerDue(request: AskedOf, peer: string, world: World): Due {
  if (request.method === 'CONNECT') return { kind: 'closed' }
  const expect = valuesOf(request.headers, 'expect')
  const isMet = expect.length === 0 || /(?:^|\W)100-continue(?:$|\W)/i.test(expect.join())
  if (request.version === 'HTTP/1.1' && !isMet) return { kind: 'expectation' }
  const endpoint = endpointOf(request.target)
  if (endpoint === 'undecodable') return { kind: 'malformed', status: 400, why: 'the path' }
  if (endpoint === undefined) return { kind: 'elsewhere' }
  try {
    return verifyDue(request, endpoint, peer, world)
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
    return { kind: 'malformed', status: endpoint === 'legacy' ? 401 : 400, why: error.why }
  }
}

function verifyDue(request: AskedOf, endpoint: Endpoint, peer: string, world: World): Due {
  const { headers } = request
  for (const [name] of headers) {
    const lower = name.toLowerCase()
    const folded = lower.replace(/[_.]/g, '-')
    if (folded !== lower && READ.includes(folded)) throw new Malformed(`alias ${name}`)
  }
  const isTrusted = world.isTrusted(peer)
  const address = isTrusted ? clientOf(headers, peer, world) : peer
  const asked = readTarget(request, endpoint)
  const domain = world.domains.find((one) => covers(one.domain, asked.host))
  if (domain === undefined) throw new Malformed(`no cookie domain covers ${asked.host}`)
  const portal = portalOf(request, endpoint, domain)
  if (!isTrusted) return { kind: 'untrusted' }

  const verdictFor = (who: Person | undefined): ReferenceVerdict =>
    referenceVerdict(
      world.control,
      world.networks,
      { user: who?.name ?? '', groups: who?.groups ?? [], clientId: '' },
      { ...asked, address },
    )
  const visitor = personOfCookie(headers, domain, world)
  const asNobody = verdictFor(undefined)
  if (asNobody.policy === 'bypass') return { kind: 'allowed', person: visitor }
  const verdict = visitor === undefined ? asNobody : verdictFor(visitor)
  if (visitor !== undefined && isEnough(verdict)) return { kind: 'allowed', person: visitor }

  const basic = readBasic(request, endpoint, world)
  if (basic === 'wrong') return { kind: 'challenge' }
  const leading = leadingOf(request, endpoint, asked, portal, domain)
  if (basic !== undefined) {
    const judged = verdictFor(basic)
    if (isEnough(judged)) return { kind: 'allowed', person: basic }
    return judged.policy === 'deny' ? { kind: 'forbidden', ...leading } : { kind: 'challenge' }
  }
  const mayAsk = visitor === undefined && verdict.hasSubject
  if (verdict.policy === 'deny' && !mayAsk) return { kind: 'forbidden', ...leading }
  return {
    kind: 'sign-in',
    status: signInStatus(endpoint, asked, portal, leading),
    ...leading,
    portal,
  }
}

/** A password is one factor, and nobody here has a second one. */
const isEnough = ({ policy }: ReferenceVerdict): boolean =>
  policy === 'bypass' || policy === 'one_factor'

/** A page that says no knows the domain's own portal; a redirect of the old endpoint does not. */
function leadingOf(
  { headers }: AskedOf,
  endpoint: Endpoint,
  { url, method }: Asked,
  portal: string | undefined,
  domain: Domain,
): Leading {
  const own = endpoint === 'legacy' ? domain.portal : undefined
  return { portal: portal ?? own, url, method, navigates: isNavigation(headers) }
}

function signInStatus(
  endpoint: Endpoint,
  { isOriginal, method }: Asked,
  portal: string | undefined,
  { navigates }: Leading,
): 302 | 303 | 401 {
  const isNginx = endpoint !== 'legacy' && isOriginal
  if (!navigates || isNginx || portal === undefined) return 401
  return ['GET', 'HEAD', 'OPTIONS'].includes(method) ? 302 : 303
}

/** The rules' reference reads its patterns anew for every question; a million questions have no time for that. */
export function rememberPatterns(): void {
  const compile = RE2JS.compile.bind(RE2JS)
  const known = new Map<string, RE2JS>()
  RE2JS.compile = (source, flags) => {
    if (flags !== undefined) return compile(source, flags)
    const pattern = known.get(source) ?? compile(source)
    known.set(source, pattern)
    return pattern
  }
}
