import type { Policy } from './manifest.ts'
import type { UnreadablePath } from './readings.ts'

/** Why a target is denied unread; `work`: asking the many rules of its host would take too long. */
export type Unjudgeable = UnreadablePath | 'work'

/** What the rules say about a target. The level of the session is not considered yet. */
export interface Verdict {
  readonly policy: Policy
  /** Counted from 0; undefined: no rule matched, or the path was refused. */
  readonly rule: number | undefined
  /** The rule asks for the user: `subject`, `{user}`, `{group}`, or a group named User or Group. */
  readonly hasSubject: boolean
  /** How many readings of the target were asked: 1 for a canonical path, 0 for a refused one. */
  readonly readings: number
  /** Why the target was denied without an answer of the rules. */
  readonly refusal: Unjudgeable | undefined
}

export type Decision =
  | { readonly kind: 'allow'; readonly verdict: Verdict }
  | { readonly kind: 'step-up'; readonly need: 1 | 2; readonly verdict: Verdict }
  | { readonly kind: 'deny'; readonly verdict: Verdict }

/** How far the user has signed in: not at all, one factor, two. */
export type Level = 0 | 1 | 2

const STRICTNESS: Readonly<Record<Policy, number>> = {
  bypass: 0,
  one_factor: 2,
  two_factor: 4,
  deny: 6,
}

/** Bypass < one_factor < two_factor < deny; of equals, the one without a subject is the stricter. */
function strictness({ policy, hasSubject }: Verdict): number {
  return STRICTNESS[policy] + (hasSubject ? 0 : 1)
}

/** The stricter of two; of two equally strict ones, the rule that comes first. */
export function stricter(a: Verdict, b: Verdict): Verdict {
  if (a === b) return a
  const difference = strictness(a) - strictness(b)
  if (difference !== 0) return difference > 0 ? a : b
  return (a.rule ?? Infinity) <= (b.rule ?? Infinity) ? a : b
}

/** Authelia's table of outcomes: what a verdict means for a user of this level. */
export function decisionOf(verdict: Verdict, level: Level): Decision {
  switch (verdict.policy) {
    case 'bypass':
      return { kind: 'allow', verdict }
    case 'one_factor':
      return level >= 1 ? { kind: 'allow', verdict } : { kind: 'step-up', need: 1, verdict }
    case 'two_factor':
      return level === 2 ? { kind: 'allow', verdict } : { kind: 'step-up', need: 2, verdict }
    case 'deny':
      // Whom the rule is about is not known yet: they are asked before they are turned away.
      return level === 0 && verdict.hasSubject
        ? { kind: 'step-up', need: 1, verdict }
        : { kind: 'deny', verdict }
    default:
      return verdict.policy satisfies never
  }
}
