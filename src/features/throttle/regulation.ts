import type { Clock, EpochMs } from '../../kernel/clock.ts'
import { type Ban, type Subject, stops } from './bans.ts'
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

/** Bans whoever fails too often (measure 4). Every attempt is counted before its password is looked at. */
export interface Regulation {
  /** @throws AppError STORE_UNAVAILABLE */
  admit(attempt: Counted): Promise<Admission>
}

export function createRegulation({
  config: { modes, max_retries: most, find_time: span, ban_time: length },
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
  /** A known device has its own count, so that nobody else's failures are its own. */
  function countedFor({ user, address, device }: Counted): Subject[] {
    if (most === 0) return []
    if (device !== undefined) return [{ kind: 'device', name: device }]
    const subjects: Subject[] = []
    if (modes.includes('ip')) subjects.push({ kind: 'address', name: address })
    // A name that is nobody's bans nobody: whoever made it up would fill the store with it.
    if (modes.includes('user') && user !== '') subjects.push({ kind: 'user', name: user })
    return subjects
  }

  /** Whoever made a ban that is in force, by whatever way, meant this attempt too. */
  function stoppedBy({ user, address, device }: Counted): Subject[] {
    const subjects: Subject[] = [{ kind: 'address', name: address }]
    if (user !== '') subjects.push({ kind: 'user', name: user })
    if (device !== undefined) subjects.push({ kind: 'device', name: device })
    return subjects
  }

  const banFor = (ledger: Ledger, { kind, name }: Subject, last: number, now: EpochMs) =>
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

  /** The bans that these subjects have earned and don't have yet. */
  async function earned(ledger: Ledger, subjects: readonly Subject[], now: EpochMs) {
    const bans: Ban[] = []
    for (const subject of subjects) {
      const { count, last } = await ledger.failures(subject, now - span)
      if (count < most || last + length <= now) continue
      const inForce = await ledger.bans([subject], now)
      if (!inForce.some(({ source }) => source === 'regulation'))
        bans.push(await banFor(ledger, subject, last, now))
    }
    return bans
  }

  const settle = async (attempt: Counted, isLast: boolean, right: boolean): Promise<void> => {
    if (right) return store.giveBack(attempt)
    if (!isLast) return
    const subjects = countedFor(attempt)
    for (const ban of await store.alone(subjects, (ledger) =>
      earned(ledger, subjects, clock.now()),
    ))
      onBan(ban)
  }

  return {
    async admit(attempt) {
      const counted = countedFor(attempt)
      const found = await store.alone(counted, async (ledger) => {
        const now = clock.now()
        const bans = await ledger.bans(stoppedBy(attempt), now)
        const ban = bans.find((one) => stops(one, attempt))
        if (ban !== undefined) return { kind: 'banned', ban, made: [] } as const
        // What was counted and never settled (on another instance, or one that was killed) is a failure.
        const made = await earned(ledger, counted, now)
        if (made[0] !== undefined) return { kind: 'banned', ban: made[0], made } as const
        let isLast = false
        for (const subject of counted) {
          const { count } = await ledger.failures(subject, now - span)
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
