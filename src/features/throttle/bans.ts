import type { EpochMs } from '../../kernel/clock.ts'

/** Whom attempts are counted for, and whom a ban stops. */
export interface Subject {
  readonly kind: 'user' | 'address' | 'device'
  /** A canonical user name; an address, IPv6 as its /64; the id of a known device. Never empty. */
  readonly name: string
}

export interface Ban extends Subject {
  readonly id: string
  /** `regulation`: too many failures. `operator`: somebody who may has said so. */
  readonly source: 'regulation' | 'operator'
  readonly reason: string
  /** Who said so; empty for regulation and for the command line. */
  readonly by: string
  readonly createdAt: EpochMs
  /** Undefined: until it is lifted. */
  readonly expiresAt: EpochMs | undefined
}

/**
 * Whether a ban stops this attempt. What strangers brought upon a user or an address does not stop a browser that the
 * user has signed in with before: it has a count of its own, and bans of its own.
 */
export function stops(ban: Ban, attempt: { readonly device: string | undefined }): boolean {
  return attempt.device === undefined || ban.kind === 'device' || ban.source === 'operator'
}

export const word = ({ kind, name }: Subject): string => `${kind}:${name}`
