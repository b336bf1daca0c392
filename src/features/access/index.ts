/**
 * Access: what a person may open, by the rules of `access_control`. Pure: no IO, no Fastify, nothing remembered but
 * which rules are about which host, and which rules are in force (live.ts).
 *
 * Owns rules, patterns, the readings of a path, and why they decide as they do. Does not own who somebody is (users,
 * sessions) or what is answered (verify). Target → readings → candidates by host → first rule that matches → verdict →
 * decision.
 */
import { isLoopback } from '../../kernel/host.ts'
import type { Access, App } from './access.ts'
import { meetsAll } from './criteria.ts'
import { type Explanation, explainRule, firstMatch } from './explain.ts'
import { type Candidates, canonicalHost, FEW, indexHosts } from './hosts.ts'
import type { AccessControl } from './manifest.ts'
import {
  type Asking,
  anonymous,
  isAnonymous,
  type Meter,
  type Subject,
  type Target,
} from './question.ts'
import { isCanonical, type Refusal as PathRefusal, readPath } from './readings.ts'
import { makeRules } from './rules.ts'
import { decisionOf, type Refusal, stricter, type Verdict } from './verdict.ts'

export type { Access, App } from './access.ts'
export type { Explanation } from './explain.ts'
export { createLiveAccess, type LiveAccess } from './live.ts'
export type { AccessControl, Policy } from './manifest.ts'
export type { Subject, Target } from './question.ts'
export { type Directory, unknownSubjectsIn } from './unknown-subjects.ts'
export type { Decision, Level, Refusal, Verdict } from './verdict.ts'
export { anonymous }

/**
 * @param control the parsed slice; any rule set is taken, its check belongs to the manifest
 * @param networks `definitions.network`
 * @param tuning how many rules of a list are walked and not indexed; decides nothing but the speed
 * @throws TypeError for a pattern that RE2 refuses
 */
export function createAccess(
  control: AccessControl,
  networks: Readonly<Record<string, readonly string[]>>,
  { few = FEW }: { readonly few?: number } = {},
): Access {
  const rules = makeRules(control.rules, networks)
  const candidatesOf = indexHosts(rules, few)
  const fallback: Verdict = {
    policy: control.default_policy,
    rule: undefined,
    hasSubject: false,
    readings: 1,
    refusal: undefined,
  }
  // One for all: a decision is made in one go, and the hot path makes no garbage.
  const asking: Asking = {
    subject: anonymous,
    isAnonymous: true,
    method: '',
    address: '',
    path: '',
    query: undefined,
    pathAlone: false,
    text: '',
  }

  // So is what a decision may cost.
  const meter: Meter = { left: 0 }

  /** The first rule that matches, in both askings when there is a query: a query neither opens nor closes a door. */
  function ask(candidates: Candidates, path: string): Verdict {
    const { query } = asking
    asking.path = path
    asking.text = query === undefined ? path : `${path}?${query}`
    asking.pathAlone = false
    for (const { index } of candidates.many) index.find(asking, meter)
    const first = match(candidates, asking, meter) ?? fallback
    if (query === undefined || !candidates.seesPathAlone) return first
    asking.pathAlone = true
    return stricter(first, match(candidates, asking, meter) ?? fallback)
  }

  function verdict(subject: Subject, target: Target): Verdict {
    asking.subject = subject
    asking.isAnonymous = isAnonymous(subject)
    asking.method = target.method
    asking.address = target.address
    meter.left = MAX_WORK
    const candidates = candidatesOf(target.host)
    for (const { index, fitting } of candidates.many) index.open(asking, fitting)
    const query = queryOf(target)
    if (isPlain(target.path, query)) {
      openQuery(candidates, query)
      const answer = ask(candidates, target.path)
      return meter.left < 0 ? REFUSED.work : answer
    }
    const readings = readTarget(target)
    if ('refusal' in readings) return REFUSED[readings.refusal]
    const { paths, queries } = readings
    let strictest: Verdict | undefined
    for (const one of queries) {
      openQuery(candidates, one)
      for (const path of paths) {
        const answer = ask(candidates, path)
        if (meter.left < 0) return REFUSED.work
        strictest = strictest === undefined ? answer : stricter(strictest, answer)
      }
    }
    return { ...(strictest ?? REFUSED.readings), readings: paths.length * queries.length }
  }

  function openQuery({ many }: Candidates, query: string | undefined): void {
    asking.query = query
    for (const { index } of many) index.openQuery(asking, meter)
  }

  function explain(subject: Subject, target: Target): Explanation {
    const final = verdict(subject, target)
    const readings = readTarget(target)
    if (final.refusal !== undefined || 'refusal' in readings)
      return { verdict: final, askings: [], deciding: -1, rules: [] }
    const host = canonicalHost(target.host)
    const questions: Asking[] = []
    for (const path of readings.paths) {
      for (const query of readings.queries) {
        const text = query === undefined ? path : `${path}?${query}`
        const first = { ...asking, path, query, text, pathAlone: false }
        questions.push(first)
        if (query !== undefined) questions.push({ ...first, pathAlone: true })
      }
    }
    const answers = questions.map((one) => firstMatch(rules, host, one, fallback))
    const strictest = answers.reduce(stricter)
    const deciding = answers.indexOf(strictest)
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
      rules: rules.map((rule) => explainRule(rule, host, questions[deciding] ?? asking)),
    }
  }

  const decide: Access['decide'] = (subject, level, target) => {
    const decision = decisionOf(verdict(subject, target), level)
    if (decision.kind === 'allow' || isAnonymous(subject)) return decision
    const forAll = decisionOf(verdict(anonymous, target), 0)
    return forAll.kind === 'allow' ? forAll : decision
  }

  return {
    needsTwoFactor:
      control.default_policy === 'two_factor' ||
      rules.some((rule) => rule.verdict.policy === 'two_factor'),
    verdict,
    decide,
    explain,
    apps(subject, level, address = '') {
      const apps = new Map<string, App>()
      for (const { title, icon, domains } of rules) {
        if (title === undefined) continue
        for (const domain of domains) {
          if (domain.kind !== 'exact') continue
          const { host } = domain
          const target = {
            scheme: 'https',
            host,
            path: '/',
            query: undefined,
            method: 'GET',
            address,
          }
          if (decide(subject, level, target).kind !== 'allow') continue
          const app = appOf(host, title, icon)
          if (!apps.has(`${host} ${app.title}`)) apps.set(`${host} ${app.title}`, app)
        }
      }
      return [...apps.values()]
    },
  }
}

