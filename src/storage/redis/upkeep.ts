import { setTimeout as sleep } from 'node:timers/promises'
import type { BaseLogger } from 'pino'
import type { Clock } from '../../kernel/clock.ts'
import { type Dialer, dismiss, type RedisClient } from './dial.ts'
import { explainFault, isPassing, RedisFault, toFault } from './fault.ts'

/** What one attempt to connect may take: sentinels and a TLS handshake are part of it. */
const ATTEMPT = 1000
/** Between the beginnings of two attempts: a call that comes in between waits for the next one. */
const GAP = 20
/** After a failed attempt that no call waits for. */
const RETRY = 100

type Listener = (client: RedisClient | undefined) => void

/** Keeps one connection up, and reports when it is lost and when there is another one. */
export interface Upkeep {
  /** The connection of now; undefined while there is none. */
  readonly client: RedisClient | undefined
  /** A connection from an attempt that began no earlier than this call. */
  connect(): Promise<RedisClient>
  /** Gives this connection up, if it is the one of now. */
  abandon(which: RedisClient, reason: string): void
  /** Gives up the connection of now, and what an attempt under way leads to. */
  abandonAll(reason: string): void
  onChange(listener: Listener): void
  close(): void
}

interface UpkeepOptions {
  readonly dialer: Dialer
  readonly log: Pick<BaseLogger, 'info' | 'warn'>
  readonly clock: Clock
}

export function createUpkeep({ dialer, log, clock }: UpkeepOptions): Upkeep {
  const outage = createOutage({ dialer, log, clock })
  const current = createCurrent()
  let dialing: Promise<RedisClient> | undefined
  const pace = createPace(clock)
  let retry: NodeJS.Timeout | undefined
  /** Counts what makes an attempt under way worthless: where it leads is not where it should. */
  let abandoned = 0
  let closed = false

  function down(fault: RedisFault): void {
    if (closed) return
    outage.began(fault)
    clearTimeout(retry)
    retry = setTimeout(() => void dial().catch(() => {}), RETRY).unref()
  }

  function abandon(which: RedisClient, reason: string): void {
    if (current.client !== which) return
    current.change(undefined)
    dismiss(which)
    down(new RedisFault('LOST', reason))
  }

  async function attempt(): Promise<RedisClient> {
    await pace()
    try {
      const before = abandoned
      const next = await dialer.dial(ATTEMPT)
      if (closed || before !== abandoned) {
        dismiss(next)
        throw closed ? stopping() : new RedisFault('LOST', 'another server is the master now')
      }
      next.once('end', () => abandon(next, 'the connection was closed'))
      outage.ended()
      current.change(next)
      return next
    } catch (error) {
      const fault = toFault(error)
      down(fault)
      throw fault
    }
  }

  function dial(): Promise<RedisClient> {
    if (closed) return Promise.reject(stopping())
    dialing ??= attempt().finally(() => {
      dialing = undefined
    })
    return dialing
  }

  return {
    get client() {
      return current.client
    },
    connect: () => (dialing === undefined ? dial() : dialing.catch(() => dial())),
    abandon,
    abandonAll(reason) {
      abandoned++
      if (current.client !== undefined) abandon(current.client, reason)
    },
    onChange: current.onChange,
    close() {
      closed = true
      clearTimeout(retry)
      const last = current.client
      current.change(undefined)
      if (last !== undefined) dismiss(last)
    },
  }
}

/** The connection of now, and who is told when it is another one. */
function createCurrent() {
  const listeners: Listener[] = []
  let client: RedisClient | undefined
  return {
    get client(): RedisClient | undefined {
      return client
    },
    change(next: RedisClient | undefined): void {
      client = next
      for (const listener of listeners) listener(next)
    },
    onChange(listener: Listener): void {
      listeners.push(listener)
      if (client !== undefined) listener(client)
    },
  }
}

/** Keeps attempts apart, by their beginnings. */
function createPace(clock: Clock): () => Promise<void> {
  let last = Number.NEGATIVE_INFINITY
  return async () => {
    const early = last + GAP - clock.monotonic()
    if (early > 0) await sleep(Math.min(early, GAP))
    last = clock.monotonic()
  }
}

/** Says once that Redis is away, once what the operator can do about it, and once that it is back. */
function createOutage({ dialer, log, clock }: UpkeepOptions) {
  let since: number | undefined
  /** The first reason is often only that the connection is gone; what the operator has to mend comes later. */
  let isExplained = false
  return {
    began(fault: RedisFault): void {
      if (since === undefined) {
        since = clock.monotonic()
        log.warn({ redis: dialer.address, reason: fault.message }, 'Redis is away')
      }
      if (isExplained || fault.code === 'LOST' || isPassing(fault)) return
      isExplained = true
      const { message, hint } = explainFault(fault, dialer.address)
      log.warn({ ...(hint !== undefined && { hint }) }, message)
    },
    ended(): void {
      if (since !== undefined) {
        const ms = Math.round(clock.monotonic() - since)
        log.info({ redis: dialer.address, ms }, 'Redis is back')
      }
      since = undefined
      isExplained = false
    },
  }
}

const stopping = (): RedisFault => new RedisFault('CLOSED', 'the server is stopping')
