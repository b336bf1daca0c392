/**
 * What the portal says of the password policy.
 *
 * Owns the two calls below and the words for what a policy refuses. Does not own the policy itself nor its settings (passwords).
 *
 *   GET /api/configuration/password-policy   Authelia's: the rules, for a page that shows them
 *   POST /api/password-strength              {password}; what is shown while one is typed. Only where a policy is configured
 */
export { faultsAlert, faultsIn, strengthMeter } from './markup.ts'
export { passwordPolicyRoutes } from './routes.ts'
