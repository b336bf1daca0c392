import type { Guard } from '../users/index.ts'
import type { FailureLimit } from './failure-limit.ts'
import { clientKey } from './subject.ts'

/**
 * The guard of one attempt to sign in.
 * @param address the client's, canonical
 * @throws AppError SIGN_IN_LIMITED at once, when nothing but waiting helps; STORE_UNAVAILABLE
 */
export async function guardAttempt(
  address: string,
  { limit }: { readonly limit: FailureLimit },
): Promise<Guard> {
  const key = clientKey(address)
  // In the queue for a check they would only keep others waiting.
  await limit.refuseFull(key)
  let settle = async (_right: boolean) => {}
  return {
    alone: () => (limit.isOff ? [] : [`address ${key}`]),
    async admit() {
      settle = await limit.take(key)
      return true
    },
    settle: (right) => settle(right),
  }
}
