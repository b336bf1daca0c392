import { contributeSteps } from '../portal/index.ts'

/** A user whose password has to be changed comes to that page before anything else. */
export const passwordStep = contributeSteps({
  name: 'password',
  facts: ({ identity }) => identity?.profile.mustChangePassword === true,
  next: (_, mustChange) => (mustChange ? { path: '/settings/password' } : undefined),
})
