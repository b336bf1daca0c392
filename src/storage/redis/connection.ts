import { setTimeout as sleep } from 'node:timers/promises'
import type { BaseLogger } from 'pino'
import type { Clock } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import { type Dialer, dismiss, type RedisClient } from './dial.ts'
import { explainFault, isPassing, RedisFault, toFault } from './fault.ts'

/** What a request waits for Redis, connecting included. A verify has to be answered within 250 ms, with a 503 if need be. */
export const PATIENCE = 200
/** What one attempt to connect may take: sentinels and a TLS handshake are part of it. */
const ATTEMPT = 1000
/** Between the beginnings of two attempts: whoever asks in between waits for the next one. */
const GAP = 20
/** After a failed attempt that nobody waits for. */
const RETRY = 100
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

/**
 * One connection at a time, kept up. While there is none, every call waits for the one attempt that is under way, and not
 * longer than its patience: there is no queue. An attempt that began before the call may have met the fault that has just
 * been mended, so the call waits for one further attempt when that one fails: the first request after Redis is back
 * succeeds.
 */
export function createConnection({
  dialer,
  log,
  clock,
  patience: usual = PATIENCE,
}: {
  readonly dialer: Dialer
  readonly log: Pick<BaseLogger, 'info' | 'warn'>
  readonly clock: Clock
  /** Milliseconds, for calls that say nothing else. */
  readonly patience?: number | undefined
}): Connection {
  const listeners: ((client: RedisClient | undefined) => void)[] = []
  let client: RedisClient | undefined
  let dialing: Promise<RedisClient> | undefined
  let lastAttempt = Number.NEGATIVE_INFINITY
  let lostAt: number | undefined
  let retry: NodeJS.Timeout | undefined
  let underWay = 0
  /** When the connection last answered, as a count: whether anything came since a command was sent. */
  let answers = 0
  /** Counts what makes an attempt under way worthless: where it leads is not where it should. */
  let abandoned = 0
  let closed = false

  /** What somebody has to mend was said of this outage: the first reason is often only that the connection is gone. */
  let isExplained = false

  const down = (fault: RedisFault): void => {
    if (closed) return
    if (lostAt === undefined) {
      lostAt = clock.monotonic()
      log.warn({ redis: dialer.address, reason: fault.message }, 'Redis is away')
    }
    if (!isExplained && fault.code !== 'LOST' && !isPassing(fault)) {
      isExplained = true
      const { message, hint } = explainFault(fault, dialer.address)
      log.warn({ ...(hint !== undefined && { hint }) }, message)
    }
    clearTimeout(retry)
    retry = setTimeout(() => void dial().catch(() => {}), RETRY).unref()
  }

  const up = (next: RedisClient): void => {
    client = next
    next.once('end', () => abandon(next, 'the connection was closed'))
    if (lostAt !== undefined) {
      const ms = Math.round(clock.monotonic() - lostAt)
      log.info({ redis: dialer.address, ms }, 'Redis is back')
    }
    lostAt = undefined
    isExplained = false
    for (const listener of listeners) listener(next)
  }

  const attempt = async (): Promise<RedisClient> => {
    const early = lastAttempt + GAP - clock.monotonic()
    if (early > 0) await sleep(Math.min(early, GAP))
    lastAttempt = clock.monotonic()
    try {
      const before = abandoned
      const next = await dialer.dial(ATTEMPT)
      if (closed || before !== abandoned) {
        dismiss(next)
        throw closed
          ? new RedisFault('CLOSED', 'the server is stopping')
          : new RedisFault('LOST', 'another server is the master now')
      }
      up(next)
      return next
    } catch (error) {
      const fault = toFault(error)
      down(fault)
      throw fault
    }
  }

  const dial = (): Promise<RedisClient> => {
    if (closed) return Promise.reject(new RedisFault('CLOSED', 'the server is stopping'))
    dialing ??= attempt().finally(() => {
      dialing = undefined
    })
    return dialing
  }

  /** A connection from an attempt that began no earlier than this call. */
  const connect = (): Promise<RedisClient> =>
    dialing === undefined ? dial() : dialing.catch(() => dial())

  function abandon(which: RedisClient, reason: string): void {
    if (client !== which) return
    client = undefined
    for (const listener of listeners) listener(undefined)
    dismiss(which)
    down(new RedisFault('LOST', reason))
  }

  /** Nothing came since the command was sent: it is not the command that is slow. */
  const silent = (which: RedisClient): void => {
    // The nodes of a cluster come and go by themselves; only its map may be old.
    if ('nodes' in which) which.refreshSlotsCache()
    else abandon(which, `no answer within ${PATIENCE} ms`)
  }

  const perform = async <T>(
    work: (client: RedisClient) => Promise<T>,
    patience: number,
  ): Promise<T> => {
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
      const connected = client ?? Promise.race([connect(), late.promise])
      asked = connected instanceof Promise ? await connected : connected
      since = answers
      const result = await Promise.race([work(asked), late.promise])
      answers++
      return result
    } catch (error) {
      if (isReply(error)) answers++
      if (isDemoted(error) && asked !== undefined && !dialer.isCluster)
        abandon(asked, 'it is a replica now')
      throw error
    } finally {
      clearTimeout(timer)
      if (grace !== undefined) clearImmediate(grace)
    }
  }

  return {
    get client() {
      return client
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
    onChange(listener) {
      listeners.push(listener)
      if (client !== undefined) listener(client)
    },
    abandon(reason) {
      abandoned++
      if (client !== undefined) abandon(client, reason)
    },
    close() {
      closed = true
      clearTimeout(retry)
      const last = client
      client = undefined
      for (const listener of listeners) listener(undefined)
      if (last !== undefined) dismiss(last)
    },
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
