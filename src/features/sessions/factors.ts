import type { EpochMs } from '../../kernel/clock.ts'

const KNOWLEDGE = 1
const POSSESSION = 2

/**
 * The kinds of factors, one line each: what a kind proves, and what it is called in the `amr` claim of tokens
 * (authentication method references, RFC 8176 §2).
 */
const KINDS = {
  password: { proves: KNOWLEDGE, methods: ['pwd', 'kba'] },
  totp: { proves: POSSESSION, methods: ['otp'] },
  /** A security key that was touched: it did not check whose hand that was. */
  webauthn: { proves: POSSESSION, methods: ['pop', 'user'] },
  /** A WebAuthn assertion with user verification: the authenticator asked for its PIN, or for a finger. */
  passkey: { proves: KNOWLEDGE | POSSESSION, methods: ['pop', 'user', 'pin'] },
  /** The cookie of a browser that the user has trusted when they showed a factor: shown earlier, so that no claim names it. */
  'trusted-device': { proves: POSSESSION, methods: [] },
  'recovery-code': { proves: POSSESSION, methods: ['otp'] },
} as const satisfies Readonly<
  Record<string, { readonly proves: number; readonly methods: readonly string[] }>
>

export type FactorKind = keyof typeof KINDS
// Object.keys forgets which keys they are.
export const FACTOR_KINDS = Object.keys(KINDS) as readonly FactorKind[]

/** What the user showed, and when they last did. */
export interface Factor {
  readonly kind: FactorKind
  readonly at: EpochMs
}

type WithFactors = { readonly factors: readonly Factor[] }

/** 2 when the factors prove both knowledge and possession, else 1. Two factors that prove the same are level 1. */
export function levelOf({ factors }: WithFactors): 1 | 2 {
  let proven = 0
  for (const { kind } of factors) proven |= KINDS[kind].proves
  return proven === (KNOWLEDGE | POSSESSION) ? 2 : 1
}

/** The authentication method references of what was shown, each once; `mfa` is among them at level 2. */
export function methodReferencesOf(session: WithFactors): readonly string[] {
  const methods = new Set<string>(session.factors.flatMap(({ kind }) => KINDS[kind].methods))
  if (levelOf(session) === 2) methods.add('mfa')
  return [...methods]
}

/** Whether a factor of this kind was shown. */
export function hasFactor({ factors }: WithFactors, kind: FactorKind): boolean {
  return factors.some((factor) => factor.kind === kind)
}

/** The factors with one more. One of a kind that was shown before counts from now on as shown at this time. */
export function withFactor(
  factors: readonly Factor[],
  kind: FactorKind,
  at: EpochMs,
): readonly Factor[] {
  return [...factors.filter((factor) => factor.kind !== kind), { kind, at }]
}