/** The walk through the few first: what it finds, the long lists need not look behind. */
function match({ few, many }: Candidates, asking: Asking, meter: Meter): Verdict | undefined {
  let first: Verdict | undefined
  for (const candidate of few) {
    if (!meetsAll(candidate, asking)) continue
    first = candidate.verdict
    break
  }
  for (const { index } of many) first = index.first(asking, first?.rule ?? Infinity, meter) ?? first
  return first
}

/**
 * What the long lists of a host may cost one decision, in places of automata looked at, 5 to 20 ns each. A path of 2 KiB
 * has that much only where it is in 200 places at each character, 16 KiB of it where it is in 25.
 */
const MAX_WORK = 400_000

type TargetReadings =
  | { readonly paths: readonly string[]; readonly queries: readonly (string | undefined)[] }
  | { readonly refusal: PathRefusal }

/**
 * Every reading of path and query. A raw `#` ends the query for whoever parses URLs, and one in the path leaves no query
 * at all (advisory 9).
 */
function readTarget(target: Target): TargetReadings {
  const { path } = target
  const query = queryOf(target)
  if (isPlain(path, query)) return { paths: [path], queries: [query] }
  const readings = readPath(path)
  if ('refusal' in readings) return readings
  const queries = new Set([query])
  if (query?.includes('#')) queries.add(query.slice(0, query.indexOf('#')) || undefined)
  if (path.includes('#')) queries.add(undefined)
  return { paths: readings.paths, queries: [...queries] }
}

/** A question mark with nothing behind it is no query, as for Authelia. */
function queryOf({ query }: Target): string | undefined {
  return query === '' ? undefined : query
}

/** One reading, itself: what nearly every request has. */
function isPlain(path: string, query: string | undefined): boolean {
  return (query === undefined || !query.includes('#')) && isCanonical(path)
}

const refused = (refusal: Refusal): Verdict => ({
  policy: 'deny',
  rule: undefined,
  hasSubject: false,
  readings: 0,
  refusal,
})
const REFUSED: Readonly<Record<Refusal, Verdict>> = {
  control: refused('control'),
  malformed: refused('malformed'),
  rounds: refused('rounds'),
  readings: refused('readings'),
  work: refused('work'),
}

function appOf(host: string, title: string, icon: string | undefined): App {
  // Apps on the same machine are the only ones without TLS
  const scheme = isLoopback(host) ? 'http' : 'https'
  const url = `${scheme}://${host.includes(':') ? `[${host}]` : host}/`
  return { title, host, url, ...(icon !== undefined && { icon }) }
}
