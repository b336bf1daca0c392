import type { Digest } from './scheme.ts'
import { schemes } from './schemes/index.ts'

/** As far as strength goes. Parameters of one scheme have the same names. */
export type Strength = Pick<Digest, 'scheme' | 'variant' | 'parameters'>

/**
 * Whether a digest is weaker than one of the configured kind: of a weaker scheme (schemes/index.ts has the order), or of
 * the same with something smaller and nothing larger, its variant and its salt's and key's lengths included. What is
 * smaller here and larger there is a choice of the operator; it stays.
 */
export function isWeaker(digest: Strength, configured: Strength): boolean {
  if (digest.scheme !== configured.scheme) return rankOf(digest.scheme) > rankOf(configured.scheme)
  const names = Object.keys(configured.parameters)
  const differences = [
    variantOf(digest) - variantOf(configured),
    ...names.map((name) => (digest.parameters[name] ?? 0) - (configured.parameters[name] ?? 0)),
  ]
  return differences.some((by) => by < 0) && !differences.some((by) => by > 0)
}

const rankOf = (scheme: string): number => schemes.findIndex(({ name }) => name === scheme)

const variantOf = ({ scheme, variant }: Strength): number =>
  schemes
    .find(({ name }) => name === scheme)
    ?.variants.findIndex((tier) => tier.includes(variant)) ?? 0
