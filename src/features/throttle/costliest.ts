import { AppError } from '../../kernel/errors.ts'
import type { Digest, Passwords } from '../passwords/index.ts'

/**
 * What a check of the costliest digest takes, in milliseconds: measured at the first attempt, and again when the users
 * have another costliest digest; more while checks take their slots for longer. Until it is known, callers wait for it.
 */
export function createCostliest({
  users,
  passwords,
}: {
  readonly users: { costliest(): Digest | undefined }
  readonly passwords: Pick<Passwords, 'measure' | 'span'>
}): () => number | Promise<number> {
  let kind: string | undefined
  let cost: number | Promise<number> = 0

  const measure = async (digest: Digest | undefined, before: number): Promise<number> => {
    try {
      cost = await passwords.measure(digest)
      return cost
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      // No slot to measure in: the next attempt tries again.
      kind = undefined
      cost = before
      return before
    }
  }

  return () => {
    const digest = users.costliest()
    const found = digest === undefined ? '' : `${digest.scheme} ${digest.variant} ${digest.weight}`
    if (kind !== found) {
      kind = found
      cost = measure(digest, typeof cost === 'number' ? cost : 0)
    }
    return typeof cost === 'number' ? Math.max(cost, passwords.span()) : cost
  }
}
