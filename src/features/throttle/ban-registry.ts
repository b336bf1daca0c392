import { parseNetwork } from '../../kernel/cidr.ts'
import type { Clock, EpochMs } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import { addressKey } from './address-key.ts'
import type { Ban, BanTarget } from './bans.ts'
import type { RegulationStore } from './regulation-store.ts'

export interface NewBan {
  readonly kind: 'user' | 'address'
  /** A canonical user name, whether or not there is such a user; or an address, or an IPv6 /64. */
  readonly name: string
  readonly reason: string
  /** Milliseconds; undefined: until it is lifted. */
  readonly duration: number | undefined
  /** Name of the administrator; empty for the command line. */
  readonly by: string
}

export interface BanListeners {
  /** Told of every ban that is made, by regulation or by a caller. */
  readonly onBan?: ((ban: Ban) => void) | undefined
  /** @param by who lifted it; empty for the command line */
  readonly onLift?: ((ban: Ban, by: string) => void) | undefined
  /** Does what belongs to a lift before it is answered. When it fails, so does the call: the ban is lifted all the same. */
  readonly afterLift?: ((ban: Ban) => Promise<void>) | undefined
}

/** Lists, adds and lifts bans. */
export interface BanRegistry {
  /** Those in force, newest first, at most 10,000. */
  list(): Promise<readonly Ban[]>
  /** In place of the bans of the same target that an operator added before. @throws AppError BAN_INVALID */
  add(ban: NewBan): Promise<Ban>
  /**
   * Those in force of these ids. What was counted for their targets is forgotten.
   * @param by as in a ban
   * @returns what was lifted
   */
  lift(ids: readonly string[], by: string): Promise<readonly Ban[]>
  /** Every ban of this target. @throws AppError BAN_INVALID */
  liftTarget(target: Pick<NewBan, 'kind' | 'name' | 'by'>): Promise<readonly Ban[]>
}

const MAX_LISTED = 10_000
const MAX_NAME = 320
const MAX_DURATION = 100 * 365 * 86_400_000

export function createBanRegistry({
  store,
  clock,
  onBan,
  onLift,
  afterLift,
}: {
  readonly store: RegulationStore
  readonly clock: Clock
} & BanListeners): BanRegistry {
  const lift = async (ids: readonly string[], by: string): Promise<readonly Ban[]> => {
    const lifted = await store.lift(ids, clock.now())
    for (const ban of lifted) onLift?.(ban, by)
    for (const ban of lifted) await afterLift?.(ban)
    return lifted
  }
  return {
    list: () => store.list(clock.now(), MAX_LISTED),
    async add({ kind, name, reason, duration, by }) {
      const target = targetOf(kind, name)
      if (duration !== undefined && !(duration >= 1000 && duration <= MAX_DURATION))
        throw invalid('a ban lasts a second at least, and a hundred years at most')
      const now = clock.now()
      const ban = {
        ...target,
        source: 'operator',
        reason,
        by,
        createdAt: now,
        // A time plus a duration is a time; arithmetic drops the brand.
        expiresAt: duration === undefined ? undefined : ((now + duration) as EpochMs),
      } as const
      const made = await store.alone([target], async (ledger) => {
        const before = await ledger.bans([target], now)
        await ledger.unban(before.filter(({ source }) => source === 'operator'))
        return ledger.ban(ban)
      })
      onBan?.(made)
      return made
    },
    lift,
    async liftTarget({ kind, name, by }) {
      const target = targetOf(kind, name)
      const now = clock.now()
      const bans = await store.alone([target], (ledger) => ledger.bans([target], now))
      return lift(
        bans.map(({ id }) => id),
        by,
      )
    },
  }
}

function targetOf(kind: 'user' | 'address', name: string): BanTarget {
  if (kind === 'user') {
    if (name === '' || name.length > MAX_NAME || name.includes('\0')) throw invalid('no user name')
    return { kind, name }
  }
  const network = parseNetwork(name)
  if (network === undefined) throw invalid('no address')
  const widest = network.version === 4 ? 32 : 64
  if (network.prefix < widest)
    throw invalid(
      'addresses are banned one by one, IPv6 by /64; a rule with networks shuts out more',
    )
  return { kind, name: addressKey(name.split('/', 1)[0] ?? '') }
}

const invalid = (reason: string): AppError => new AppError('BAN_INVALID', { reason })
