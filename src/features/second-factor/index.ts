export type { SecondFactor } from './method.ts'
export { createFactorsPage, type SecurityKeys, secondFactorPages } from './pages/index.ts'
