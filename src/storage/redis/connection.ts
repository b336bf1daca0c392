import type { BaseLogger } from 'pino'
import type { Clock } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import type { Dialer, RedisClient } from './dial.ts'
import { RedisFault, toFault } from './fault.ts'
import { createUpkeep, type Upkeep } from './upkeep.ts'

/** What a request waits for Redis, connecting included. A verify has to be answered within 250 ms, with a 503 if need be. */
export const PATIENCE = 200
/** What may be under way at once; beyond that it is refused unasked. */
const MAX_UNDER_WAY = 10_000
/** Seconds, for `Retry-After`. */
const RETRY_AFTER = 2

export interface RunOptions {
  /** Milliseconds; 200 unless told. */
  readonly patience?: number
}

export interface Connection {
  run<T>(work: (client: RedisClient) => Promise<T>, options?: RunOptions): Promise<T>
  /** The connection of now; undefined while there is none. */
  readonly client: RedisClient | undefined
  /** Tells of every new connection and of every one that is lost; also of those before the first request. */
  onChange(listener: (client: RedisClient | undefined) => void): void
  /** Gives the connection of now up: it is not to be trusted any longer. */
  abandon(reason: string): void
  close(): void
}

interface ConnectionOptions {
  readonly dialer: Dialer
  readonly log: Pick<BaseLogger, 'info' | 'warn'>
  readonly clock: Clock
  /** Milliseconds, for calls that say nothing else. */
  readonly patience?: number | undefined
}

/**
 * One connection at a time, kept up. While there is none, every call waits for the one attempt that is under way, and not
 * longer than its patience: there is no queue. An attempt that began before the call may have met the fault that has just
 * been mended, so the call waits for one further attempt when that one fails: the first request after Redis is back
 * succeeds.
 */
export function createConnection(options: ConnectionOptions): Connection {
  const { patience: usual = PATIENCE } = options
  const upkeep = createUpkeep(options)
  const perform = createPerform(upkeep, options.dialer)
  let underWay = 0
  return {
    get client() {
      return upkeep.client
    },
    async run(work, { patience = usual } = {}) {
      if (underWay >= MAX_UNDER_WAY) throw unavailable(new RedisFault('BUSY', 'too much under way'))
      underWay++
      try {
        return await perform(work, patience)
      } catch (error) {
        if (error instanceof AppError || isOurBug(error)) throw error
        throw unavailable(toFault(error))
      } finally {
        underWay--
      }
    },
    onChange: upkeep.onChange,
    abandon: upkeep.abandonAll,
    close: upkeep.close,
  }
}

/** Carries out one piece of work on the connection of now, or on the next one, within its patience. */
function createPerform(upkeep: Upkeep, { isCluster }: Pick<Dialer, 'isCluster'>) {
  /** How often the connection answered: whether anything came since a command was sent. */
  let answers = 0

  /** Nothing came since the command was sent: it is not the command that is slow. */
  const silent = (which: RedisClient): void => {
    // The nodes of a cluster come and go by themselves; only its map may be old.
    if ('nodes' in which) which.refreshSlotsCache()
    else upkeep.abandon(which, `no answer within ${PATIENCE} ms`)
  }

  return async <T>(work: (client: RedisClient) => Promise<T>, patience: number): Promise<T> => {
    let asked: RedisClient | undefined
    let since = answers
    const late = Promise.withResolvers<never>()
    // Once more around the loop before it counts: if it was us who were late, the answer has been read by then.
    let grace: NodeJS.Immediate | undefined
    const timer = setTimeout(() => {
      grace = setImmediate(() => {
        late.reject(new RedisFault('LATE', `no answer within ${Math.round(patience)} ms`))
        if (asked !== undefined && since === answers) silent(asked)
      })
    }, patience)
    try {
      const connected = upkeep.client ?? Promise.race([upkeep.connect(), late.promise])
      asked = connected instanceof Promise ? await connected : connected
      since = answers
      const result = await Promise.race([work(asked), late.promise])
      answers++
      return result
    } catch (error) {
      if (isReply(error)) answers++
      if (isDemoted(error) && asked !== undefined && !isCluster)
        upkeep.abandon(asked, 'it is a replica now')
      throw error
    } finally {
      clearTimeout(timer)
      if (grace !== undefined) clearImmediate(grace)
    }
  }
}

const isOurBug = (error: unknown): boolean =>
  error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError

/** Redis said no, which is an answer too. */
const isReply = (error: unknown): boolean => error instanceof Error && error.name === 'ReplyError'

/** A failover made it a replica; what it still has may be old. */
const isDemoted = (error: unknown): boolean =>
  error instanceof Error && /^(READONLY|MASTERDOWN)\b/.test(error.message)

function unavailable(fault: RedisFault): AppError {
  return new AppError(
    'STORE_UNAVAILABLE',
    { store: 'redis', reason: fault.message },
    { cause: fault, retryAfter: RETRY_AFTER },
  )
}
