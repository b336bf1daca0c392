/**
 * What every page and endpoint of the portal shares.
 *
 * Owns the facts of a request (cookie domain, client address, session), the guards in front of the portal's routes, what is
 * carried from page to page, where it leads, and how pages are rendered. Does not own any page: login, hub, settings and
 * admin do, and import this. It imports none of them.
 *
 * A feature with pages registers `portalContexts` in its plugin, and asks `contextOf(request)`. A feature that takes part in
 * the sign-in flow makes a contributor with `contributeSteps`, which services/site.ts hands to login.
 */
export { forgetHere } from './browser-data.ts'
export {
  type Carried,
  carriedFields,
  FORM_LIMIT,
  isCarriedName,
  NOTHING_CARRIED,
  readCarried,
  textFields,
  withCarried,
  withoutUnsafe,
} from './carried.ts'
export {
  createJudge,
  type Destination,
  type Interaction,
  type Interactions,
  type Judge,
  type Outcome,
  titleOf,
} from './destination.ts'
export type { ElevationCheck } from './elevation.ts'
export { formDestinations } from './form-destinations.ts'
export { hiddenFields } from './hidden-fields.ts'
export { limitedPage } from './limited-page.ts'
export { type LogFields, logFieldsOf } from './log-fields.ts'
export { isPageNavigation } from './page-navigation.ts'
export { CONFIRM_PATH, pageRefusals, readReturn } from './page-refusals.ts'
export {
  contextOf,
  isSignedIn,
  ownerOf,
  type PortalContextsOptions,
  portalContexts,
} from './portal-contexts.ts'
export { createRendering, type Rendering } from './rendering.ts'
export type { RequestContext } from './request-context.ts'
export {
  type ContributedStep,
  contributeSteps,
  type Facts,
  type NextContributedStep,
  type StepContributor,
} from './step-contributor.ts'
