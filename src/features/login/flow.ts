/**
 * Where a visitor of the portal stands, and what comes next: one state machine, one dispatcher. Steps never call each
 * other; each ends in a request for `/`, which asks here again.
 */

/** What is known when somebody opens the portal. */
export interface Facts {
  readonly level: 0 | 1 | 2
  /** The visitor comes straight from a successful sign-in. */
  readonly justSignedIn: boolean
  readonly destination: Destination
  /** Where a fresh sign-in without destination leads; undefined when a rule asks for two factors or none is set. */
  readonly defaultRedirection: string | undefined
}

/** Where the visitor wants to go, as far as we would send them there. */
export type Destination =
  | { readonly kind: 'none' }
  /** A target that is not followed (measure 15). It is treated as if it were not there. */
  | { readonly kind: 'unsafe' }
  | {
      readonly kind: 'safe'
      /** Exactly as sent. */
      readonly url: string
      readonly host: string
      /** What the rules say for this visitor. */
      readonly outcome: 'allow' | 'deny' | 'one_factor' | 'two_factor'
    }

export type Step =
  | { readonly kind: 'sign-in' }
  /** Signed in a moment ago, and the browser came back without the cookie. */
  | { readonly kind: 'cookie-refused' }
  | { readonly kind: 'continue'; readonly url: string }
  /** The rules ask for a second factor, and none exists yet. */
  | { readonly kind: 'second-factor'; readonly host: string }
  | { readonly kind: 'not-allowed'; readonly host: string }
  | { readonly kind: 'signed-in' }

export function next({ level, justSignedIn, destination, defaultRedirection }: Facts): Step {
  if (level === 0) return { kind: justSignedIn ? 'cookie-refused' : 'sign-in' }
  if (destination.kind !== 'safe') {
    return justSignedIn && defaultRedirection !== undefined
      ? { kind: 'continue', url: defaultRedirection }
      : { kind: 'signed-in' }
  }
  const { outcome, host, url } = destination
  switch (outcome) {
    case 'allow':
      return { kind: 'continue', url }
    case 'deny':
      return { kind: 'not-allowed', host }
    case 'two_factor':
      return { kind: 'second-factor', host }
    // Somebody who is signed in has one factor: the rules cannot ask for it. Were they to, asking again would loop.
    case 'one_factor':
      return { kind: 'not-allowed', host }
    default:
      return outcome satisfies never
  }
}
