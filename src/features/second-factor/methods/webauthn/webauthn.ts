import { hash } from 'node:crypto'
import type { Clock } from '../../../../kernel/clock.ts'
import type { Sealer } from '../../../../kernel/seal.ts'
import type { Secret } from '../../../../kernel/secret.ts'
import type { Storage } from '../../../../storage/index.ts'
import type { CookieDomain, Identity, OnceStore } from '../../../sessions/index.ts'
import { type Refused, verifyRegistration } from './ceremony.ts'
import { type Challenges, createChallenges } from './challenges.ts'
import type { Credential } from './credential.ts'
import type { WebauthnConfig } from './manifest.ts'
import type { Metadata } from './metadata/metadata.ts'
import {
  type BrowserOptions,
  creationOptions,
  requestOptions,
  timeoutOf,
  type Verification,
} from './options.ts'
import { createProofs, type NotShown, type Proofs, type Shown } from './proofs.ts'
import { attachmentOf, transportsOf, whyFiltered } from './registered.ts'
import type { AssertionResponse, RegistrationResponse } from './responses.ts'
import { siteOf } from './site.ts'
import { type CredentialStore, createCredentialStore } from './store.ts'

/** Every call may throw AppError STORE_UNAVAILABLE. */
export interface Webauthn {
  /** Whether keys are offered; where they are not, no route is there. */
  readonly isOn: boolean
  /** Whether users may sign in with a passkey in place of their password. */
  readonly hasPasskeys: boolean
  /** Whether keys can be used at the portal of this domain: it needs an address. */
  isUsable(domain: CookieDomain): boolean
  /** Whether this user could show a key at the portal of this domain. */
  isRegistered(user: string, domain: CookieDomain): Promise<boolean>
  /** Of all portals, oldest first. */
  list(user: string): Promise<readonly Credential[]>
  rename(user: string, id: string, name: string): Promise<'renamed' | 'unknown' | 'name-taken'>
  /** @returns undefined: the user has no such key */
  remove(user: string, id: string): Promise<Credential | undefined>
  /** Whether this user has a key of whatever portal, also where keys are switched off. */
  has(user: string): Promise<boolean>
  /** @returns how many */
  removeAll(user: string): Promise<number>

  /** What the browser needs to make a key. One registration is pending for a sign-in: this replaces it. */
  beginRegistration(
    owner: Identity,
    domain: CookieDomain,
    name: string,
  ): Promise<BrowserOptions | 'name-taken' | 'unusable'>
  /** @returns why it is refused, or the key, which counts from now on */
  register(
    owner: Identity,
    domain: CookieDomain,
    response: RegistrationResponse,
  ): Promise<{ readonly name: string } | 'name-taken' | Refused>
  cancelRegistration(owner: Identity, domain: CookieDomain): Promise<void>

  /** What the browser needs to ask a key of this user. Undefined: there is none that works here. */
  beginAssertion(owner: Identity, domain: CookieDomain): Promise<BrowserOptions | undefined>
  /** To be called within `SecondFactor.attempt`. */
  assert(
    owner: Identity,
    domain: CookieDomain,
    response: AssertionResponse,
  ): Promise<Shown | NotShown>

  /**
   * What the browser needs to ask for a passkey: the same whether users have one or not.
   * @param browser the value of a cookie that this browser has
   */
  beginPasskey(browser: string, domain: CookieDomain): Promise<BrowserOptions | undefined>
  /** Whose passkey it says to be, before it is looked at: attempts are counted by user. Empty: of no user. */
  claimant(domain: CookieDomain, response: AssertionResponse): Promise<string>
  /** @param browsers the values of that cookie, as they came */
  showPasskey(
    browsers: readonly string[],
    domain: CookieDomain,
    response: AssertionResponse,
  ): Promise<Shown | NotShown>
}

export interface WebauthnDependencies {
  readonly config: WebauthnConfig
  readonly storage: Pick<Storage, 'db' | 'transaction'>
  readonly sealer: Sealer
  /** Seal what is pending: the sessions' ring. */
  readonly secrets: readonly Secret[]
  readonly once: OnceStore
  readonly clock: Clock
  /** What is known of models of keys. Undefined: they are not looked up. */
  readonly metadata?: Metadata | undefined
}

/** A page with a sign-in form stays open: its challenge outlives the time to touch a key. Milliseconds. */
const PASSKEY_LIFETIME = 600_000

export function createWebauthn(dependencies: WebauthnDependencies): Webauthn {
  const { config } = dependencies
  const store = createCredentialStore(dependencies)
  const challenges = createChallenges(dependencies)
  const countsAsTwo =
    config.passkey_counts_as_two_factor || config.experimental_enable_passkey_uv_two_factors
  const { user_verification: verification } = config.selection_criteria
  const shared: Shared = {
    ...{ config, store, challenges, verification, lifetime: timeoutOf(config) },
    metadata: dependencies.metadata,
    passkeyVerification: countsAsTwo ? 'required' : verification,
    ...createProofs({ store, challenges, countsAsTwo }),
  }
  return {
    isOn: !config.disable,
    hasPasskeys: !config.disable && config.enable_passkey_login,
    isUsable: (domain) => siteOf(domain) !== undefined,
    async isRegistered(user, domain) {
      const site = siteOf(domain)
      return site !== undefined && (await store.list(user, site.rpId)).length > 0
    },
    list: (user) => store.list(user),
    rename: store.rename,
    remove: store.remove,
    has: async (user) => (await store.list(user)).length > 0,
    removeAll: store.removeAll,
    ...registration(shared),
    ...assertion(shared),
    ...passkeys(shared),
  }
}

