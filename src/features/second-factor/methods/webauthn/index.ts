/**
 * Security keys and passkeys (Web Authentication Level 3).
 *
 * Owns the keys that users have registered, the challenges that they answer and what is checked of the answers. Does not own
 * what a second factor is worth nor how many wrong ones are allowed (second-factor), nor sessions.
 *
 *   GET, POST /api/secondfactor/webauthn                          the challenge, and a key's answer to it
 *   GET /api/secondfactor/webauthn/credentials                    one's own keys
 *   PUT, POST, DELETE /api/secondfactor/webauthn/credential/register
 *   PUT, DELETE /api/secondfactor/webauthn/credential/{id}        rename, remove
 *   POST /api/user/session/elevation/webauthn                     the challenge of a key that elevates the session
 *   GET, POST /api/firstfactor/passkey                            sign in with a passkey
 */

export { isOfferedKey } from './ceremony.ts'
export type { Credential } from './credential.ts'
export { CredentialId, CredentialName } from './credential.ts'
export { type Metadata, openMetadata } from './metadata/metadata.ts'
export { webauthnMethod } from './method.ts'
export { passkeyRoutes } from './passkey-routes.ts'
export type { Shown } from './proofs.ts'
export { type SharedFactor, webauthnRoutes } from './routes.ts'
export { removeStoredKeys } from './store.ts'
export { createWebauthn, type Webauthn } from './webauthn.ts'
