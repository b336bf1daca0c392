import { parseAddress } from '../../kernel/cidr.ts'
import type { AppError } from '../../kernel/errors.ts'
import { createLine, type Job } from './line.ts'

export interface Reserved {
  /** Canonical. */
  readonly user: string
  /** The id of the device. */
  readonly device: string
}

/** Reserved places, however short the queue is. */
const LEAST_RESERVED = 8
/** A person signs in with one browser at a time, and presses the button twice. More waits among the others. */
const DEVICE_SHARE = 2
/** A stolen device cookie fills its own share; other devices of the same user have places beside it. */
const USER_SHARE = 6
/** After so many jobs of known devices in a row comes one of the others: an account is no way to stop the rest. */
const IN_A_ROW = 3

/** The jobs that wait for a slot: known devices in one line, all others in another. */
export interface Waiting {
  readonly length: number
  /**
   * @param client the client's address; '' for the server's own work
   * @param busy the error for a job that has no place, or loses it
   * @throws what `busy` makes when there is no place
   */
  enqueue(
    client: string,
    reserved: Reserved | undefined,
    job: Job,
    busy: (reason: string) => AppError,
  ): void
  /** The next job that may run. */
  take(mayRun: (job: Job) => boolean): Job | undefined
  /** Empties both lines. */
  drain(): readonly Job[]
}

/** @param queue how many jobs may wait, without those for which places are reserved */
export function createWaiting(queue: number): Waiting {
  const known = createLine({
    capacity: Math.max(LEAST_RESERVED, Math.ceil(queue / 4)),
    share: USER_SHARE,
    partShare: DEVICE_SHARE,
  })
  // One address may hold half of the places: the other half is for all other addresses.
  const others = createLine({ capacity: queue, share: Math.max(1, Math.ceil(queue / 2)) })
  /** Jobs of known devices that were taken since another one was. */
  let inARow = 0

  return {
    get length() {
      return known.length + others.length
    },
    enqueue(client, reserved, job, busy) {
      const owner = reserved ?? (client === '' ? OWN : undefined)
      if (owner !== undefined) {
        const pushed = known.push({ name: owner.user, part: owner.device }, job)
        // Past its share a known device is one client among the others.
        if (typeof pushed !== 'string') {
          pushed.displaced?.refuse(busy('made room for another user'))
          return
        }
      }
      const pushed = others.push({ name: fairnessKey(client) }, job)
      if (pushed === 'share') throw busy('this address has its share of the queue')
      if (pushed === 'full') throw busy('the queue is full')
      pushed.displaced?.refuse(busy('made room for another address'))
    },
    take(mayRun) {
      const lines = inARow < IN_A_ROW ? [known, others] : [others, known]
      for (const line of lines) {
        const job = line.take(mayRun)
        if (job === undefined) continue
        inARow = line === known ? inARow + 1 : 0
        return job
      }
      return undefined
    },
    drain: () => [...known.drain(), ...others.drain()],
  }
}

/** The server's own work: a new digest for a user, a measurement. No user's name is empty. */
const OWN: Reserved = { user: '', device: '' }

/** An IPv6 customer owns a /64: a client that has one address there has them all. */
function fairnessKey(client: string): string {
  const address = parseAddress(client)
  if (address === undefined) return client
  return address.version === 4 ? address.text : address.bytes.slice(0, 8).join('.')
}
