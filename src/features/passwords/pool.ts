import { parseAddress } from '../../kernel/cidr.ts'
import type { Clock } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import { createLine, type Job } from './line.ts'

export interface PoolOptions {
  /** How many jobs run at the same time. */
  readonly concurrency: number
  /** How many may wait, over all clients. For known devices there is a quarter more, at least `LEAST_RESERVED`. */
  readonly queue: number
  readonly clock: Clock
}

/** Who a job is for, and what it must not run beside. */
export interface Place {
  /** Words: of two jobs with one in common the later waits for the earlier, and lets others go first meanwhile. */
  readonly alone?: readonly string[]
  /** Room is reserved for the job: it comes from a device that this user has signed in with before. */
  readonly reserved?: Reserved | undefined
}

export interface Reserved {
  /** Canonical. */
  readonly user: string
  /** The id of the device. */
  readonly device: string
}

/**
 * Bounded room for costly work. Two lines wait for it: known devices, shared fairly between users, and all others, shared
 * fairly between client addresses.
 */
export interface Pool {
  /**
   * Runs the work when its turn comes.
   * @param client the client's address; '' for the server's own work, for which room is reserved
   * @throws AppError HASHING_BUSY at once when there is no room, or later when the job had to make room
   */
  run<T>(client: string, work: () => Promise<T>, place?: Place): Promise<T>
  /** Turns away what waits and what comes; resolves when nothing runs any more. */
  close(): Promise<void>
}

/** What a job is taken to last before one was measured, and how much a new measurement counts. */
const FIRST_GUESS_MS = 500
const SMOOTHING = 0.2
const MAX_RETRY_AFTER = 60
/** Reserved places, however short the queue is. */
const LEAST_RESERVED = 8
/** A person signs in with one browser at a time, and presses the button twice. More waits among the others. */
const DEVICE_SHARE = 2
/** A stolen device cookie fills its own share; other devices of the same person have room beside it. */
const USER_SHARE = 6
/** After so many turns of known devices in a row one of the others has its turn: an account is no way to stop the rest. */
const IN_A_ROW = 3

export function createPool({ concurrency, queue, clock }: PoolOptions): Pool {
  const known = createLine({
    room: Math.max(LEAST_RESERVED, Math.ceil(queue / 4)),
    share: USER_SHARE,
    partShare: DEVICE_SHARE,
  })
  // One address may hold half of the room: the other half is for everybody else.
  const others = createLine({ room: queue, share: Math.max(1, Math.ceil(queue / 2)) })
  /** The words of what runs. */
  const busyWords = new Set<string>()
  let running = 0
  /** Turns that known devices have had since another one had its turn. */
  let inARow = 0
  let meanMs = FIRST_GUESS_MS
  let closed = false
  let idle: (() => void) | undefined

  function busy(reason: string): AppError {
    const queued = known.length + others.length
    const seconds = Math.ceil((((queued + running) / concurrency) * meanMs) / 1000)
    return new AppError(
      'HASHING_BUSY',
      { reason, queued, running },
      { retryAfter: Math.min(MAX_RETRY_AFTER, Math.max(1, seconds)) },
    )
  }

  const mayRun = ({ alone }: Pick<Job, 'alone'>): boolean =>
    !alone.some((word) => busyWords.has(word))

  /** Fills what is free: a job that ends may free a word for several. */
  function next(): void {
    while (running < concurrency) {
      const job = takeNext()
      if (job === undefined) break
      job.start()
    }
    if (running === 0) idle?.()
  }

  function takeNext(): Job | undefined {
    const lines = inARow < IN_A_ROW ? [known, others] : [others, known]
    for (const line of lines) {
      const job = line.take(mayRun)
      if (job === undefined) continue
      inARow = line === known ? inARow + 1 : 0
      return job
    }
    return undefined
  }

  async function occupy<T>(work: () => Promise<T>, alone: readonly string[]): Promise<T> {
    running++
    for (const word of alone) busyWords.add(word)
    const began = clock.monotonic()
    try {
      return await work()
    } finally {
      meanMs += SMOOTHING * (clock.monotonic() - began - meanMs)
      running--
      for (const word of alone) busyWords.delete(word)
      next()
    }
  }

  /** @throws AppError HASHING_BUSY */
  function enqueue(client: string, reserved: Reserved | undefined, job: Job): void {
    const place = reserved ?? (client === '' ? OWN : undefined)
    if (place !== undefined) {
      const pushed = known.push({ name: place.user, part: place.device }, job)
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
  }

  return {
    async run(client, work, { alone = [], reserved } = {}) {
      if (closed) throw busy('closing')
      // While there is room, all that waits waits for a word and stands in the way of nothing else.
      if (running < concurrency && mayRun({ alone })) return occupy(work, alone)
      return new Promise((resolve, reject) => {
        enqueue(client, reserved, {
          alone,
          start: () => void occupy(work, alone).then(resolve, reject),
          refuse: reject,
        })
      })
    },
    async close() {
      closed = true
      for (const job of [...known.drain(), ...others.drain()]) job.refuse(busy('closing'))
      if (running === 0) return
      await new Promise<void>((resolve) => {
        idle = resolve
      })
    },
  }
}

/** The server's own work: a new digest for a user, a measurement. No user's name is empty. */
const OWN: Reserved = { user: '', device: '' }

/** An IPv6 customer owns a /64: whoever has one address there has them all. */
function fairnessKey(client: string): string {
  const address = parseAddress(client)
  if (address === undefined) return client
  return address.version === 4 ? address.text : address.bytes.slice(0, 8).join('.')
}
