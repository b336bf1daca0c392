import type { EpochMs } from '../../kernel/clock.ts'

/** What failures are counted for. */
export interface LimitKey {
  readonly kind: 'user' | 'address' | 'device'
  /** A canonical user name; an address, IPv6 as its /64; the id of a known device. Never empty. */
  readonly name: string
}

/** What a ban is about: whatever failures are counted for. */
export type BanTarget = LimitKey

export interface Ban extends BanTarget {
  readonly id: string
  /** `regulation`: too many failures. `operator`: the operator or an administrator said so. */
  readonly source: 'regulation' | 'operator'
  readonly reason: string
  /** Name of the administrator; empty for regulation and for the command line. */
  readonly by: string
  readonly createdAt: EpochMs
  /** Undefined: until it is lifted. */
  readonly expiresAt: EpochMs | undefined
}

/**
 * Whether a ban stops this attempt. What clients without a known device brought upon a user or an address does not stop a browser that the
 * user has signed in with before: it has a count of its own, and bans of its own.
 */
export function stops(ban: Ban, attempt: { readonly device: string | undefined }): boolean {
  return attempt.device === undefined || ban.kind === 'device' || ban.source === 'operator'
}

/** What the locks of the store call it. */
export const lockKeyOf = ({ kind, name }: LimitKey): string => `${kind}:${name}`
