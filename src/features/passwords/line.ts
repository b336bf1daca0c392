import type { AppError } from '../../kernel/errors.ts'

/** Work that waits for a slot. */
export interface Job {
  /** Of two jobs with one in common, one runs at a time. */
  readonly lockKeys: readonly string[]
  start(): void
  refuse(error: AppError): void
}

/** Who a job belongs to. */
export interface Owner {
  /** Slots go round the owners. */
  readonly name: string
  /** An owner may have parts with a share each: the devices of a user. */
  readonly part?: string
}

export interface LineOptions {
  /** Jobs that may wait, over all owners. */
  readonly capacity: number
  /** Jobs of one owner that may wait. */
  readonly share: number
  /** Jobs of one part of an owner that may wait; as many as the owner's when undefined. */
  readonly partShare?: number
}

/** A waiting line of bounded length, shared fairly between the owners of what waits. */
export interface Line {
  readonly length: number
  /**
   * Lets a job wait. In a full line, the owner with the most jobs loses its newest one if it has more than the newcomer
   * would have. Without that two owners could fill the line between them and shut all others out.
   * @returns what lost its place, if something did; or why the job has no place
   */
  push(owner: Owner, job: Job): { readonly displaced: Job | undefined } | 'share' | 'full'
  /** The next job that may run: one of each owner in turn, each owner's in the order in which they came. */
  take(mayRun: (job: Job) => boolean): Job | undefined
  /** Empties the line. */
  drain(): readonly Job[]
}

interface Entry {
  readonly part: string | undefined
  readonly job: Job
}

export function createLine({ capacity, share, partShare = share }: LineOptions): Line {
  /** In the order in which they are served. No list is empty. */
  const owners = new Map<string, Entry[]>()
  let length = 0

  function displace(own: number): Job | undefined {
    let greediest: [string, Entry[]] | undefined
    for (const entry of owners) {
      if (entry[1].length > (greediest?.[1].length ?? own + 1)) greediest = entry
    }
    const displaced = greediest?.[1].pop()
    if (displaced !== undefined) length--
    return displaced?.job
  }

  return {
    get length() {
      return length
    },
    push({ name, part }, job) {
      const entries = owners.get(name)
      const own = entries?.length ?? 0
      const ofPart = entries?.filter((entry) => entry.part === part).length ?? 0
      if (own >= share || ofPart >= partShare) return 'share'
      const displaced = length >= capacity ? displace(own) : undefined
      if (length >= capacity) return 'full'
      if (entries === undefined) owners.set(name, [{ part, job }])
      else entries.push({ part, job })
      length++
      return { displaced }
    },
    take(mayRun) {
      for (const [name, entries] of owners) {
        const at = entries.findIndex(({ job }) => mayRun(job))
        const [entry] = at === -1 ? [] : entries.splice(at, 1)
        if (entry === undefined) continue
        owners.delete(name)
        if (entries.length > 0) owners.set(name, entries) // to the end of the round
        length--
        return entry.job
      }
      return undefined
    },
    drain() {
      const jobs = [...owners.values()].flat().map(({ job }) => job)
      owners.clear()
      length = 0
      return jobs
    },
  }
}
