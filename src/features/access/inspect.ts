import type { Access } from './access.ts'
import type { Explanation } from './explain.ts'
import { isAnonymous, type Subject, type Target } from './question.ts'
import type { Decision } from './verdict.ts'

/** What the rules mean for a request, and why: one answer for the command line and for administrators. */
export interface Inspection {
  readonly explanation: Explanation
  /** By how far the subject has signed in. Of an anonymous one there is `not_signed_in` alone. */
  readonly decisions: Readonly<Partial<Record<SignedIn, Decision>>>
}

export type SignedIn = 'not_signed_in' | 'one_factor' | 'two_factor'

export const inspect = (
  access: Pick<Access, 'explain' | 'decide'>,
  subject: Subject,
  target: Target,
): Inspection => ({
  explanation: access.explain(subject, target),
  decisions: isAnonymous(subject)
    ? { not_signed_in: access.decide(subject, 0, target) }
    : {
        one_factor: access.decide(subject, 1, target),
        two_factor: access.decide(subject, 2, target),
      },
})
