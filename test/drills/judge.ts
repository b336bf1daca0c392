/** Whether an answer is the one that is due. */
import { type Answer, valuesOf } from './http.ts'
import type { Due, Leading, Person } from './reference.ts'

export type Weight = 'violation' | 'difference' | 'remark'

/** What is wrong with an answer. */
export interface Finding {
  /**
   * `violation`: a promise is broken, something was let in, said or left out. `difference`: refused, but not as is due, or
   * not at all due. `remark`: fails nothing.
   */
  readonly weight: Weight
  /** Short, the same for all findings of a kind. */
  readonly kind: string
  readonly detail: string
}

const IDENTITY = ['remote-user', 'remote-groups', 'remote-name', 'remote-email'] as const
/** What HTTP itself adds to a 200, and no-store. */
const ALLOWED_BESIDE = ['date', 'connection', 'keep-alive', 'content-length', 'cache-control']
/** Every status that an endpoint may have. 417 is Node's own answer to an expectation that nobody can meet. */
const STATUSES = [200, 302, 303, 400, 401, 403, 408, 417, 431]

export function judge(due: Due, answer: Answer): Finding | undefined {
  const { status, headers } = answer
  const violation = (kind: string, detail = ''): Finding => ({
    weight: 'violation',
    kind,
    detail: `${detail} [due: ${describe(due)}; came: ${status}]`,
  })
  // What other rooms answer is not this drill's promise; it is said all the same.
  if (status >= 500 && due.kind === 'elsewhere')
    return { weight: 'remark', kind: `${status} outside the verify endpoints`, detail: '' }
  if (status >= 500) return violation('5xx')
  if (status !== 200 && IDENTITY.some((name) => valuesOf(headers, name).length > 0))
    return violation('identity in a refusal')
  if (due.kind === 'elsewhere')
    return IDENTITY.some((name) => valuesOf(headers, name).length > 0)
      ? violation('identity elsewhere')
      : undefined
  if (!STATUSES.includes(status)) return violation('a status that is none of ours')
  if (valuesOf(headers, 'set-cookie').length > 0) return violation('a cookie is set')
  if (status === 200) {
    if (due.kind !== 'allowed') return violation('let in', describe(due))
    const wrong = wrongIdentity(due.person, answer)
    return wrong === undefined ? undefined : violation('wrong headers of a 200', wrong)
  }
  const location = valuesOf(headers, 'location')
  if (due.kind === 'sign-in' && status === due.status) {
    const wrong = wrongLocation(location, due, '')
    if (wrong !== undefined) return violation('wrong Location', wrong)
    return wrongCompanion(headers, 'x-vestibule-sign-in', due, '')
      ? violation('wrong X-Vestibule-Sign-In')
      : undefined
  }
  if (location.length > 0) return violation('Location where there should be none', location.join())
  if (due.kind === 'challenge' && status === 401)
    return valuesOf(headers, 'www-authenticate').join() === 'Basic realm="Authorization Required"'
      ? undefined
      : violation('wrong WWW-Authenticate')
  if (due.kind === 'forbidden' && status === 403)
    return wrongCompanion(headers, 'x-vestibule-forbidden', due, 'forbidden')
      ? violation('wrong X-Vestibule-Forbidden')
      : undefined
  if (status === statusOf(due)) return undefined
  return { weight: 'difference', kind: `${due.kind} is due, but ${status}`, detail: describe(due) }
}

/** The parts of the address it leads to, not the text: there is more than one way to encode. */
function wrongLocation(
  locations: readonly string[],
  { portal, url, method }: Leading,
  page: string,
): string | undefined {
  const [location] = locations
  if (portal === undefined) return location === undefined ? undefined : `leads to ${location}`
  if (location === undefined || locations.length > 1) return `${locations.length} of them`
  if (/[^\x21-\x7e]/.test(location)) return `unprintable: ${location}`
  const [expected, found] = [new URL(portal), URL.parse(location)]
  if (found === null) return `no URL: ${location}`
  const folder = page === '' ? expected.pathname : `${expected.pathname.replace(/\/$/, '')}/${page}`
  if (found.origin !== expected.origin || found.pathname !== folder) return `leads to ${location}`
  const pairs = found.search
    .slice(1)
    .split('&')
    .map((pair) => pair.split('='))
  const valuesNamed = (name: string) =>
    pairs.filter(([key]) => key === name).map(([, value]) => value)
  const [target = ''] = valuesNamed('rd')
  if (valuesNamed('rd').length !== 1 || bytesOf(target) !== url) return `rd is ${target}`
  if (valuesNamed('rm').join() !== method) return `rm is ${valuesNamed('rm')}`
  return undefined
}

/** A form's encoding, back to bytes. */
const bytesOf = (text: string): string =>
  text
    .replaceAll('+', ' ')
    .replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    )

function wrongCompanion(
  headers: Answer['headers'],
  name: string,
  due: Leading,
  page: string,
): boolean {
  const found = valuesOf(headers, name)
  return due.navigates ? wrongLocation(found, due, page) !== undefined : found.length > 0
}

function wrongIdentity(person: Person | undefined, { headers, body }: Answer): string | undefined {
  const wanted = [
    person?.name ?? '',
    person?.groups.join(',') ?? '',
    person?.displayName ?? '',
    person?.email ?? '',
  ].map((text) => Buffer.from(text, 'utf8').toString('latin1'))
  for (const [i, name] of IDENTITY.entries()) {
    const found = valuesOf(headers, name)
    if (found.length !== 1 || found[0] !== wanted[i])
      return `${name} is ${JSON.stringify(found)} in place of ${JSON.stringify(wanted[i])}`
  }
  const known: readonly string[] = [...IDENTITY, ...ALLOWED_BESIDE]
  const others = headers.filter(([name]) => !known.includes(name.toLowerCase()))
  if (others.length > 0) return `there is ${others.map(([name]) => name)}`
  if (valuesOf(headers, 'cache-control').join() !== 'no-store') return 'may be stored'
  return body === '' ? undefined : 'has a body'
}

function statusOf(due: Due): number {
  switch (due.kind) {
    case 'allowed':
      return 200
    case 'malformed':
      return due.status
    case 'challenge':
      return 401
    case 'untrusted':
    case 'forbidden':
      return 403
    case 'sign-in':
      return due.status
    case 'expectation':
      return 417
    case 'closed':
    case 'elsewhere':
      return 0
    default:
      return due satisfies never
  }
}

export const describe = (due: Due): string =>
  due.kind === 'malformed' ? `malformed (${due.why})` : `${due.kind} ${statusOf(due)}`
