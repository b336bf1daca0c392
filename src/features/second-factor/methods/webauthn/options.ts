import { ALGORITHMS } from './ceremony.ts'
import type { Credential } from './credential.ts'
import type { WebauthnConfig } from './manifest.ts'
import type { Site } from './site.ts'

/** What `PublicKeyCredential.parseCreationOptionsFromJSON` and `parseRequestOptionsFromJSON` read, in Authelia's wrapping. */
export interface BrowserOptions {
  readonly publicKey: Readonly<Record<string, unknown>>
}

export type Verification = WebauthnConfig['selection_criteria']['user_verification']

/** Authelia's default, also for 0. Milliseconds. */
export const timeoutOf = ({ timeout }: Pick<WebauthnConfig, 'timeout'>): number => timeout || 60_000

const descriptorOf = ({ keyId, transports }: Credential) => ({
  type: 'public-key',
  id: keyId,
  ...(transports.length > 0 && { transports }),
})

export function creationOptions(
  config: WebauthnConfig,
  {
    site,
    challenge,
    user,
    others,
  }: {
    readonly site: Site
    readonly challenge: string
    readonly user: {
      readonly handle: string
      readonly name: string
      readonly displayName: string
    }
    /** Keys that the user has here: the browser refuses to register them again. */
    readonly others: readonly Credential[]
  },
): BrowserOptions {
  const { attachment, discoverability, user_verification } = config.selection_criteria
  return {
    publicKey: {
      rp: { id: site.rpId, name: config.display_name },
      user: { id: user.handle, name: user.name, displayName: user.displayName },
      challenge,
      pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: 'public-key', alg })),
      timeout: timeoutOf(config),
      excludeCredentials: others.map(descriptorOf),
      authenticatorSelection: {
        ...(attachment && { authenticatorAttachment: attachment }),
        residentKey: discoverability,
        requireResidentKey: discoverability === 'required',
        userVerification: user_verification,
      },
      attestation: config.attestation_conveyance_preference,
      extensions: { credProps: true },
    },
  }
}

/** @param allowed none: any passkey of this portal, and the answer says whose it is */
export function requestOptions(
  config: WebauthnConfig,
  {
    site,
    challenge,
    verification,
    allowed,
  }: {
    readonly site: Site
    readonly challenge: string
    readonly verification: Verification
    readonly allowed: readonly Credential[]
  },
): BrowserOptions {
  return {
    publicKey: {
      challenge,
      timeout: timeoutOf(config),
      rpId: site.rpId,
      allowCredentials: allowed.map(descriptorOf),
      userVerification: verification,
    },
  }
}
