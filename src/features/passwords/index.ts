/**
 * Passwords: hash, verify, and the bounded pool in which both happen.
 *
 * Owns what new passwords must be like (policy/), the digest formats (schemes/), which of them is weaker than what is configured (strength.ts), and how much of the
 * machine hashing may take. Does not own whose digest it is and when one is made anew (users), what a failed attempt
 * costs the client (throttle), or which parameters new digests get (users, from `authentication_backend.file.password`).
 * Keeps no password: one lives here as long as its job waits and runs.
 */
import { availableParallelism } from 'node:os'
import type { Clock } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import { argon2Binding } from './argon2-binding.ts'
import { createPace } from './pace.ts'
import { createPool, type Place } from './pool.ts'
import type { Digest, HashParameters, Maker } from './scheme.ts'
import { schemes } from './schemes/index.ts'
import { isWeaker } from './strength.ts'
import { createThreads } from './threads.ts'

export { type ApprovedPassword, approveUnchecked } from './approved.ts'
export { parseDigest } from './digest.ts'
export {
  approveOrForce,
  createPasswordPolicy,
  type PasswordPolicy,
  type Person,
  POLICY_FAULTS,
  type PolicyFault,
  type Strength,
} from './policy/index.ts'
export type { Place } from './pool.ts'
export { randomPassword } from './random-password.ts'
export type { Argon2Parameters, Digest, HashParameters } from './scheme.ts'
export { type Argon2Cost, type Tuned, tune } from './tune.ts'
export type { Reserved } from './waiting.ts'

/** In bytes. Ten times what password managers make; past it, hashing is a way to keep us busy. */
const MAX_PASSWORD = 1024
/** More would have nothing to run on: what needs them is a scheme on its way out. */
const MAX_THREADS = 2

export interface PasswordsOptions {
  /** How new digests are made, and what a check costs for names that do not exist. */
  readonly parameters: HashParameters
  /** Hashes at the same time; the processor cores less one, at least one, when undefined. */
  readonly concurrency?: number | undefined
  /** Jobs that may wait. */
  readonly queue: number
  readonly clock: Clock
}

/** What a password is checked against: a digest, or what asks another server. */
export type Verifier = Pick<Digest, 'scheme' | 'variant' | 'weight' | 'matches'>

/** Called around one check, while no other check with one of its lock keys runs. */
export interface CheckHooks extends Place {
  /** @returns false: the work is done all the same, and the password is wrong whatever it is */
  admit(): Promise<boolean>
  /** What came of it. Not called when `admit` or the work failed. */
  settle(right: boolean): Promise<void>
}

/** `client` is the client's address, by which the queue is shared; '' for the server's own work. */
export interface Passwords {
  /**
   * A new digest with the configured parameters and a fresh salt.
   * @throws AppError HASHING_BUSY; PASSWORD_UNUSABLE when it is empty, or longer than 1024 bytes or than what the
   *   configured algorithm reads of it (bcrypt: 72)
   */
  hash(password: string, client: string): Promise<string>
  /**
   * Whether this is the password. An empty one, or one over 1024 bytes, costs the same work and is wrong.
   * @throws AppError HASHING_BUSY; what the hooks throw
   */
  verify(verifier: Verifier, password: string, client: string, hooks?: CheckHooks): Promise<boolean>
  /**
   * The work of a verify with the configured parameters, for names that do not exist.
   * @throws AppError HASHING_BUSY; what the hooks throw
   */
  burn(password: string, client: string, hooks?: CheckHooks): Promise<void>
  /**
   * Learns what the costliest check is: of this digest, or of the one for names that do not exist when that costs more.
   * Measured by one check. From then on every check occupies its place for as long.
   * @param digest the costliest that is stored
   * @returns milliseconds
   * @throws AppError HASHING_BUSY
   */
  measure(digest: Digest | undefined): Promise<number>
  /** How long a check occupies its place at the moment, in milliseconds; 0 until `measure` has ended once. */
  span(): number
  /**
   * Whether a digest that this password has just matched should be made anew: it is weaker than what is
   * configured, and both look at the whole password, so that the new digest admits nothing that the old one refused.
   */
  isOutdated(digest: Digest, password: string): boolean
  /** Refuses what waits; resolves when nothing is hashed any more. */
  close(): Promise<void>
}

