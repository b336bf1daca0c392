import type { Secret } from '../../kernel/secret.ts'
import type { Threads } from './threads.ts'

/** A stored digest, once it is understood. Its text and its key are secrets: never logged, never sent. */
export interface Digest {
  /** Name of the scheme that reads it, as in schemes/index.ts. */
  readonly scheme: string
  /** What the digest calls itself: `argon2id`, `2b`. */
  readonly variant: string
  /** What it costs and how long its parts are, in the units of its scheme. More of each is stronger. */
  readonly parameters: Readonly<Record<string, number>>
  /**
   * How much work a check is: the KiB of memory that it fills, each pass counted. Orders digests, measures nothing;
   * a scheme that fills no memory gives what would take argon2 as long.
   */
  readonly weight: number
  /** How many bytes of a password it looks at; all of them when undefined. */
  readonly reads?: number
  /** As written, without `{CRYPT}`. */
  readonly text: Secret
  /** Does the work. For this feature only: a call from elsewhere would go past the queue. */
  readonly matches: (password: string, threads: Threads) => Promise<boolean>
}

export type ParsedDigest =
  | { readonly ok: true; readonly digest: Digest }
  /** Neither sentence repeats any of the text: it could be a password. */
  | { readonly ok: false; readonly problem: string; readonly hint: string }

/** How new digests are made. `memory` is in KiB, lengths are in bytes, of sha2crypt's salt in characters. */
export type HashParameters =
  | ({ readonly algorithm: 'argon2' } & Argon2Parameters)
  | ({ readonly algorithm: 'scrypt' } & ScryptParameters)
  | ({ readonly algorithm: 'bcrypt' } & BcryptParameters)
  | ({ readonly algorithm: 'pbkdf2' } & Pbkdf2Parameters)
  | ({ readonly algorithm: 'sha2crypt' } & Sha2CryptParameters)

export interface Argon2Parameters {
  readonly variant: 'argon2id' | 'argon2i' | 'argon2d'
  readonly iterations: number
  readonly memory: number
  readonly parallelism: number
  readonly keyLength: number
  readonly saltLength: number
}

export interface ScryptParameters {
  /** Binary logarithm. */
  readonly iterations: number
  readonly blockSize: number
  readonly parallelism: number
  readonly keyLength: number
  readonly saltLength: number
}

export interface BcryptParameters {
  /** `sha256`: of any length; `standard`: only the first 72 bytes of a password count, and longer ones are refused. */
  readonly variant: 'standard' | 'sha256'
  /** Binary logarithm of the rounds. */
  readonly cost: number
}

export interface Pbkdf2Parameters {
  readonly variant: 'sha1' | 'sha224' | 'sha256' | 'sha384' | 'sha512'
  readonly iterations: number
  readonly saltLength: number
}

export interface Sha2CryptParameters {
  readonly variant: 'sha256' | 'sha512'
  readonly iterations: number
  readonly saltLength: number
}

/** Makes digests with fixed parameters. */
export interface Maker {
  /**
   * @param salt instead of a random one of the configured length; for sha2crypt and bcrypt, characters of `./0-9A-Za-z`
   */
  hash(password: string, threads: Threads, salt?: Buffer): Promise<string>
  /** A digest with the same parameters that no password matches. */
  readonly decoy: Digest
}

/** One family of password digests. A new one is a file beside the others and a line in schemes/index.ts. */
export interface Scheme {
  readonly name: string
  /** What its digests begin with, as far as the `$` that ends the name. */
  readonly prefixes: readonly string[]
  /** Its variants in tiers, weakest first. */
  readonly variants: readonly (readonly string[])[]
  /** @param text begins with one of the prefixes; at most 1024 characters */
  parse(text: string): ParsedDigest
  /** @returns undefined when the parameters are another scheme's, or none that it makes */
  maker?(parameters: HashParameters): Maker | undefined
}
