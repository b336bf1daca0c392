/**
 * Access: what a user may open, by the rules of `access_control`. Pure: no IO, no Fastify, nothing remembered but
 * which rules are about which host, and which rules are in force (live.ts).
 *
 * Owns targets and their readings, rules, patterns, and why they decide as they do. Does not own who the user is (users,
 * sessions) or what is answered (verify). Target → readings → candidates by host → first rule that matches → verdict →
 * decision.
 */
import type { Access } from './access.ts'
import { appsOf } from './apps.ts'
import { explainVerdict } from './explain.ts'
import { FEW } from './hosts.ts'
import type { AccessControl } from './manifest.ts'
import { anonymous, isAnonymous } from './question.ts'
import { makeRules } from './rules.ts'
import { decisionOf, type Verdict } from './verdict.ts'
import { createVerdicts } from './verdicts.ts'

export type { Access, App } from './access.ts'
export type { Explanation } from './explain.ts'
export { type Inspection, inspect } from './inspect.ts'
export { createLiveAccess, type LiveAccess } from './live.ts'
export type { AccessControl, Policy } from './manifest.ts'
export type { Subject, Target } from './question.ts'
export {
  type Asked,
  isMethod,
  isUnjudgeable,
  type Malformed,
  malformed,
  parseParts,
  parseTarget,
  readHost,
  UNJUDGEABLE,
} from './target.ts'
export { type Directory, unknownSubjectsIn } from './unknown-subjects.ts'
export type { Decision, Level, Unjudgeable, Verdict } from './verdict.ts'
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
  const fallback: Verdict = {
    policy: control.default_policy,
    rule: undefined,
    hasSubject: false,
    readings: 1,
    refusal: undefined,
  }
  const verdict = createVerdicts(rules, fallback, few)

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
    explain: (subject, target) =>
      explainVerdict(rules, fallback, subject, target, verdict(subject, target)),
    apps: (subject, level, address = '') =>
      appsOf(rules, address, (target) => decide(subject, level, target).kind === 'allow'),
  }
}
