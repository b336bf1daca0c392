import type { Clock } from '../../kernel/clock.ts'
import type { Guard } from '../users/index.ts'
import type { Ban } from './bans.ts'
import type { KnownDevice } from './device-store.ts'
import type { FailureLimit } from './failure-limit.ts'
import type { Admission, Regulation } from './regulation.ts'
import { clientKey } from './subject.ts'

/** Who tries. */
export interface Attempt {
  /** The client's, canonical. */
  readonly address: string
  /** What the browser is known as. */
  readonly devices: readonly KnownDevice[]
}

export interface AttemptGuard extends Guard {
  /** How long it waited for its turn, in milliseconds. */
  readonly waited: number
  /** The ban that refused the attempt, once it was refused by one. */
  readonly ban: Ban | undefined
}

/**
 * The guard of one attempt to sign in: the limit on failures first, then regulation; both count before the password is
 * looked at and take it back when it was right.
 * @throws AppError SIGN_IN_LIMITED at once, when nothing but waiting helps; STORE_UNAVAILABLE
 */
export async function guardAttempt(
  { address, devices }: Attempt,
  {
    limit,
    regulation,
    clock,
  }: {
    readonly limit: FailureLimit
    readonly regulation: Regulation
    readonly clock: Clock
  },
): Promise<AttemptGuard> {
  const key = clientKey(address)
  const deviceOf = (name: string) => devices.find(({ user }) => user === name)?.id
  // In the queue for a check they would only keep others waiting. A known device may be nowhere near its own limit.
  if (devices.length === 0) await limit.refuseFull(key)
  const asked = clock.monotonic()
  let waited = 0
  let settleLimit = async (_right: boolean) => {}
  let admission: Admission | undefined
  return {
    get waited() {
      return waited
    },
    get ban() {
      return admission?.kind === 'banned' ? admission.ban : undefined
    },
    alone(name) {
      const device = deviceOf(name)
      // Strangers' attempts on a name are nothing that its owner has to wait for.
      if (device !== undefined) return [`device ${device}`]
      return [`address ${key}`, `user ${name}`]
    },
    async admit(name) {
      waited = clock.monotonic() - asked
      const device = deviceOf(name)
      settleLimit = await limit.take(device === undefined ? key : `device ${device}`)
      admission = await regulation.admit({ user: name, address: key, device })
      return admission.kind === 'go'
    },
    async settle(right) {
      await settleLimit(right)
      if (admission?.kind === 'go') await admission.settle(right)
    },
  }
}
