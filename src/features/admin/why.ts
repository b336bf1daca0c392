import { parseAddress } from '../../kernel/cidr.ts'
import { anonymous, type Explanation, inspect, parseTarget, type Subject } from '../access/index.ts'
import { textFields } from '../portal/index.ts'
import type { AdminServices } from './services.ts'

export interface AskedWhy {
  readonly user: string
  readonly url: string
  readonly method: string
  readonly address: string
}

/** @param query a parsed one; a field that is missing or there twice is empty */
export function readAskedWhy(query: unknown): AskedWhy {
  const { user = '', url = '', method = '', address = '' } = textFields(query)
  return {
    user: user.trim().slice(0, 320),
    url: url.trim(),
    method: (method.trim() || 'GET').toUpperCase(),
    address: address.trim(),
  }
}

/** Why the rules say what they say to one request. */
export interface Why {
  readonly kind: 'explained'
  readonly host: string
  /** False: no cookie domain covers the host, and the proxy gets 400 before a rule is asked. */
  readonly covered: boolean
  /** Whether there is an enabled user of this name. */
  readonly known: boolean
  readonly subject: Subject
  /** Whether it can be allowed at all. An anonymous client may be asked to sign in first. */
  readonly decision: 'allow' | 'sign-in' | 'deny'
  /** How many factors it takes; null where it is not allowed. */
  readonly level: 0 | 1 | 2 | null
  readonly explanation: Explanation
  /** What the app is told. */
  readonly headers: readonly (readonly [name: string, value: string])[]
}

export type WhyAnswer =
  | Why
  /** The proxy gets 400. */
  | { readonly kind: 'malformed'; readonly reason: string }
  | { readonly kind: 'bad-address' }

type Services = Pick<AdminServices, 'access' | 'users' | 'sessions' | 'present'>

export async function explainWhy(
  { access, users, sessions, present }: Services,
  { user, url, method, address }: AskedWhy,
): Promise<WhyAnswer> {
  const from = address === '' ? undefined : parseAddress(address)
  if (address !== '' && from === undefined) return { kind: 'bad-address' }
  // One character a byte, as it arrives over HTTP.
  const asked = parseTarget(Buffer.from(url).toString('latin1'), method, from?.text ?? '')
  if ('malformed' in asked) return { kind: 'malformed', reason: asked.malformed }
  const { target } = asked
  const profile = user === '' ? undefined : await users.profile(user)
  const subject: Subject =
    user === ''
      ? anonymous
      : { user: profile?.name ?? user, groups: profile?.groups ?? [], clientId: '' }
  const { explanation, decisions } = inspect(access, subject, target)
  const verdict = access.decide(anonymous, 0, target)
  const { one_factor: one, two_factor: two } = decisions
  const level =
    verdict.kind === 'allow' ? 0 : one?.kind === 'allow' ? 1 : two?.kind === 'allow' ? 2 : null
  const mayComeIn = user === '' && verdict.kind === 'step-up'
  return {
    kind: 'explained',
    host: target.host,
    covered: sessions.domainOf(target.host) !== undefined,
    known: profile !== undefined,
    subject,
    decision: level !== null ? 'allow' : mayComeIn ? 'sign-in' : 'deny',
    level,
    explanation,
    headers: pairs(present(profile).headers),
  }
}

/** The four of the identity, as text. What a head has besides says nothing of the user. */
function pairs(list: readonly string[]): readonly (readonly [string, string])[] {
  const found: [string, string][] = []
  for (let i = 0; i + 1 < 8; i += 2)
    found.push([list[i] ?? '', Buffer.from(list[i + 1] ?? '', 'latin1').toString('utf8')])
  return found
}

/** The criteria of a rule that failed. */
export const failedOf = (rule: Explanation['rules'][number]): readonly string[] =>
  Object.entries(rule.criteria).flatMap(([name, answer]) => (answer === 'miss' ? [name] : []))