const ALWAYS: CheckHooks = { admit: async () => true, settle: async () => {} }

/** @throws RangeError when no scheme makes digests with these parameters */
export function createPasswords(options: PasswordsOptions): Passwords {
  const { parameters, queue, clock } = options
  const maker = makerOf(parameters)
  const concurrency = options.concurrency ?? Math.max(1, availableParallelism() - 1)
  const pool = createPool({ concurrency, queue, clock })
  const pace = createPace(clock)
  const threads = createThreads(Math.min(MAX_THREADS, concurrency))

  async function verify(
    verifier: Verifier,
    password: string,
    client: string,
    hooks: CheckHooks = ALWAYS,
  ): Promise<boolean> {
    const unusable = problemOf(password) !== undefined
    return pool.run(
      client,
      async () => {
        const began = clock.monotonic()
        const rest = pace.begin()
        const admitted = await hooks.admit()
        const asked = clock.monotonic()
        const matches = await verifier.matches(unusable ? 'x' : password, threads)
        const check = clock.monotonic() - asked
        const right = matches && admitted && !unusable
        await hooks.settle(right)
        pace.observe(kindOf(verifier), check, clock.monotonic() - began - check)
        await rest()
        return right
      },
      hooks,
    )
  }

  return {
    async hash(password, client) {
      const reason = problemOf(password, maker.decoy.reads)
      if (reason !== undefined) throw new AppError('PASSWORD_UNUSABLE', { reason })
      return pool.run(client, () => maker.hash(password, threads))
    },
    verify,
    async burn(password, client, hooks) {
      await verify(maker.decoy, password, client, hooks)
    },
    measure(digest) {
      const { decoy } = maker
      const costlier = digest === undefined || digest.weight < decoy.weight ? decoy : digest
      return pool.run('', async () => {
        const began = clock.monotonic()
        // As long as a password of people is; what it is makes no difference.
        await costlier.matches('correct horse battery staple', threads)
        const took = clock.monotonic() - began
        pace.costliest(kindOf(costlier), took)
        return took
      })
    },
    span: pace.span,
    isOutdated: (digest, password) =>
      isWeaker(digest, maker.decoy) &&
      [digest, maker.decoy].every(
        ({ reads = MAX_PASSWORD }) => Buffer.byteLength(password) <= reads,
      ),
    async close() {
      await pool.close()
      await threads.close()
    },
  }
}

/**
 * One digest, outside of any queue and with a salt of the caller's if there is one: for the command line alone.
 * @param salt as a maker takes it
 * @throws RangeError as createPasswords; when the algorithm does not read all of the password
 */
export async function makeDigest(
  parameters: HashParameters,
  password: string,
  salt?: Buffer,
): Promise<string> {
  const maker = makerOf(parameters)
  const { reads } = maker.decoy
  if (problemOf(password, reads) === 'too long')
    throw new RangeError(`the password is longer than ${reads ?? MAX_PASSWORD} bytes`)
  const threads = createThreads(1)
  try {
    return await maker.hash(password, threads, salt)
  } finally {
    await threads.close()
  }
}

/** The package that computes argon2 here. */
export async function argon2Library(): Promise<string> {
  const { name } = await argon2Binding()
  return name
}

/** Checks of one kind cost the same. */
const kindOf = ({ scheme, variant, weight }: Verifier): string => `${scheme} ${variant} ${weight}`

function makerOf(parameters: HashParameters): Maker {
  const maker = schemes
    .map((scheme) => scheme.maker?.(parameters))
    .find((made) => made !== undefined)
  if (maker === undefined) throw new RangeError(`no scheme makes ${parameters.algorithm} digests`)
  return maker
}

function problemOf(password: string, most = MAX_PASSWORD): 'empty' | 'too long' | undefined {
  if (password === '') return 'empty'
  return Buffer.byteLength(password) > most ? 'too long' : undefined
}
