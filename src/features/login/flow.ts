/**
 * What the portal shows next: one state machine, one dispatcher. Steps never call each other; each ends in a request for
 * `/`, which asks here again.
 */
import type { Facts, NextContributedStep, Outcome } from '../portal/index.ts'

export type Step =
  | { readonly kind: 'sign-in' }
  /** Signed in a moment ago, and the browser came back without the cookie. */
  | { readonly kind: 'cookie-refused' }
  | { readonly kind: 'continue'; readonly url: string }
  /** A page of another feature comes first. */
  | { readonly kind: 'contributed'; readonly by: string; readonly path: string }
  /** The rules ask for a second factor, and no feature offers one. */
  | { readonly kind: 'second-factor'; readonly host: string }
  | { readonly kind: 'not-allowed'; readonly host: string }
  | { readonly kind: 'signed-in' }

/** A contributor that knows its facts of this request. */
export interface PreparedContributor {
  readonly name: string
  readonly next: NextContributedStep
}

/**
 * The rules alone decide whether a user is sent on. Contributors are asked in their order, for users who are signed in; the
 * first one with a step puts its page in front of the flow's own step.
 */
export function next(facts: Facts, contributors: readonly PreparedContributor[] = []): Step {
  // Before a contributor sees the facts: whatever it does with them, it can only hold back.
  const own = ownStep(facts)
  if (facts.level === 0) return own
  for (const contributor of contributors) {
    const step = contributor.next(facts)
    if (step !== undefined) return { kind: 'contributed', by: contributor.name, path: step.path }
  }
  return own
}

function ownStep({ level, justSignedIn, destination, defaultRedirection }: Facts): Step {
  if (level === 0) return { kind: justSignedIn ? 'cookie-refused' : 'sign-in' }
  switch (destination.kind) {
    case 'none':
    case 'unsafe':
      return justSignedIn && defaultRedirection !== undefined
        ? { kind: 'continue', url: defaultRedirection }
        : { kind: 'signed-in' }
    case 'safe':
      return stepTowards(destination.outcome, destination.url, destination.host)
    case 'interaction':
      return stepTowards(destination.outcome, destination.url, destination.client)
    default:
      return destination satisfies never
  }
}

/** @param host the app or the client, as the user is told */
function stepTowards(outcome: Outcome, url: string, host: string): Step {
  switch (outcome) {
    case 'allow':
      return { kind: 'continue', url }
    case 'deny':
      return { kind: 'not-allowed', host }
    case 'two_factor':
      return { kind: 'second-factor', host }
    // A user who is signed in has one factor: the rules cannot ask for it. If they did, asking again would loop.
    case 'one_factor':
      return { kind: 'not-allowed', host }
    default:
      return outcome satisfies never
  }
}
