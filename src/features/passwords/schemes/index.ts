import type { Scheme } from '../scheme.ts'
import { argon2 } from './argon2.ts'

/** Every scheme whose digests are verified. */
export const schemes: readonly Scheme[] = [argon2]
