/** `hash-password --tune`: what argon2 should cost on this machine. */
import { availableParallelism, totalmem } from 'node:os'
import { InvalidArgumentError } from 'commander'
import { argon2Library, makeDigest, type Tuned, tune } from '../features/passwords/index.ts'
import { systemClock } from '../kernel/clock.ts'
import { formatDuration, parseDuration } from '../kernel/duration.ts'
import type { Cli } from './invocation.ts'

/** Both in KiB. A gibibyte is the most that is tried. */
const MIB = 1024
const MAX_MEMORY = 1024 * MIB
/** OWASP's least for argon2id with one pass, in KiB. */
const LITTLE_MEMORY = 46 * MIB

/** Reads a duration for an option, in milliseconds. */
export function duration(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = parseDuration(text)
    if (value !== undefined && value >= min && value <= max) return value
    throw new InvalidArgumentError(
      `It takes a time from ${formatDuration(min)} to ${formatDuration(max)}, such as 500ms.`,
    )
  }
}

/** @param maxMemory in KiB, `target` in milliseconds */
export async function tuneHere({
  target,
  parallelism,
  maxMemory = affordableMemory(),
}: {
  readonly target: number
  readonly parallelism: number
  readonly maxMemory?: number
}): Promise<Tuned> {
  return tune({
    target,
    parallelism,
    maxMemory,
    clock: systemClock,
    hash: (cost) =>
      makeDigest(
        { algorithm: 'argon2', variant: 'argon2id', ...cost, keyLength: 32, saltLength: 16 },
        'correct horse battery staple',
      ),
  })
}

/** A quarter of what this process may have, divided among as many hashes as the server makes at the same time. */
function affordableMemory(): number {
  // A container's limit; without one it is no number that means anything.
  const limit = process.constrainedMemory()
  const bytes = limit > 0 ? Math.min(totalmem(), limit) : totalmem()
  const hashes = Math.max(1, availableParallelism() - 1)
  const share = Math.floor(bytes / 4 / hashes / 1024 / MIB) * MIB
  return Math.min(MAX_MEMORY, Math.max(MIB, share))
}

/** As YAML for the configuration, in which the rest is comments. */
export async function printTuned(cli: Cli, tuned: Tuned): Promise<void> {
  const { memory, iterations, parallelism, took } = tuned
  cli.print(`# ${Math.round(took)} ms a hash here, with ${await argon2Library()}
# hash-password -m ${memory / MIB} -i ${iterations} -p ${parallelism}
authentication_backend:
  file:
    password:
      argon2:
        memory: ${memory} # KiB
        iterations: ${iterations}
        parallelism: ${parallelism}
`)
  if (memory * iterations < LITTLE_MEMORY)
    cli.complain(
      'vestibule: this protects little: argon2id should fill 46 MiB at least; allow more time or more memory\n',
    )
}
