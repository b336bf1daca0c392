/**
 * Second factors: what a user shows besides the password.
 *
 * Owns the methods (methods/), how many wrong codes a user may try (wrong-codes.ts), which method is offered first, who may
 * enrol (preferences.ts), elevation (elevation.ts), the JSON API (api/) and the step in the sign-in flow (step.ts). Does not
 * own what a session is worth (sessions: `levelOf`), nor what is opened with it (access, login).
 *
 * Data path of a code: counted → checked and used up, in the database → the session is raised, and has a new cookie. A failure
 * on the way is 503 and never a yes.
 */
export type { SecondFactorRoutesOptions } from './api/services.ts'
export type {
  Elevation,
  ElevationMethod,
  FactorRegistry,
  Method,
  MethodName,
  RecoveryCodes,
  SecondFactor,
  Show,
  Totp,
  TotpChoice,
  TotpConfig,
  TotpOptions,
} from './method.ts'
export {
  createWebauthn,
  isOfferedKey,
  openMetadata,
  passkeyRoutes,
  removeStoredKeys,
  type Webauthn,
  webauthnMethod,
  webauthnRoutes,
} from './methods/webauthn/index.ts'
export { createFactorsPage, type SecurityKeys, secondFactorPages } from './pages/index.ts'
export { createFactorRegistry } from './registry.ts'
export { secondFactorRoutes } from './routes.ts'
export { createSecondFactor, type SecondFactorOptions } from './second-factor.ts'
export { CHALLENGE, ENROLMENT, secondFactorStep } from './step.ts'
export type { Imported, TotpEntry } from './stored/entries.ts'
export {
  type FactorFile,
  keyFileText,
  readKeyFile,
  readTotpFile,
  totpCsv,
  totpFileText,
} from './stored/factor-file.ts'
export { createStoredFactors } from './stored/stored-factors.ts'
export { totpUrl } from './stored/stored-totp.ts'
export { forgetTrustOf } from './trust-store.ts'
export type { TrustedDevices } from './trusted-devices.ts'
