/** What the rules in force answer. */
import type { Explanation } from './explain.ts'
import type { Subject, Target } from './question.ts'
import type { Decision, Level, Verdict } from './verdict.ts'

/** An application that the user may open. */
export interface App {
  readonly title: string
  readonly icon?: string
  readonly host: string
  readonly url: string
}

export interface Access {
  /** The default policy or some rule demands two factors. */
  readonly needsTwoFactor: boolean
  verdict(subject: Subject, target: Target): Verdict
  /**
   * What the rules mean for a subject that has signed in this far. What they let everybody do, signing in does not take
   * away: a subject that is refused, or asked for more, is decided as the anonymous one where that is allowed.
   */
  decide(subject: Subject, level: Level, target: Target): Decision
  /** Every rule's answer, criterion by criterion. Costs as much as there are rules. */
  explain(subject: Subject, target: Target): Explanation
  /**
   * The rules with a title and an exact domain whose host's first page this subject may open.
   * @param address where the subject is, for rules with `networks`; without it those do not match
   */
  apps(subject: Subject, level: Level, address?: string): readonly App[]
}
