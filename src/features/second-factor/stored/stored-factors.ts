/** Factors of the database as the operator may read and write them, with and without a server. */
import { createStoredKeys, type StoredKeys } from './stored-keys.ts'
import { createStoredTotp, type StoredDependencies, type StoredTotp } from './stored-totp.ts'

export interface StoredFactors {
  readonly totp: StoredTotp
  readonly keys: StoredKeys
}

export const createStoredFactors = (dependencies: StoredDependencies): StoredFactors => ({
  totp: createStoredTotp(dependencies),
  keys: createStoredKeys(dependencies),
})
