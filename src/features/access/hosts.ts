import { memoize } from '../../kernel/memo.ts'
import type { ClaimedHost, Criteria } from './criteria.ts'
import { domainClaims, type Rule } from './rules.ts'
import type { Verdict } from './verdict.ts'

/** A rule that may be about a host: only what a decision looks at, side by side in memory. */
export interface Candidate extends Criteria, ClaimedHost {
  readonly verdict: Verdict
}

/** The rules that may be about a host, in the order of the configuration. */
export interface Candidates {
  readonly list: readonly Candidate[]
  /** One of them has a pattern that sees the path without its query. */
  readonly seesPathAlone: boolean
}

/** Beside the hosts that rules name, this many others are remembered: those below a wildcard. */
const OTHER_HOSTS = 8192

/**
 * Finds the rules for a host in a time that does not depend on how many rules are about other hosts. Only patterns
 * (`domain_regex`) are tried one by one, once for each host; the answer is kept for a bounded number of hosts.
 */
export function indexHosts(rules: readonly Rule[]): (host: string) => Candidates {
  const exact = new Map<string, Rule[]>()
  const tails = new Map<string, Rule[]>()
  const others: Rule[] = []
  for (const rule of rules) {
    let isOther = rule.domainPatterns.length > 0 || rule.domains.length === 0
    for (const domain of rule.domains) {
      if (domain.kind === 'exact') insert(exact, domain.host, rule)
      else {
        const dot = domain.suffix.indexOf('.')
        if (dot === -1) isOther = true
        else insert(tails, domain.suffix.slice(dot), rule)
      }
    }
    if (isOther) others.push(rule)
  }
  const find = (written: string): Candidates => {
    const host = canonicalHost(written)
    const found = new Set([...(exact.get(host) ?? []), ...others])
    for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1))
      for (const rule of tails.get(host.slice(dot)) ?? []) found.add(rule)
    const list: Candidate[] = []
    for (const rule of [...found].sort((a, b) => a.index - b.index)) {
      const claims = domainClaims(rule, host)
      if (claims !== 'miss')
        list.push(candidateOf(rule, typeof claims === 'string' ? undefined : claims))
    }
    const seesPathAlone = list.some(({ resources }) => resources?.some((one) => !one.namesQuery))
    return { list, seesPathAlone }
  }
  // Two generations of half the size each: what rules name fits into one
  return memoize(find, { limit: 2 * exact.size + OTHER_HOSTS, maxKey: 255 })
}

/** Hosts come canonical; should one not, it must not slip past the rule that is about it (advisory 1). */
export function canonicalHost(written: string): string {
  return written.toLowerCase().replace(/\.$/, '')
}

function insert(map: Map<string, Rule[]>, key: string, rule: Rule): void {
  const rules = map.get(key)
  if (rules === undefined) map.set(key, [rule])
  else if (rules.at(-1) !== rule) rules.push(rule)
}

function candidateOf(rule: Rule, claims: Candidate['claims']): Candidate {
  const { methods, subjects, networks, resources, query, verdict } = rule
  return { claims, methods, subjects, networks, resources, query, verdict }
}
