/** Writes what was taken over besides the users into the database of a server that does not run. */
import { askDatabase } from '../control/database.ts'
import { openIdentifiers } from '../features/identifiers/index.ts'
import { createPreferences, type TotpEntry } from '../features/second-factor/index.ts'
import { importKeys, importTotp } from '../features/second-factor/operations.ts'
import { openRegistries } from '../features/throttle/index.ts'
import type { Config } from '../features.ts'
import { systemClock } from '../kernel/clock.ts'
import type { Storage } from '../storage/index.ts'
import type { AutheliaDatabase } from './authelia-database.ts'

export interface Target {
  readonly config: Config
  /** The data directory. */
  readonly directory: string
  readonly cwd: string
  readonly storage: Storage
}

/** Ninety-nine years, in milliseconds. */
const MAX_BAN = 99 * 365 * 86_400_000

export type Factors = Omit<AutheliaDatabase, 'left'>

export const totpOnly = (totp: readonly TotpEntry[]): Factors => ({
  totp,
  keys: [],
  identifiers: [],
  preferences: new Map(),
  bans: [],
})

/**
 * Each kind is written whole or not at all; the factors come before what does no harm without them.
 * @param force replaces factors that are there already
 * @throws OperatorError, AppError for what is refused
 */
export async function writeFactors(
  { storage, ...place }: Target,
  factors: Factors,
  force: boolean,
): Promise<void> {
  const clock = systemClock
  const wish = { force, dryRun: false }
  // As an operator would: with the audit trail, and with an end to what rests on factors that are replaced.
  if (factors.totp.length > 0)
    await askDatabase(importTotp, { entries: factors.totp, ...wish }, place)
  if (factors.keys.length > 0)
    await askDatabase(importKeys, { entries: factors.keys, ...wish }, place)
  await openIdentifiers(storage).add(factors.identifiers)
  const preferences = createPreferences({ storage, clock })
  for (const [user, method] of factors.preferences) await preferences.setPreferred(user, method)
  const { bans } = openRegistries({ storage, clock })
  for (const { kind, name, reason, expiresAt } of factors.bans) {
    const left = expiresAt === undefined ? Number.POSITIVE_INFINITY : expiresAt - clock.now()
    if (left < 1000) continue
    // Longer than a ban may last: until it is lifted.
    const duration = left > MAX_BAN ? undefined : left
    await bans.add({ kind, name, reason, duration, by: '' })
  }
}
