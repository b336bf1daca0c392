import { memoize } from '../../kernel/memo.ts'
import { type Claim, type ClaimedHost, type Criteria, patternClaim } from './criteria.ts'
import type { Pattern } from './pattern/index.ts'
import { createPatternSet } from './pattern/set.ts'
import { createRuleIndex, type Entry, type Fitting, type RuleIndex } from './rule-index.ts'
import { type Domain, groupClaim, type Rule, userClaim } from './rules.ts'
import type { Verdict } from './verdict.ts'

/** A rule that may be about a host: only what a decision looks at, side by side in memory. */
export interface Candidate extends Criteria, ClaimedHost {
  readonly index: number
  readonly verdict: Verdict
}

/** The rules that may be about a host. */
export interface Candidates {
  /** In the order of the configuration, to be walked. */
  readonly few: readonly Candidate[]
  /** Long lists, to be asked; hosts below the same domain share them. */
  readonly many: readonly { readonly index: RuleIndex; readonly fitting: readonly Fitting[] }[]
  /** One of them has a pattern that sees the path without its query. */
  readonly seesPathAlone: boolean
}

/** Beside the hosts that rules name, this many others are remembered: those below a wildcard. */
const OTHER_HOSTS = 8192

/** Rules and patterns that a walk is as quick for as an index, which has to look at each criterion. */
export const FEW = 16

/**
 * Finds the rules for a host in a time that does not depend on how many rules there are. A rule stands in the list of
 * each of its domains: of that host, of all hosts below a domain, or of those that only trying tells. So a host is in
 * few lists, a long one is indexed once for all of its hosts, and all lists together are as long as the configuration.
 *
 * @param few how many rules and patterns of a list are walked
 */
export function indexHosts(rules: readonly Rule[], few = FEW): (host: string) => Candidates {
  const exact = new Map<string, ListBuilder>()
  const tails = new Map<string, ListBuilder>()
  const others = new ListBuilder()
  for (const rule of rules) {
    for (const domain of rule.domains) {
      if (domain.kind === 'exact') listOf(exact, domain.host).add(rule)
      else {
        const dot = domain.suffix.indexOf('.')
        const list = dot === -1 ? others : listOf(tails, domain.suffix.slice(dot))
        list.add(rule, domain.kind === 'below' && dot === 0 ? undefined : domain)
      }
    }
    for (const pattern of rule.domainPatterns) others.add(rule, pattern)
    if (rule.domains.length === 0 && rule.domainPatterns.length === 0) others.add(rule)
  }
  // An index takes time to make: no request waits for it. The many short lists are made when a host is first asked.
  for (const builder of [...exact.values(), ...tails.values(), others])
    if (builder.isLong(few)) builder.list(few)
  const find = (written: string): Candidates => {
    const host = canonicalHost(written)
    const lists = [exact.get(host)?.list(few), others.list(few)]
    for (let dot = host.indexOf('.', 1); dot !== -1; dot = host.indexOf('.', dot + 1))
      lists.push(tails.get(host.slice(dot))?.list(few))
    return candidatesOf(lists, host, few)
  }
  // Two generations of half the size each: what rules name fits into one
  return memoize(find, { limit: 2 * exact.size + OTHER_HOSTS, maxKey: 255 })
}

/** Hosts come canonical; should one not, it must not slip past the rule that is about it (advisory 1). */
export function canonicalHost(written: string): string {
  return written.toLowerCase().replace(/\.$/, '')
}

function candidatesOf(
  lists: readonly (RuleList | undefined)[],
  host: string,
  few: number,
): Candidates {
  const walked: Candidate[] = []
  const many: { index: RuleIndex; fitting: readonly Fitting[] }[] = []
  let seesPathAlone = false
  for (const list of lists) {
    if (list === undefined) continue
    const fitting = list.fitting(host)
    const entries = list.entries(fitting)
    if (entries === undefined || (list.index !== undefined && weightOf(entries) > few)) {
      if (list.index !== undefined) many.push({ index: list.index, fitting })
      seesPathAlone ||= list.seesPathAlone
      continue
    }
    const claims = new Map(fitting.map(({ domain, claim }) => [domain, claim]))
    for (const { rule, domain } of entries) walked.push(candidateOf(rule, claims.get(domain)))
    seesPathAlone ||= entries.some(({ rule }) => seesAlone(rule))
  }
  return { few: walked.sort((a, b) => a.index - b.index), many, seesPathAlone }
}

function candidateOf(rule: Rule, claim: Claim | undefined): Candidate {
  const { index, methods, subjects, networks, resources, query, verdict } = rule
  const claims = claim === undefined ? undefined : [claim]
  return { index, claims, methods, subjects, networks, resources, query, verdict }
}

const seesAlone = ({ resources }: Rule): boolean =>
  resources?.some(({ namesQuery }) => !namesQuery) ?? false

