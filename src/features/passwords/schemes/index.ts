import type { Scheme } from '../scheme.ts'
import { argon2 } from './argon2.ts'
import { bcrypt } from './bcrypt.ts'
import { pbkdf2 } from './pbkdf2.ts'
import { scrypt } from './scrypt.ts'
import { shaCrypt } from './sha-crypt.ts'

/** Every scheme whose digests are verified, strongest first (requirement 8): the order decides what is rehashed. */
export const schemes: readonly Scheme[] = [argon2, scrypt, bcrypt, pbkdf2, shaCrypt]
