import type { Clock, EpochMs } from '../../kernel/clock.ts'
import type { VerifyReason } from '../../kernel/verify-reasons.ts'

/** A request of a user whom the proxy's cookie or header named, and who may not pass. */
export interface RefusedRequest {
  /** Without the query, which may carry the app's own tokens; cut at 512 characters. */
  readonly url: string
  readonly method: string
  readonly address: string
  readonly why: VerifyReason
  /** Counted from 0; undefined: the default policy. */
  readonly rule: number | undefined
}

export interface NotedRequest extends RefusedRequest {
  /** The last time. */
  readonly time: EpochMs
  /** How often in a row: pages ask again by themselves. */
  readonly times: number
}

/** The last refused requests of each user on this node, in memory alone. */
export interface RefusedRequests {
  note(user: string, request: RefusedRequest): void
  /** Newest first. */
  of(user: string): readonly NotedRequest[]
}

/** All bounded: at most some 6 MB, whatever clients ask for. */
const EACH = 10
const USERS = 1000
const MAX_URL = 512
const MAX_METHOD = 32

export function createRefusedRequests({ clock }: { readonly clock: Clock }): RefusedRequests {
  /** The user who was refused last stands last. */
  const byUser = new Map<string, readonly NotedRequest[]>()
  return {
    note(user, request) {
      const known = byUser.get(user) ?? []
      const url = request.url.slice(0, MAX_URL)
      const method = request.method.slice(0, MAX_METHOD)
      const same = known.find(
        (one) =>
          one.url === url &&
          one.method === method &&
          one.why === request.why &&
          one.rule === request.rule &&
          one.address === request.address,
      )
      const noted = { ...request, url, method, time: clock.now(), times: (same?.times ?? 0) + 1 }
      byUser.delete(user)
      byUser.set(user, [noted, ...known.filter((one) => one !== same)].slice(0, EACH))
      const [oldest] = byUser.keys()
      if (byUser.size > USERS && oldest !== undefined) byUser.delete(oldest)
    },
    of: (user) => byUser.get(user) ?? [],
  }
}
