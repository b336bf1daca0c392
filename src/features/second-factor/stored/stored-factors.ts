/** Factors of the database as the operator may read and write them, with and without a server. */
import { createTrustStore } from '../trust-store.ts'
import { chunks } from './faults.ts'
import { createStoredKeys, type StoredKeys } from './stored-keys.ts'
import { createStoredTotp, type StoredDependencies, type StoredTotp } from './stored-totp.ts'

export interface StoredFactors {
  readonly totp: StoredTotp
  readonly keys: StoredKeys
  /** Trusts no browser of these users any more. */
  forgetTrust(users: readonly string[]): Promise<void>
}

export const createStoredFactors = (dependencies: StoredDependencies): StoredFactors => {
  const trust = createTrustStore(dependencies.storage)
  return {
    totp: createStoredTotp(dependencies),
    keys: createStoredKeys(dependencies),
    async forgetTrust(users) {
      for (const some of chunks(users)) await trust.forgetUsers(some)
    },
  }
}
