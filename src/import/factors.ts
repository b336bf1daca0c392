/** Writes what was taken over besides the users into the database of a server that does not run. */
import { createStoredTrail } from '../features/audit/index.ts'
import { openIdentifiers } from '../features/identifiers/index.ts'
import {
  createPreferences,
  createStoredFactors,
  type TotpEntry,
} from '../features/second-factor/index.ts'
import { importKeys, importTotp } from '../features/second-factor/operations.ts'
import { openRegistries } from '../features/throttle/index.ts'
import { type Config, sealed } from '../features.ts'
import type { DataDirectory } from '../files/data-directory.ts'
import { systemClock } from '../kernel/clock.ts'
import { forOperator, OPERATOR } from '../kernel/operation.ts'
import { openSealer, type Storage } from '../storage/index.ts'
import type { AutheliaDatabase } from './authelia-database.ts'

export interface Target {
  readonly config: Config
  readonly data: DataDirectory
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
  { config, data, storage }: Target,
  factors: Factors,
  force: boolean,
): Promise<void> {
  const clock = systemClock
  const configured = config['storage'].encryption_key
  const storedFactors = createStoredFactors({
    ...{ storage, clock, totp: config['totp'] },
    sealer: () => openSealer({ configured, data, storage, columns: sealed }),
  })
  const isKept = config['audit'].retention > 0
  const audit = createStoredTrail({ storage, isKept, clock })
  const services = { storedFactors, audit }
  await forOperator(async () => {
    const { totp, keys } = factors
    const wish = { force, dryRun: false }
    if (totp.length > 0)
      await importTotp.execute(services, { entries: [...totp], ...wish }, OPERATOR)
    if (keys.length > 0)
      await importKeys.execute(services, { entries: [...keys], ...wish }, OPERATOR)
  })
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
  await audit.close()
}
