import { matchClaims, matchEach } from './criteria.ts'
import { canonicalHost } from './hosts.ts'
import type { Policy } from './manifest.ts'
import { type Asking, isAnonymous, type Match, type Subject, type Target } from './question.ts'
import { domainClaims, type Rule } from './rules.ts'
import { readTarget } from './target-readings.ts'
import { stricter, type Verdict } from './verdict.ts'

/** Why the rules say what they say. Plain data: goes out as JSON. */
export interface Explanation {
  readonly verdict: Verdict
  /** Every question that was asked, in order; the strictest answer is the verdict. None for a refused path. */
  readonly askings: readonly ExplainedAsking[]
  /** Which of them the verdict comes from; -1 for a refused path. */
  readonly deciding: number
  /** Every rule's answer to the deciding question. */
  readonly rules: readonly ExplainedRule[]
}

export interface ExplainedAsking {
  /** The reading of the path. */
  readonly path: string
  readonly query: string | null
  /** Patterns that name no `?` saw the path without its query. */
  readonly pathAlone: boolean
  /** The first rule that matched; null: the default policy. */
  readonly rule: number | null
  readonly policy: Policy
}

export interface ExplainedRule {
  readonly index: number
  readonly title: string | null
  readonly policy: Policy
  /** `may`: matches because the request is anonymous. */
  readonly verdict: 'hit' | 'may' | 'miss'
  readonly criteria: Readonly<Record<Criterion, Match>>
}

type Criterion = 'domain' | 'resources' | 'query' | 'methods' | 'networks' | 'subject'

/** Asks every criterion of one rule, without index and without stopping at the first that misses. */
function explainRule(rule: Rule, host: string, asking: Asking): ExplainedRule {
  const claims = domainClaims(rule, host)
  const criteria = {
    domain: typeof claims === 'string' ? claims : matchClaims(claims, asking),
    ...matchEach(rule, asking),
  } as const
  const answers = Object.values(criteria)
  return {
    index: rule.index,
    title: rule.title ?? null,
    policy: rule.verdict.policy,
    verdict: answers.includes('miss') ? 'miss' : answers.includes('may') ? 'may' : 'hit',
    criteria,
  }
}

/** The first rule that answers, by asking all of them. */
function firstMatch(
  rules: readonly Rule[],
  host: string,
  asking: Asking,
  fallback: Verdict,
): Verdict {
  const first = rules.find((rule) => explainRule(rule, host, asking).verdict !== 'miss')
  return first?.verdict ?? fallback
}

/**
 * How a verdict came about: each question that was asked of the rules, and what each rule says of the one that decided.
 * @param final the verdict
 */
export function explainVerdict(
  rules: readonly Rule[],
  fallback: Verdict,
  subject: Subject,
  target: Target,
  final: Verdict,
): Explanation {
  const readings = readTarget(target)
  if (final.refusal !== undefined || 'refusal' in readings)
    return { verdict: final, askings: [], deciding: -1, rules: [] }
  const host = canonicalHost(target.host)
  const base = {
    subject,
    isAnonymous: isAnonymous(subject),
    method: target.method,
    address: target.address,
  }
  const questions: Asking[] = []
  for (const path of readings.paths) {
    for (const query of readings.queries) {
      const text = query === undefined ? path : `${path}?${query}`
      const first = { ...base, path, query, text, pathAlone: false }
      questions.push(first)
      if (query !== undefined) questions.push({ ...first, pathAlone: true })
    }
  }
  const answers = questions.map((one) => firstMatch(rules, host, one, fallback))
  const strictest = answers.reduce(stricter)
  const deciding = answers.indexOf(strictest)
  const asked = questions[deciding]
  return {
    verdict: { ...strictest, readings: readings.paths.length * readings.queries.length },
    askings: questions.map(({ path, query, pathAlone }, index) => ({
      path,
      query: query ?? null,
      pathAlone,
      rule: answers[index]?.rule ?? null,
      policy: answers[index]?.policy ?? 'deny',
    })),
    deciding,
    rules: asked === undefined ? [] : rules.map((rule) => explainRule(rule, host, asked)),
  }
}
