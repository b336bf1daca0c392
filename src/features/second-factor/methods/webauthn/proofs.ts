import type { CookieDomain, FactorKind } from '../../../sessions/index.ts'
import { type Asserted, clientDataFor, type Refused, verifyAssertion } from './ceremony.ts'
import type { Challenges, Claim } from './challenges.ts'
import type { Credential, StoredKey } from './credential.ts'
import { DECOY_KEY } from './decoy.ts'
import type { AssertionResponse, RegistrationResponse } from './responses.ts'
import { type Site, siteOf } from './site.ts'
import type { CredentialStore } from './store.ts'

/** A key has shown that it is there. */
export interface Shown {
  readonly credential: Credential
  /** `passkey` when it also asked for its PIN or a finger, and that counts. */
  readonly factor: FactorKind
}

/** It has not. `user` is whose key it said to be, where that is known; empty otherwise. Both are for the log alone. */
export interface NotShown extends Refused {
  readonly user: string
  /** Set when it counted less than before: there may be a copy of it. */
  readonly cloned?: Credential
}

/** Whether what a browser sent answers what was asked, and whether a stored key has signed it. */
export type Proofs = ReturnType<typeof createProofs>

/** @param countsAsTwo a key that checked its user proves possession and knowledge */
export function createProofs({
  store,
  challenges,
  countsAsTwo,
}: {
  readonly store: Pick<CredentialStore, 'used' | 'keepHandle'>
  readonly challenges: Pick<Challenges, 'redeem'>
  readonly countsAsTwo: boolean
}) {
  /** The signature of a stored key over this challenge, and whether the key counts on. */
  async function signature(
    key: StoredKey | undefined,
    response: AssertionResponse,
    expected: { readonly site: Site; readonly challenge: string; readonly mustVerify: boolean },
  ): Promise<Shown | NotShown> {
    // Without a key the work is the same: how long an answer takes does not tell whether there is one.
    const answer = await verifyAssertion(response, key?.publicKey ?? DECOY_KEY, expected)
    if (key === undefined) return { refused: 'no such key', user: '' }
    const { credential } = key
    const refused = await whyNot(key, answer, response)
    if (refused !== undefined) return refused
    // Two kinds of proof, where the configuration lets a key alone be both.
    const verified = 'verified' in answer && answer.verified && countsAsTwo
    return { credential, factor: verified ? 'passkey' : 'webauthn' }
  }

  async function whyNot(
    { credential, handle }: StoredKey,
    answer: Asserted | Refused,
    { response: { userHandle } }: AssertionResponse,
  ): Promise<NotShown | undefined> {
    const { user } = credential
    if ('refused' in answer) return { ...answer, user }
    if (userHandle && handle !== undefined && userHandle !== handle)
      return { refused: 'another user', user }
    // It is for ever the same (Web Authentication Level 3, §7.2 step 20).
    if (answer.backupEligible !== credential.backupEligible)
      return { refused: 'whether it can be copied has changed', user }
    if (await store.used(credential.id, answer)) {
      // An imported key: its id and its signature have said whose it is. All keys that were made there call the user so.
      if (userHandle && handle === undefined)
        await store.keepHandle(user, credential.rpId, userHandle)
      return undefined
    }
    return {
      refused: 'the key did not count on: there may be a copy of it',
      user,
      cloned: credential,
    }
  }

  /** @returns the site and the challenge, used up; undefined for an answer to anything but what was asked here */
  async function answered(
    domain: CookieDomain,
    { response: { clientDataJSON } }: AssertionResponse | RegistrationResponse,
    bond: Pick<Claim, 'purpose' | 'holders'>,
  ): Promise<
    { readonly site: Site; readonly challenge: string; readonly note: string } | undefined
  > {
    const site = siteOf(domain)
    if (site === undefined) return undefined
    const type = bond.purpose === 'register' ? 'webauthn.create' : 'webauthn.get'
    const data = clientDataFor(clientDataJSON, type, site)
    if (data === undefined) return undefined
    const { challenge } = data
    const note = await challenges.redeem({ ...bond, domain: site.domain }, challenge)
    return note === undefined ? undefined : { site, challenge, note }
  }

  return { signature, answered }
}
