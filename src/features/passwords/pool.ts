import { parseAddress } from '../../kernel/cidr.ts'
import type { Clock } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'

export interface PoolOptions {
  /** How many jobs run at the same time. */
  readonly concurrency: number
  /** How many may wait, over all clients. */
  readonly queue: number
  readonly clock: Clock
}

/** Bounded room for costly work, shared fairly between client addresses. */
export interface Pool {
  /**
   * Runs the work when its turn comes. Turns go round the addresses that wait, one job each.
   * @param client the client's address; '' for the server's own work
   * @param alone words: of two jobs with one in common the later waits for the earlier, and lets others go first meanwhile
   * @throws AppError HASHING_BUSY at once when there is no room, or later when the job had to make room
   */
  run<T>(client: string, work: () => Promise<T>, alone?: readonly string[]): Promise<T>
  /** Turns away what waits and what comes; resolves when nothing runs any more. */
  close(): Promise<void>
}

interface Job {
  readonly alone: readonly string[]
  start(): void
  refuse(error: AppError): void
}

/** What a job is taken to last before one was measured, and how much a new measurement counts. */
const FIRST_GUESS_MS = 500
const SMOOTHING = 0.2
const MAX_RETRY_AFTER = 60

export function createPool({ concurrency, queue, clock }: PoolOptions): Pool {
  /** Who waits, in the order of their turns. No list is empty. */
  const waiting = new Map<string, Job[]>()
  /** One address may hold half of the room: the other half is for everybody else. */
  const share = Math.max(1, Math.ceil(queue / 2))
  /** The words of what runs. */
  const busyWords = new Set<string>()
  let queued = 0
  let running = 0
  let meanMs = FIRST_GUESS_MS
  let closed = false
  let idle: (() => void) | undefined

  function busy(reason: string): AppError {
    const seconds = Math.ceil((((queued + running) / concurrency) * meanMs) / 1000)
    return new AppError(
      'HASHING_BUSY',
      { reason, queued, running },
      { retryAfter: Math.min(MAX_RETRY_AFTER, Math.max(1, seconds)) },
    )
  }

  /**
   * Makes room by turning away the newest job of whoever waits with most, if that is more than the newcomer's own would
   * be. Without it two addresses could fill the queue between them and shut everybody else out.
   */
  function makeRoom(own: number): boolean {
    let greediest: [string, Job[]] | undefined
    for (const entry of waiting) {
      if (entry[1].length > (greediest?.[1].length ?? own + 1)) greediest = entry
    }
    const displaced = greediest?.[1].pop()
    if (displaced === undefined) return false
    queued--
    displaced.refuse(busy('made room for another address'))
    return true
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
    for (const [key, jobs] of waiting) {
      const at = jobs.findIndex(mayRun)
      const [job] = at === -1 ? [] : jobs.splice(at, 1)
      if (job === undefined) continue
      waiting.delete(key)
      if (jobs.length > 0) waiting.set(key, jobs) // to the end of the round
      queued--
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

  return {
    async run(client, work, alone = []) {
      if (closed) throw busy('closing')
      // Whoever waits although there is room waits for a word, and nobody has to wait for them.
      if (running < concurrency && mayRun({ alone })) return occupy(work, alone)
      const key = fairnessKey(client)
      const own = waiting.get(key)?.length ?? 0
      if (own >= share) throw busy('this address has its share of the queue')
      if (queued >= queue && !makeRoom(own)) throw busy('the queue is full')
      return new Promise((resolve, reject) => {
        const job: Job = {
          alone,
          start: () => void occupy(work, alone).then(resolve, reject),
          refuse: reject,
        }
        const jobs = waiting.get(key)
        if (jobs === undefined) waiting.set(key, [job])
        else jobs.push(job)
        queued++
      })
    },
    async close() {
      closed = true
      for (const jobs of waiting.values()) for (const job of jobs) job.refuse(busy('closing'))
      waiting.clear()
      queued = 0
      if (running === 0) return
      await new Promise<void>((resolve) => {
        idle = resolve
      })
    },
  }
}

/** An IPv6 customer owns a /64: whoever has one address there has them all. */
function fairnessKey(client: string): string {
  const address = parseAddress(client)
  if (address === undefined) return client
  return address.version === 4 ? address.text : address.bytes.slice(0, 8).join('.')
}