/** What walking the rules may ask, one by one. */
function weightOf(entries: readonly Entry[]): number {
  let weight = 0
  for (const { rule } of entries) {
    weight += Math.max(1, rule.resources?.length ?? 0)
    for (const list of rule.query?.lists ?? []) weight += list.length
  }
  return weight
}

/** A domain that fits some hosts of a list, or depends on the subject. */
type Trial = Exclude<Domain, { kind: 'exact' }> | Pattern

class ListBuilder {
  readonly #entries: Entry[] = []
  readonly #trials: Trial[] = []
  #numbers: Map<string, number> | undefined
  #list: RuleList | undefined

  /** @param trial nothing when the rule is about every host of the list */
  add(rule: Rule, trial?: Trial): void {
    this.#entries.push({ rule, domain: trial === undefined ? -1 : this.#numberOf(trial) })
  }

  #numberOf(trial: Trial): number {
    const key = 'kind' in trial ? `${trial.kind} ${trial.suffix}` : `pattern ${trial.source}`
    this.#numbers ??= new Map()
    const number = this.#numbers.get(key) ?? this.#trials.push(trial) - 1
    this.#numbers.set(key, number)
    return number
  }

  isLong(few: number): boolean {
    return weightOf(this.#entries) > few
  }

  /** What was added, from the first call on. */
  list(few: number): RuleList {
    this.#list ??= new RuleList(this.#entries, this.#trials, few)
    return this.#list
  }
}

class RuleList {
  readonly seesPathAlone: boolean
  /** Only a long list has one. */
  readonly index: RuleIndex | undefined
  readonly #always: readonly Entry[]
  /** By domain that has to be tried. */
  readonly #tried: readonly (readonly Entry[])[]
  readonly #trials: Trials | undefined

  constructor(entries: readonly Entry[], trials: readonly Trial[], few: number) {
    this.#always = entries.filter(({ domain }) => domain === -1)
    const tried: Entry[][] = trials.map(() => [])
    for (const entry of entries) tried[entry.domain]?.push(entry)
    this.#tried = tried
    this.#trials = trials.length === 0 ? undefined : createTrials(trials)
    this.seesPathAlone = entries.some(({ rule }) => seesAlone(rule))
    this.index = weightOf(entries) > few ? createRuleIndex(entries, trials.length) : undefined
  }

  fitting(host: string): readonly Fitting[] {
    return this.#trials?.(host) ?? []
  }

  /** The rules that may be about a host; undefined when there are too many to count at each new host. */
  entries(fitting: readonly Fitting[]): readonly Entry[] | undefined {
    if (this.index !== undefined && this.#always.length > LOOKED_AT) return undefined
    const entries = [...this.#always]
    for (const { domain } of fitting) {
      entries.push(...(this.#tried[domain] ?? []))
      if (this.index !== undefined && entries.length > LOOKED_AT) return undefined
    }
    return entries
  }
}

/** Of a longer list it is not counted how much of it fits a host. */
const LOOKED_AT = 64

type Trials = (host: string) => readonly Fitting[]

function createTrials(trials: readonly Trial[]): Trials {
  const patterns: { readonly domain: number; readonly pattern: Pattern }[] = []
  const suffixes: { readonly domain: number; readonly of: Exclude<Trial, Pattern> }[] = []
  for (const [domain, trial] of trials.entries())
    if ('kind' in trial) suffixes.push({ domain, of: trial })
    else patterns.push({ domain, pattern: trial })
  const set = createPatternSet(patterns.map(({ pattern }) => pattern))
  const others = new Set(set.others)
  return (host) => {
    const fitting: Fitting[] = []
    for (const { domain, of } of suffixes)
      if (host.endsWith(of.suffix) && host.length > of.suffix.length)
        fitting.push({ domain, claim: suffixClaim(host, of) })
    // No host is so long that it would be too much
    const found = set.find(host, host.length, { left: Infinity })?.inText ?? []
    for (const number of [...found, ...others]) {
      const one = patterns[number]
      if (one === undefined) continue
      const { domain, pattern } = one
      if (pattern.named === undefined) {
        if (!others.has(number) || pattern.test(host)) fitting.push({ domain, claim: undefined })
        continue
      }
      const claim = patternClaim(pattern, host)
      if (claim !== undefined) fitting.push({ domain, claim })
    }
    return fitting
  }
}

function suffixClaim(host: string, of: Exclude<Trial, Pattern>): Claim | undefined {
  if (of.kind === 'below') return undefined
  return of.kind === 'user' ? userClaim(host, of) : groupClaim(host, of)
}

function listOf(map: Map<string, ListBuilder>, key: string): ListBuilder {
  const known = map.get(key)
  if (known !== undefined) return known
  const list = new ListBuilder()
  map.set(key, list)
  return list
}
