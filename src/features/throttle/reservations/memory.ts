import { randomBytes } from 'node:crypto'
import type { Clock } from '../../../kernel/clock.ts'
import { detach } from '../../../kernel/detach.ts'
import type { Reservations, ReservationTerms } from '../reservation.ts'

/** An address gets here by failing as often as it may: each costs hashes. Past it the oldest are forgotten. */
const MAX_ADDRESSES = 10_000

interface Entry {
  readonly id: string
  /** By the monotonic clock. */
  readonly due: number
  used: boolean
}

/** Keeps them in this process; a restart forgets. */
export function createMemoryReservations({
  terms: { count, life, spacing },
  clock,
  maxAddresses = MAX_ADDRESSES,
}: {
  readonly terms: ReservationTerms
  readonly clock: Clock
  readonly maxAddresses?: number
}): Reservations {
  /** Ascending by `due`; addresses in the order of their last reservation. No list is empty. */
  const kept = new Map<string, Entry[]>()

  function current(address: string): Entry[] {
    const now = clock.monotonic()
    const entries = (kept.get(address) ?? []).filter(({ due }) => due + spacing > now)
    if (entries.length === 0) kept.delete(address)
    else kept.set(address, entries)
    return entries
  }

  const dueOne = (address: string, held: readonly string[]): Entry | undefined => {
    const now = clock.monotonic()
    return current(address).find(
      ({ id, due, used }) => held.includes(id) && !used && due <= now && now < due + life,
    )
  }

  return {
    isDue: async (address, held) => dueOne(address, held) !== undefined,
    async use(address, held) {
      const entry = dueOne(address, held)
      if (entry === undefined) return false
      entry.used = true
      return true
    },
    async reserve(address, held, wait) {
      const now = clock.monotonic()
      const entries = current(address)
      const own = entries.filter(({ id }) => held.includes(id))
      if (own.some(({ used }) => used)) return undefined
      const live = own.find(({ due }) => now < due + life)
      if (live !== undefined) return { id: live.id, wait: Math.max(0, live.due - now) }
      if (entries.filter(({ due }) => due > now).length >= 2 * count) return undefined
      const last = entries.at(-1)?.due ?? 0
      const before = entries.at(-count)
      const due = Math.max(now + wait, last, before === undefined ? 0 : before.due + spacing)
      const id = randomBytes(16).toString('base64url')
      kept.delete(address)
      kept.set(detach(address), [...entries, { id, due, used: false }])
      for (const oldest of kept.keys()) {
        if (kept.size <= maxAddresses) break
        kept.delete(oldest)
      }
      return { id, wait: due - now }
    },
  }
}
