/** Whether an app received exactly what was judged and allowed (requirement 36). */
import type { Seen } from '../support/demo-app.ts'
import type { Exchange } from '../support/recorder.ts'
import type { AskedOf } from './http.ts'
import { answerDue, type Person, type World } from './reference.ts'
import { endpointOf, hostOf, Malformed, readTarget } from './reference-target.ts'

/** What one allowed question stands for: the only request that may reach the app on its account. */
export interface Allowed {
  readonly method: string
  /** Path and query. */
  readonly target: string
  readonly scheme: string
  readonly authority: string
  readonly person: Person | undefined
}

/** What a question allows by the reference; a text says what is wrong with its answer; undefined: nothing, rightly. */
export function readExchange(exchange: Exchange, world: World): Allowed | string | undefined {
  const { method, target, headers, status } = exchange
  const request: AskedOf = {
    kind: 'request',
    method,
    target,
    version: 'HTTP/1.1',
    headers,
    closes: false,
  }
  const endpoint = endpointOf(target)
  // Refused before any dialect reads it.
  if (endpoint === 'undecodable' && status >= 400) return undefined
  if (endpoint === undefined || endpoint === 'undecodable')
    return `what a proxy asks is no question: ${method} ${target}`
  const due = answerDue(request, '127.0.0.1', world)
  const isAllowed = status >= 200 && status < 300
  if (isAllowed !== (due.kind === 'allowed'))
    return `${due.kind} is due, but ${status}: ${JSON.stringify(exchange)}`
  if (due.kind !== 'allowed') return undefined
  try {
    const asked = readTarget(request, endpoint)
    const [, authority = '', rest = ''] = /^[a-z]+:\/\/([^/?#]*)(.*)$/is.exec(asked.url) ?? []
    // An empty path is sent as a slash (RFC 9112 §3.2.1).
    const path = rest === '' ? '/' : rest
    const { scheme, method: judged } = asked
    return { method: judged, target: path, scheme, authority, person: due.person }
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
    return `malformed, and allowed: ${error.why}`
  }
}

/** @returns what is wrong with a request that reached the app; undefined when it is the very one that was allowed */
export function wrongWith(seen: Seen, allowed: Allowed): string | undefined {
  if (seen.method !== allowed.method) return `method ${allowed.method} was judged`
  if (seen.url !== allowed.target) return `${JSON.stringify(allowed.target)} was judged`
  if (seen.method === 'CONNECT' || seen.method === 'TRACE') return 'the method'
  if (!seen.url.startsWith('/')) return 'it does not begin with a slash'
  const hosts = valuesOf(seen, 'host')
  const [told, judged] = [...hosts, allowed.authority].map((one) => hostOf(one, allowed.scheme))
  if (hosts.length !== 1 || told?.name !== judged?.name)
    return `host ${allowed.authority} was judged, and ${hosts} was told`
  const { person } = allowed
  const identity = {
    'remote-user': person?.name,
    'remote-groups': person?.groups.join(','),
    'remote-name': person?.displayName,
    'remote-email': person?.email,
  }
  for (const [name, value = ''] of Object.entries(identity)) {
    const found = valuesOf(seen, name).filter((one) => one !== '')
    const wanted = value === '' ? [] : [Buffer.from(value).toString('latin1')]
    if (found.join() !== wanted.join()) return `${name} is ${found}, not ${wanted}`
  }
  return JSON.stringify(seen.headers).includes('mallory') ? 'it names mallory' : undefined
}

const fold = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '-')

const valuesOf = ({ headers }: Seen, name: string): readonly string[] =>
  headers.filter(([own]) => fold(own) === name).map(([, value]) => value)
