/** The pages of second factors, and the settings page that lists them. */
export { createFactorsPage, type SecurityKeys } from './factors-page.ts'
export { secondFactorPages } from './routes.ts'
export type { SecondFactorPagesOptions } from './services.ts'
