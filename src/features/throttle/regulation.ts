import type { Clock, EpochMs } from '../../kernel/clock.ts'
import { type Ban, type BanTarget, type LimitKey, stops } from './bans.ts'
import type { Counted, Ledger, RegulationStore } from './regulation-store.ts'

export interface RegulationConfig {
  readonly modes: readonly ('user' | 'ip')[]
  /** So many failures within `find_time` and there is a ban; 0: never by itself. */
  readonly max_retries: number
  /** Milliseconds. */
  readonly find_time: number
  readonly ban_time: number
}

export type Admission =
  /** The password may be looked at. `settle` is to be told once what it was. */
  | { readonly kind: 'go'; settle(right: boolean): Promise<void> }
  | { readonly kind: 'banned'; readonly ban: Ban }

/** Bans users, addresses and devices that fail too often. Every attempt is counted before its password is looked at. */
export interface Regulation {
  /** @throws AppError STORE_UNAVAILABLE */
  admit(attempt: Counted): Promise<Admission>
}

export function createRegulation({
  config,
  store,
  clock,
  onBan,
}: {
  readonly config: RegulationConfig
  readonly store: RegulationStore
  readonly clock: Clock
  /** Told of every ban that was made here. */
  readonly onBan: (ban: Ban) => void
}): Regulation {
  const { max_retries: most, find_time: span, ban_time: length } = config

  const banFor = (ledger: Ledger, { kind, name }: LimitKey, last: number, now: EpochMs) =>
    ledger.ban({
      kind,
      name,
      source: 'regulation',
      reason: `${most} wrong passwords`,
      by: '',
      createdAt: now,
      // A time plus a duration is a time; arithmetic drops the brand.
      expiresAt: (last + length) as EpochMs,
    })

  /** The bans that these keys have earned and don't have yet. */
  async function earned(ledger: Ledger, keys: readonly LimitKey[], now: EpochMs) {
    const bans: Ban[] = []
    for (const key of keys) {
      const { count, last } = await ledger.failures(key, now - span)
      if (count < most || last + length <= now) continue
      const inForce = await ledger.bans([key], now)
      if (!inForce.some(({ source }) => source === 'regulation'))
        bans.push(await banFor(ledger, key, last, now))
    }
    return bans
  }

  const settle = async (attempt: Counted, isLast: boolean, right: boolean): Promise<void> => {
    if (right) return store.giveBack(attempt)
    if (!isLast) return
    const keys = limitKeysOf(attempt, config)
    for (const ban of await store.alone(keys, (ledger) => earned(ledger, keys, clock.now())))
      onBan(ban)
  }

  return {
    async admit(attempt) {
      const counted = limitKeysOf(attempt, config)
      const found = await store.alone(counted, async (ledger) => {
        const now = clock.now()
        const bans = await ledger.bans(banTargetsOf(attempt), now)
        const ban = bans.find((one) => stops(one, attempt))
        if (ban !== undefined) return { kind: 'banned', ban, made: [] } as const
        // What was counted and never settled (on another instance, or one that was killed) is a failure.
        const made = await earned(ledger, counted, now)
        if (made[0] !== undefined) return { kind: 'banned', ban: made[0], made } as const
        let isLast = false
        for (const key of counted) {
          const { count } = await ledger.failures(key, now - span)
          isLast ||= count + 1 >= most
        }
        if (counted.length > 0) await ledger.count(attempt, now)
        return { kind: 'go', isLast } as const
      })
      if (found.kind === 'banned') {
        for (const ban of found.made) onBan(ban)
        return { kind: 'banned', ban: found.ban }
      }
      return {
        kind: 'go',
        settle: async (right) => {
          if (counted.length > 0) await settle(attempt, found.isLast, right)
        },
      }
    },
  }
}

/** What a failure is counted for. A known device has a count of its own: failures of others are not its own. */
function limitKeysOf(
  { user, address, device }: Counted,
  { modes, max_retries: most }: RegulationConfig,
): LimitKey[] {
  if (most === 0) return []
  if (device !== undefined) return [{ kind: 'device', name: device }]
  const keys: LimitKey[] = []
  if (modes.includes('ip')) keys.push({ kind: 'address', name: address })
  // A name without a user is not banned: a client that makes names up would fill the store with them.
  if (modes.includes('user') && user !== '') keys.push({ kind: 'user', name: user })
  return keys
}

/** What a ban that stops the attempt may be about, by whatever way it was made. */
function banTargetsOf({ user, address, device }: Counted): BanTarget[] {
  const targets: BanTarget[] = [{ kind: 'address', name: address }]
  if (user !== '') targets.push({ kind: 'user', name: user })
  if (device !== undefined) targets.push({ kind: 'device', name: device })
  return targets
}