/** What the three ceremonies share. */
interface Shared extends Proofs {
  readonly config: WebauthnConfig
  readonly metadata: Metadata | undefined
  readonly store: CredentialStore
  readonly challenges: Challenges
  readonly verification: Verification
  readonly passkeyVerification: Verification
  /** Milliseconds. */
  readonly lifetime: number
}

/** A key is made. */
function registration(
  shared: Shared,
): Pick<Webauthn, 'beginRegistration' | 'register' | 'cancelRegistration'> {
  const { config, metadata, store, challenges, verification, lifetime, answered } = shared
  return {
    async beginRegistration({ session, profile }, domain, name) {
      const site = siteOf(domain)
      if (site === undefined) return 'unusable'
      if (await store.isNameTaken(profile.name, name)) return 'name-taken'
      const bond = { purpose: 'register', domain: site.domain, holder: holderOf(session) } as const
      const challenge = await challenges.issue(bond, lifetime, name)
      const handle = await store.handleOf(profile.name, site.rpId)
      return creationOptions(config, {
        ...{ site, challenge },
        user: { handle, name: profile.name, displayName: profile.displayName },
        others: await store.list(profile.name, site.rpId),
      })
    },
    async register({ session, profile }, domain, response) {
      const bond = { purpose: 'register', holders: [holderOf(session)] } as const
      const found = await answered(domain, response, bond)
      if (found === undefined) return { refused: 'not an answer to what was asked here' }
      const { site, challenge, note: name } = found
      const mustVerify = verification === 'required'
      const key = await verifyRegistration(response, { site, challenge, mustVerify })
      if ('refused' in key) return key
      const { attestationObject } = response.response
      const filtered =
        whyFiltered(config, key) ??
        (await metadata?.whyRefused({ aaguid: key.aaguid, attestationObject }))
      if (filtered !== undefined) return { refused: filtered }
      const added = await store.add({
        ...key,
        user: profile.name,
        rpId: site.rpId,
        name,
        attachment: attachmentOf(response),
        transports: transportsOf(response),
        discoverable: response.clientExtensionResults?.credProps?.rk === true,
      })
      if (added === 'added') return { name }
      return added === 'name-taken' ? added : { refused: added }
    },
    async cancelRegistration({ session }, { domain }) {
      await challenges.cancel({ purpose: 'register', domain, holder: holderOf(session) })
    },
  }
}

/** A key answers for a user who is signed in. */
function assertion(shared: Shared): Pick<Webauthn, 'beginAssertion' | 'assert'> {
  const { config, store, challenges, verification, lifetime, answered, signature } = shared
  return {
    async beginAssertion({ session, profile }, domain) {
      const site = siteOf(domain)
      const allowed = site === undefined ? [] : await store.list(profile.name, site.rpId)
      if (site === undefined || allowed.length === 0) return undefined
      const bond = { purpose: 'assert', domain: site.domain, holder: holderOf(session) } as const
      const challenge = await challenges.issue(bond, lifetime)
      return requestOptions(config, { site, challenge, verification, allowed })
    },
    async assert({ session, profile }, domain, response) {
      const user = profile.name
      const bond = { purpose: 'assert', holders: [holderOf(session)] } as const
      const found = await answered(domain, response, bond)
      if (found === undefined) return { refused: 'not an answer to what was asked here', user }
      const key = await store.find(response.id, found.site.rpId)
      const own = key?.credential.user === user ? key : undefined
      const mustVerify = verification === 'required'
      const shown = await signature(own, response, { ...found, mustVerify })
      return 'refused' in shown ? { ...shown, user } : shown
    },
  }
}

/** A key says whose it is, and signs the user in. */
function passkeys(shared: Shared): Pick<Webauthn, 'beginPasskey' | 'claimant' | 'showPasskey'> {
  const { config, store, challenges, passkeyVerification, answered, signature } = shared
  return {
    async beginPasskey(browser, domain) {
      const site = siteOf(domain)
      if (site === undefined) return undefined
      const bond = { purpose: 'passkey', domain: site.domain, holder: hashOf(browser) } as const
      const challenge = await challenges.issue(bond, PASSKEY_LIFETIME)
      return requestOptions(config, {
        ...{ site, challenge },
        verification: passkeyVerification,
        allowed: [],
      })
    },
    async claimant(domain, response) {
      const site = siteOf(domain)
      const key = site && (await store.find(response.id, site.rpId))
      return key?.credential.user ?? ''
    },
    async showPasskey(browsers, domain, response) {
      const bond = { purpose: 'passkey', holders: browsers.map(hashOf) } as const
      const found = await answered(domain, response, bond)
      if (found === undefined) return { refused: 'not an answer to what was asked here', user: '' }
      const key = await store.find(response.id, found.site.rpId)
      // Without it the key does not say whose it is (Web Authentication Level 3, §7.2 step 6).
      const known = response.response.userHandle ? key : undefined
      const mustVerify = passkeyVerification === 'required'
      return signature(known, response, { ...found, mustVerify })
    },
  }
}

/** Outlives the new ids that a session gets when it gains rights. */
const holderOf = ({ login, user }: Identity['session']): string => JSON.stringify([login, user])

const hashOf = (browser: string): string => hash('sha256', browser, 'base64url')
