import type { Destination } from './destination.ts'
import type { RequestContext } from './request-context.ts'

/** What is known when the portal is opened. */
export interface Facts {
  readonly level: 0 | 1 | 2
  /** The browser comes straight from a successful sign-in. */
  readonly justSignedIn: boolean
  readonly destination: Destination
  /** Where a fresh sign-in without destination leads; undefined when a rule asks for two factors or none is set. */
  readonly defaultRedirection: string | undefined
}

/** A page of a feature's own that the user has to pass first. The page ends in a request for `/`, which asks again. */
export interface ContributedStep {
  /** Below the base path; what is carried is added: `/second-factor`. Small letters, digits, dashes and slashes. */
  readonly path: `/${string}`
}

/** The feature's facts of one request are known: whether the user has to pass a page of it. Pure. */
export type NextContributedStep = (facts: Facts) => ContributedStep | undefined

/**
 * A feature's part in the sign-in flow, as the flow calls it. Made with `contributeSteps`.
 *
 * A contributor can only hold back a user who is signed in and would be sent on or shown a page: it has no way to send a user
 * on. If it throws, the request ends with an error page.
 */
export interface StepContributor {
  readonly name: string
  prepare(context: RequestContext): Promise<NextContributedStep>
}

/**
 * @param facts what the feature knows of the user and the browser; may ask a store, and may throw an AppError
 * @param next decides from these and the flow's own facts, without IO
 */
export function contributeSteps<Own>({
  name,
  facts,
  next,
}: {
  readonly name: string
  readonly facts: (context: RequestContext) => Own | Promise<Own>
  readonly next: (facts: Facts, own: Own) => ContributedStep | undefined
}): StepContributor {
  return {
    name,
    async prepare(context) {
      const own = await facts(context)
      return (flow) => next(flow, own)
    },
  }
}
