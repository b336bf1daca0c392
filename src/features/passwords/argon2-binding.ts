import { lowerPoolPriority } from './priority.ts'
import type { Argon2Parameters } from './scheme.ts'

/** A library that computes argon2 (RFC 9106, version 0x13, no secret, no associated data) off the event loop. */
export interface Argon2Binding {
  /** The package. */
  readonly name: string
  derive(password: string, parameters: Argon2Parameters, salt: Buffer): Promise<Buffer>
}

/** The same numbers in both libraries: RFC 9106 §3.2, the type y. */
const TYPES = { argon2d: 0, argon2i: 1, argon2id: 2 } as const
const VERSION = 0x13

/**
 * Written in Rust, with AVX2 where the processor says that it has it; the lanes of all hashes share as many threads as
 * there are cores. Not for every platform.
 */
async function loadRust(): Promise<Argon2Binding> {
  const { hashRaw } = await import('@node-rs/argon2')
  return {
    name: '@node-rs/argon2',
    derive: (password, parameters, salt) =>
      hashRaw(Buffer.from(password), {
        version: 1, // its number for 0x13
        algorithm: TYPES[parameters.variant],
        memoryCost: parameters.memory,
        timeCost: parameters.iterations,
        parallelism: parameters.parallelism,
        outputLen: parameters.keyLength,
        salt,
      }),
  }
}

/** The reference's C, prebuilt for many platforms and for the least of each; a thread a lane. */
async function loadReference(): Promise<Argon2Binding> {
  const { hash } = await import('argon2')
  return {
    name: 'argon2',
    derive: (password, parameters, salt) =>
      hash(Buffer.from(password), {
        raw: true,
        version: VERSION,
        type: TYPES[parameters.variant],
        memoryCost: parameters.memory,
        timeCost: parameters.iterations,
        parallelism: parameters.parallelism,
        hashLength: parameters.keyLength,
        salt,
      }),
  }
}

/** Fastest first; which one loads makes no difference to a digest (docs/decisions/030). */
export const bindings: readonly (() => Promise<Argon2Binding>)[] = [loadRust, loadReference]

let loaded: Promise<Argon2Binding> | undefined

/**
 * The first binding that loads. Asked for at the first hash: starting up does not wait for a native module.
 * @throws AggregateError when none does
 */
export function argon2Binding(): Promise<Argon2Binding> {
  loaded ??= load()
  return loaded
}

async function load(): Promise<Argon2Binding> {
  const failures: unknown[] = []
  for (const bind of bindings) {
    try {
      const binding = await bind()
      // Nothing was hashed yet: what the library starts inherits it.
      await lowerPoolPriority()
      return binding
    } catch (error) {
      // Not installed, or built for another system: the next one is for every system.
      failures.push(error)
    }
  }
  throw new AggregateError(failures, 'no argon2 library could be loaded')
}
