import type { AssertionResponse, ClientData, RegistrationResponse } from './responses.ts'
import { readClientData } from './responses.ts'
import type { Site } from './site.ts'

/**
 * COSE algorithms that are offered, preferred first: EdDSA, ES256, RS256 (IANA registry "COSE Algorithms"). A key of another
 * algorithm is refused.
 */
export const ALGORITHMS = [-8, -7, -257] as const

/** The COSE key type (`kty`, RFC 9053 §7) of each. */
const KEY_TYPES: ReadonlyMap<unknown, number> = new Map([
  [-8, 1],
  [-7, 2],
  [-257, 3],
])

type Library = typeof import('@simplewebauthn/server') &
  Pick<
    typeof import('@simplewebauthn/server/helpers'),
    'cose' | 'decodeAttestationObject' | 'decodeCredentialPublicKey'
  > & { readonly metadataRoots: readonly string[] }

/** Attestation statements whose verifier has root certificates of its own. */
const ROOTED = ['android-key', 'android-safetynet', 'apple', 'mds'] as const

let library: Promise<Library> | undefined

/** Loaded when the first key answers: it reads certificates, and a start has no use for it. */
const load = (): Promise<Library> => {
  library ??= open()
  return library
}

async function open(): Promise<Library> {
  const [server, { cose, decodeAttestationObject, decodeCredentialPublicKey }] = await Promise.all([
    import('@simplewebauthn/server'),
    import('@simplewebauthn/server/helpers'),
  ])
  const metadataRoots = server.SettingsService.getRootCertificates({ identifier: 'mds' })
  // With roots it would fetch the revocation lists that certificates name. The server asks no other host: which maker signed
  // the statement is not checked, only that the statement belongs to the key.
  for (const identifier of ROOTED)
    server.SettingsService.setRootCertificates({ identifier, certificates: [] })
  return { ...server, cose, decodeAttestationObject, decodeCredentialPublicKey, metadataRoots }
}

/** A check said no. The reason is for the log: it may hold what the browser sent, bounded. */
export interface Refused {
  readonly refused: string
}

/** What a new key has proved. */
export interface Registered {
  readonly keyId: string
  readonly publicKey: Uint8Array
  readonly signCount: number
  readonly attestation: string
  readonly aaguid: string
  readonly verified: boolean
  readonly backupEligible: boolean
  readonly backedUp: boolean
}

/** What a key has proved by signing. */
export interface Asserted {
  readonly verified: boolean
  readonly signCount: number
  readonly backupEligible: boolean
  readonly backedUp: boolean
}

export interface Expected {
  readonly site: Site
  /** That was issued for this ceremony, and is used up. */
  readonly challenge: string
  readonly mustVerify: boolean
}

/**
 * What the browser says of the page it is on.
 * @returns undefined unless it is this very portal, for this ceremony and in no frame of another origin
 */
export function clientDataFor(
  encoded: string,
  type: 'webauthn.create' | 'webauthn.get',
  { origin }: Site,
): ClientData | undefined {
  const data = readClientData(encoded)
  const isOurs =
    data?.type === type &&
    data.origin === origin &&
    data.crossOrigin !== true &&
    (data.topOrigin ?? undefined) === undefined
  return isOurs ? data : undefined
}

export async function verifyRegistration(
  response: RegistrationResponse,
  { site, challenge, mustVerify }: Expected,
): Promise<Registered | Refused> {
  const { verifyRegistrationResponse } = await load()
  const { id, rawId, type } = response
  const { clientDataJSON, attestationObject } = response.response
  const answer = await orRefused(() =>
    verifyRegistrationResponse({
      response: {
        ...{ id, rawId, type },
        response: { clientDataJSON, attestationObject },
        clientExtensionResults: {},
      },
      expectedChallenge: challenge,
      expectedOrigin: site.origin,
      expectedRPID: site.rpId,
      requireUserVerification: mustVerify,
      supportedAlgorithmIDs: [...ALGORITHMS],
    }),
  )
  if ('refused' in answer) return answer
  if (!answer.verified) return { refused: 'the attestation statement is not right' }
  const info = answer.registrationInfo
  // The browser says the id beside the authenticator's signed data; what was signed counts.
  if (info.credential.id !== id) return { refused: 'the id is not that of the key' }
  // The library compares the algorithm with those that were offered, and not with the key. It has decoded this once already.
  if (!(await isOfferedKey(info.credential.publicKey)))
    return { refused: 'the key is none of its algorithm' }
  return {
    keyId: info.credential.id,
    publicKey: info.credential.publicKey,
    signCount: info.credential.counter,
    attestation: info.fmt,
    aaguid: info.aaguid,
    verified: info.userVerified,
    backupEligible: info.credentialDeviceType === 'multiDevice',
    backedUp: info.credentialBackedUp,
  }
}

/** The certificates to which those lead that sign the metadata of the FIDO Alliance, as the library knows them: PEM. */
export const metadataRoots = async (): Promise<readonly string[]> => (await load()).metadataRoots

/**
 * The certificates that came with a statement, leaf first; none where the key signed it itself, or nothing did.
 * @param attestationObject base64url, and read by `verifyRegistration` before
 */
export async function attestationCertificates(
  attestationObject: string,
): Promise<readonly Uint8Array[]> {
  const { decodeAttestationObject } = await load()
  const bytes = new Uint8Array(Buffer.from(attestationObject, 'base64url'))
  return decodeAttestationObject(bytes).get('attStmt').get('x5c') ?? []
}

/** Whether it is a COSE_Key of an algorithm that is offered. */
export async function isOfferedKey(publicKey: Uint8Array): Promise<boolean> {
  const { cose, decodeCredentialPublicKey } = await load()
  const { kty, alg } = cose.COSEKEYS
  try {
    const key = decodeCredentialPublicKey(new Uint8Array(publicKey))
    const expected = KEY_TYPES.get(key.get(alg))
    return expected !== undefined && expected === key.get(kty)
  } catch {
    // What is no CBOR map is no key.
    return false
  }
}

export async function verifyAssertion(
  response: AssertionResponse,
  publicKey: Uint8Array,
  { site, challenge, mustVerify }: Expected,
): Promise<Asserted | Refused> {
  const { verifyAuthenticationResponse } = await load()
  const { id, rawId, type } = response
  const { clientDataJSON, authenticatorData, signature } = response.response
  const answer = await orRefused(() =>
    verifyAuthenticationResponse({
      response: {
        ...{ id, rawId, type },
        response: { clientDataJSON, authenticatorData, signature },
        clientExtensionResults: {},
      },
      expectedChallenge: challenge,
      expectedOrigin: site.origin,
      expectedRPID: site.rpId,
      // The library looks at the count before the signature: an answer without signature could then mark a key as copied. We look after it.
      credential: { id, publicKey: new Uint8Array(publicKey), counter: 0 },
      requireUserVerification: mustVerify,
    }),
  )
  if ('refused' in answer) return answer
  if (!answer.verified) return { refused: 'the signature is not right' }
  const info = answer.authenticationInfo
  return {
    verified: info.userVerified,
    signCount: info.newCounter,
    backupEligible: info.credentialDeviceType === 'multiDevice',
    backedUp: info.credentialBackedUp,
  }
}

/** The library says "no" by throwing, and so do the parsers below it: whatever is wrong with an answer, it is refused. */
async function orRefused<T>(work: () => Promise<T>): Promise<T | Refused> {
  try {
    return await work()
  } catch (error) {
    return { refused: (error instanceof Error ? error.message : String(error)).slice(0, 200) }
  }
}
