import { domainToASCII } from 'node:url'
import { type Network, parseNetwork } from '../../kernel/cidr.ts'
import { parseHost } from '../../kernel/host.ts'
import { type Claim, type Criteria, type Holder, patternClaim } from './criteria.ts'
import type { AccessRule } from './manifest.ts'
import { type Pattern, parsePattern } from './pattern/index.ts'
import type { QueryTest } from './query.ts'
import type { Verdict } from './verdict.ts'

/** One rule of the configuration, ready to be asked. */
export interface Rule extends Criteria {
  readonly index: number
  readonly title: string | undefined
  readonly icon: string | undefined
  readonly domains: readonly Domain[]
  readonly domainPatterns: readonly Pattern[]
  /** What it says when it matches and one reading was asked. */
  readonly verdict: Verdict
}

/** A `domain` as it is compared with hosts. */
export type Domain =
  | { readonly kind: 'exact'; readonly host: string }
  | { readonly kind: 'below' | 'user' | 'group'; readonly suffix: string }

/**
 * Makes the rules of one configuration. What rules have in common they share (patterns are read once, equal criteria are
 * one object): with thousands of rules, a decision that touches little memory is a quick one.
 * @param networks named networks
 * @throws TypeError for a pattern that RE2 refuses: the configuration was checked before
 */
export function makeRules(
  configs: readonly AccessRule[],
  networks: Readonly<Record<string, readonly string[]>>,
): readonly Rule[] {
  const patterns = new Map<string, Pattern>()
  const shared = new Map<string, unknown>()
  const pattern = (source: string): Pattern => {
    const known = patterns.get(source) ?? readPattern(source)
    patterns.set(source, known)
    return known
  }
  /** One object for all rules that wrote the same; nothing for those that wrote nothing. */
  function share<T, R>(
    kind: string,
    written: readonly T[] | undefined,
    read: (written: readonly T[]) => R,
  ): R | undefined {
    if (written === undefined || written.length === 0) return undefined
    const key = `${kind} ${JSON.stringify(written)}`
    // The kind is part of the key: what lies there was read by the same function
    const known = (shared.get(key) as R | undefined) ?? read(written)
    shared.set(key, known)
    return known
  }
  return configs.map((config, index) => {
    const domains = (config.domain ?? []).map(readDomain)
    const domainPatterns = (config.domain_regex ?? []).map(pattern)
    const resources = share('resources', config.resources, (list) => list.map(pattern))
    const subjects = share('subject', config.subject, (lists) =>
      lists.map((list) => list.map(readHolder)),
    )
    const hasSubject =
      subjects !== undefined ||
      domains.some(({ kind }) => kind === 'user' || kind === 'group') ||
      domainPatterns.some(({ named }) => named !== undefined) ||
      (resources ?? []).some(({ named }) => named !== undefined)
    return {
      index,
      title: config.title,
      icon: config.icon,
      domains,
      domainPatterns,
      methods: share('methods', config.methods, (list) => new Set(list.map(upperCase))),
      subjects,
      networks: share('networks', config.networks, (list) => readNetworks(list, networks)),
      resources,
      query: share('query', config.query, (lists) => readQuery(lists, pattern)),
      verdict: {
        policy: config.policy,
        rule: index,
        hasSubject,
        readings: 1,
        refusal: undefined,
      },
    }
  })
}

function readPattern(source: string): Pattern {
  const parsed = parsePattern(source)
  if (!parsed.ok) throw new TypeError(`not a pattern: ${parsed.fault.problem}: ${source}`)
  return parsed.pattern
}

const upperCase = (text: string): string => text.toUpperCase()

function readDomain(written: string): Domain {
  const text = written.toLowerCase().replace(/\.$/, '')
  if (text.startsWith('*.')) return { kind: 'below', suffix: `.${canonical(text.slice(2))}` }
  if (text.startsWith('{user}')) return { kind: 'user', suffix: canonicalSuffix(text.slice(6)) }
  if (text.startsWith('{group}')) return { kind: 'group', suffix: canonicalSuffix(text.slice(7)) }
  return { kind: 'exact', host: canonical(text) }
}

/** A host with a port is no host's name: the rule never matches, and the configuration's check has warned. */
function canonical(text: string): string {
  const host = parseHost(text, 'https')
  return host === undefined || host.port !== undefined ? text : host.name
}

/** What follows a placeholder may be the rest of a label: only whole labels have an ASCII form. */
function canonicalSuffix(suffix: string): string {
  const dot = suffix.indexOf('.')
  if (dot === -1) return suffix
  return `${suffix.slice(0, dot + 1)}${domainToASCII(suffix.slice(dot + 1)) || suffix.slice(dot + 1)}`
}

function readHolder(text: string): Holder {
  for (const kind of ['user', 'group', 'oauth2:client'] as const)
    if (text.startsWith(`${kind}:`)) return { kind, name: text.slice(kind.length + 1) }
  return { kind: 'none', name: text }
}

type WrittenQuery = NonNullable<AccessRule['query']>[number]

function readQuery(
  lists: readonly WrittenQuery[],
  pattern: (source: string) => Pattern,
): QueryTest {
  const read = lists.map((list) =>
    list.map(({ operator, key, value }) => ({
      operator: operator ?? (value === undefined ? 'present' : 'equal'),
      key,
      value: value ?? '',
      pattern: operator?.endsWith('pattern') ? pattern(value ?? '') : undefined,
    })),
  )
  return { lists: read, keys: new Set(read.flat().map(({ key }) => key)) }
}

function readNetworks(
  written: readonly string[],
  named: Readonly<Record<string, readonly string[]>>,
): readonly Network[] {
  return written
    .flatMap((text) => (Object.hasOwn(named, text) ? (named[text] ?? []) : [text]))
    .map(parseNetwork)
    .filter((network) => network !== undefined)
}

/** What a host asks of the subject for the rule to be about it: nothing (`hit`), one of the claims, or it is not. */
export function domainClaims(
  rule: Rule,
  host: string,
): 'absent' | 'hit' | 'miss' | readonly Claim[] {
  if (rule.domains.length === 0 && rule.domainPatterns.length === 0) return 'absent'
  const claims: Claim[] = []
  for (const domain of rule.domains) {
    if (domain.kind === 'exact') {
      if (domain.host === host) return 'hit'
    } else if (host.endsWith(domain.suffix) && host.length > domain.suffix.length) {
      if (domain.kind === 'below') return 'hit'
      claims.push(domain.kind === 'user' ? userClaim(host, domain) : groupClaim(host, domain))
    }
  }
  for (const pattern of rule.domainPatterns) {
    if (pattern.named === undefined) {
      if (pattern.test(host)) return 'hit'
      continue
    }
    const claim = patternClaim(pattern, host)
    if (claim !== undefined) claims.push(claim)
  }
  return claims.length === 0 ? 'miss' : claims
}

export function userClaim(host: string, { suffix }: { readonly suffix: string }): Claim {
  return { user: host.slice(0, host.length - suffix.length), group: undefined, isVague: false }
}

/** A group is a first label and nothing else: what follows it begins at the first dot. */
export function groupClaim(host: string, { suffix }: { readonly suffix: string }): Claim {
  const dot = host.indexOf('.')
  const label = dot === -1 ? host : host.slice(0, dot)
  return { user: undefined, group: label, isVague: host.slice(label.length) !== suffix }
}
