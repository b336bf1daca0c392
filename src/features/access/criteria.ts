import { type Address, contains, type Network, parseAddress } from '../../kernel/cidr.ts'
import { memoize } from '../../kernel/memo.ts'
import type { Pattern } from './pattern/index.ts'
import { meetsQuery, type QueryTest } from './query.ts'
import type { Asking, Match, Subject } from './question.ts'

/** The criteria of a rule that depend on the request; undefined: the rule does not have it. */
export interface Criteria {
  readonly methods: ReadonlySet<string> | undefined
  readonly subjects: readonly (readonly Holder[])[] | undefined
  readonly networks: readonly Network[] | undefined
  readonly resources: readonly Pattern[] | undefined
  readonly query: QueryTest | undefined
}

/** Which user or group a host belongs to; undefined fields ask nothing. */
export interface Claim {
  readonly user: string | undefined
  readonly group: string | undefined
  /** Fits its static part only: no known user meets it, an anonymous request might. */
  readonly isVague: boolean
}

/** What a host asks of the subject, one of them; undefined: the rule is about this host for every user. */
export interface ClaimedHost {
  readonly claims: readonly Claim[] | undefined
}

/** One subject that a rule names. */
export interface Holder {
  readonly kind: 'user' | 'group' | 'oauth2:client' | 'none'
  readonly name: string
}

/** Whether an asking meets all criteria; the cheap ones first, as most rules that do not match fail one of them. */
export function meetsAll(
  { claims, methods, subjects, networks, resources, query }: Criteria & ClaimedHost,
  asking: Asking,
): boolean {
  return (
    (claims === undefined || matchClaims(claims, asking) !== 'miss') &&
    matchMethods(methods, asking) !== 'miss' &&
    matchSubject(subjects, asking) !== 'miss' &&
    matchNetworks(networks, asking) !== 'miss' &&
    matchResources(resources, asking) !== 'miss' &&
    matchQuery(query, asking) !== 'miss'
  )
}

/** How an asking takes each criterion but the host's. */
export function matchEach(criteria: Criteria, asking: Asking) {
  return {
    resources: matchResources(criteria.resources, asking),
    query: matchQuery(criteria.query, asking),
    methods: matchMethods(criteria.methods, asking),
    networks: matchNetworks(criteria.networks, asking),
    subject: matchSubject(criteria.subjects, asking),
  } as const
}

export function matchClaims(claims: readonly Claim[], asking: Asking): Match {
  if (asking.isAnonymous) return 'may'
  return claims.some((claim) => meetsClaim(claim, asking)) ? 'hit' : 'miss'
}

export function meetsClaim({ user, group, isVague }: Claim, { subject }: Asking): boolean {
  if (isVague) return false
  if (user !== undefined && (user === '' || !equalFold(user, subject.user))) return false
  return (
    group === undefined || (group !== '' && subject.groups.some((own) => equalFold(own, group)))
  )
}

/** Equal but for case, in both directions: the Kelvin sign is a `k` in lower case, but not in upper case. */
function equalFold(a: string, b: string): boolean {
  return a === b || (a.toLowerCase() === b.toLowerCase() && a.toUpperCase() === b.toUpperCase())
}

function matchMethods(methods: Criteria['methods'], { method }: Asking): Match {
  if (methods === undefined) return 'absent'
  return methods.has(method) ? 'hit' : 'miss'
}

function matchSubject(subjects: Criteria['subjects'], asking: Asking): Match {
  if (subjects === undefined) return 'absent'
  if (asking.isAnonymous) return 'may'
  for (const all of subjects)
    if (all.every((holder) => isHeldBy(holder, asking.subject))) return 'hit'
  return 'miss'
}

export function isHeldBy({ kind, name }: Holder, subject: Subject): boolean {
  switch (kind) {
    case 'user':
      return name !== '' && subject.user === name
    case 'group':
      return subject.groups.includes(name)
    case 'oauth2:client':
      return name !== '' && subject.clientId === name
    case 'none':
      return false
    default:
      return kind satisfies never
  }
}

const addressOf = memoize<Address | null>((text) => parseAddress(text) ?? null, { maxKey: 64 })

function matchNetworks(networks: Criteria['networks'], asking: Asking): Match {
  if (networks === undefined) return 'absent'
  const address = addressOf(asking.address)
  if (address === null) return 'miss'
  for (const network of networks) if (contains(network, address)) return 'hit'
  return 'miss'
}

export function matchResources(resources: Criteria['resources'], asking: Asking): Match {
  if (resources === undefined) return 'absent'
  let best: Match = 'miss'
  for (const pattern of resources) {
    const text = asking.pathAlone && !pattern.namesQuery ? asking.path : asking.text
    if (pattern.named === undefined) {
      if (pattern.test(text)) return 'hit'
    } else if (asking.isAnonymous) {
      if (pattern.test(text)) best = 'may'
    } else {
      const claim = patternClaim(pattern, text)
      if (claim !== undefined && meetsClaim(claim, asking)) return 'hit'
    }
  }
  return best
}

function matchQuery(query: Criteria['query'], asking: Asking): Match {
  if (query === undefined) return 'absent'
  return meetsQuery(query, asking.query) ? 'hit' : 'miss'
}

/** A group that took no part in the match is empty, and no user's name. */
export function patternClaim(pattern: Pattern, text: string): Claim | undefined {
  const found = pattern.captures(text)
  if (found === undefined) return undefined
  return {
    user: pattern.named?.user ? (found.user ?? '') : undefined,
    group: pattern.named?.group ? (found.group ?? '') : undefined,
    isVague: false,
  }
}
