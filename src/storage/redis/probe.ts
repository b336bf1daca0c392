import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Dialer, dismiss, type RedisClient } from './dial.ts'
import { explainFault, isPassing, RedisFault, toFault } from './fault.ts'

/** Between two tries while starting: Redis may be starting too. Milliseconds. */
const PAUSE = 250
/** What one try gets at the least, however late it begins. Milliseconds. */
const SHORTEST = 100
const TTL = 10_000

/**
 * Makes one try after the other until one succeeds: at start a Redis that is away or slow gets more time than any request
 * would give it.
 *
 * @param limit what it may take in all; what cannot pass by itself is said at once. Milliseconds
 * @param tryOnce is told how many milliseconds are left
 * @throws OperatorError
 */
export async function untilItAnswers(
  { address }: Pick<Dialer, 'address'>,
  limit: number,
  tryOnce: (left: number) => Promise<void>,
): Promise<void> {
  const end = performance.now() + limit
  for (;;) {
    try {
      await tryOnce(Math.max(SHORTEST, end - performance.now()))
      return
    } catch (error) {
      const fault = toFault(error)
      if (!isPassing(fault) || performance.now() + PAUSE >= end) throw explainFault(fault, address)
      await sleep(PAUSE)
    }
  }
}

/**
 * Writes a key, reads it and takes it away again: what is wrong with the address, the credentials, the ACL or the server
 * is said at start and not at the first sign-in.
 *
 * @param limit milliseconds
 * @throws RedisFault, or what the library throws
 */
export async function probe(dialer: Dialer, prefix: string, limit: number): Promise<void> {
  const client = await dialer.dial(limit)
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => reject(new RedisFault('LATE', 'no answer to a write and a read')),
    limit,
  )
  try {
    await Promise.race([writeAndRead(client, prefix), promise])
  } finally {
    clearTimeout(timer)
    dismiss(client)
  }
}

/** @throws what the library throws */
export async function writeAndRead(client: RedisClient, prefix: string): Promise<void> {
  const written = randomBytes(16).toString('base64url')
  const key = `${prefix}probe:${written}`
  await client.set(key, written, 'PX', TTL)
  const read = await client.get(key)
  await client.del(key)
  if (read !== written) throw new Error('what was written is not what is read')
}
