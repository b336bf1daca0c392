/**
 * What is to leave, kept in the database until it left: mails, and whatever else may wait. Each instance delivers what it
 * can claim. A claim is a lease: it outlasts the longest delivery, so that no two instances deliver the same row, and it
 * ends by itself, so that a row of an instance that was killed is delivered by another one.
 */
import { randomUUID } from 'node:crypto'
import type { BaseLogger } from 'pino'
import type { Clock, EpochMs } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import { type Sealer, sealedPlace } from '../../kernel/seal.ts'
import type { Storage } from '../../storage/index.ts'
import type { Outcome } from './outcome.ts'
import { createOutboxStore, type Held, type OutboxStore } from './store.ts'

/** Delivers one payload. Never rejects; ends soon after `signal`. `id` is the same at every try. */
export type Delivery = (payload: string, id: string, signal: AbortSignal) => Promise<Outcome>

/** How what waits for one channel leaves. A receiver that is slow holds up its own channel alone. */
export interface Route {
  readonly deliver: Delivery
  /** At once, by one instance. With one, what the receiver takes leaves in order: by time, and then by id. */
  readonly parallel: number
}

export interface Entry {
  readonly channel: string
  /** The id that is told to the receiver. Added again while it waits, it counts once. A random one when left out. */
  readonly id?: string
  /** For the log. */
  readonly kind: string
  readonly payload: string
  readonly expiresAt: EpochMs
}

export interface Outbox {
  /**
   * Keeps them, all or none, and returns; they are delivered by themselves, as soon as possible.
   * @throws AppError STORE_UNAVAILABLE, also while more waits for the channel than may
   */
  add(...entries: readonly Entry[]): Promise<void>
  /** Gives what is under way a moment to end. The rest stays for the next start. */
  close(): Promise<void>
}

export interface OutboxOptions {
  readonly storage: Pick<Storage, 'db' | 'dialect'>
  readonly sealer: Sealer
  readonly clock: Clock
  readonly log: Pick<BaseLogger, 'info' | 'warn' | 'error'>
  readonly channels: Readonly<Record<string, Route>>
  readonly timing?: Partial<Timing>
}

/** Milliseconds. */
export interface Timing {
  /** Before the second try, the third, and so on; the last one is repeated until the entry expires. */
  readonly pauses: readonly number[]
  /** How often the database is asked for what another instance added or gave up. */
  readonly poll: number
  /** The longest that a delivery may take. */
  readonly limit: number
  /** How long a claim holds; more than `limit` by what the clocks of two instances may differ. */
  readonly lease: number
  /** What a shutdown gives deliveries that are under way. */
  readonly grace: number
}

const SECOND = 1000
const TIMING: Timing = {
  pauses: [5, 15, 60, 300, 900, 1800, 3600].map((seconds) => seconds * SECOND),
  poll: 5 * SECOND,
  limit: 120 * SECOND,
  lease: 300 * SECOND,
  grace: 1.5 * SECOND,
}
/** Of one channel. */
const MOST_WAITING = 10_000
const BATCH = 100

/** @throws AppError STORE_UNAVAILABLE */
export async function createOutbox(options: OutboxOptions): Promise<Outbox> {
  const { storage, sealer, clock, log, channels } = options
  const timing = { ...TIMING, ...options.timing }
  const store = createOutboxStore(storage)
  // The embedded file is this instance's alone: what is held there was held by one that was killed.
  if (storage.dialect === 'sqlite') await store.releaseAll()
  const postmen = new Map(
    Object.entries(channels).map(([channel, route]) => [
      channel,
      createPostman({ ...options, store, timing, channel, route }),
    ]),
  )
  return {
    async add(...entries) {
      const names = new Set(entries.map(({ channel }) => channel))
      for (const channel of names) {
        if (!postmen.has(channel)) throw new TypeError(`no channel ${channel}`)
        if ((await store.count(channel)) < MOST_WAITING) continue
        log.error({ channel }, 'too much waits in the outbox: a message was not taken')
        throw new AppError('STORE_UNAVAILABLE', { problem: 'too much waits in the outbox' })
      }
      const createdAt = clock.now()
      await store.add(
        entries.map(({ id = randomUUID(), payload, ...entry }) => ({
          ...{ ...entry, id, createdAt },
          payload: sealer.seal(Buffer.from(payload), placeOf(id)),
        })),
      )
      for (const channel of names) postmen.get(channel)?.wake()
    },
    async close() {
      await Promise.all([...postmen.values()].map((postman) => postman.close()))
    },
  }
}

const placeOf = (id: string): string => sealedPlace('outbox', 'payload', [id])

interface PostmanOptions extends OutboxOptions {
  readonly store: OutboxStore
  readonly timing: Timing
  readonly channel: string
  readonly route: Route
}

/** Claims and delivers what waits for one channel, a few at a time, when it is woken and now and then. */
function createPostman(options: PostmanOptions) {
  const { store, timing, clock, log, channel, route } = options
  const holder = randomUUID()
  const stop = new AbortController()
  const underWay = new Set<Promise<void>>()
  let closing = false
  let away = false
  let woken = false
  let working: Promise<void> | undefined

  const round = async (): Promise<void> => {
    const now = clock.now()
    for (const dropped of await store.dropExpired(now, BATCH))
      log.error({ ...dropped }, 'a message expired and was dropped')
    const limit = route.parallel - underWay.size
    if (limit <= 0 || closing) return
    // A time plus a duration is a time; arithmetic drops the brand.
    const until = (now + timing.lease) as EpochMs
    const claimedAt = clock.monotonic()
    for (const held of await store.claim({ channel, holder, now, until, limit })) {
      const delivery = deliver(held, {
        ...{ ...options, holder, claimedAt, stop: stop.signal, wakeIn },
      }).finally(() => {
        underWay.delete(delivery)
        wake()
      })
      underWay.add(delivery)
    }
  }

  const work = async (): Promise<void> => {
    while (woken && !closing) {
      woken = false
      try {
        await round()
        if (away) log.info('the outbox is read again')
        away = false
      } catch (error) {
        if (!away) log.error({ err: error }, 'the outbox cannot be read; messages wait')
        away = true
      }
    }
  }

  const wake = (): void => {
    woken = true
    working ??= work().finally(() => {
      working = undefined
      if (woken && !closing) wake()
    })
  }
  const wakeIn = (ms: number): void => void setTimeout(wake, Math.min(ms, timing.poll)).unref()
  const timer = setInterval(wake, timing.poll).unref()
  wake()

  return {
    wake,
    async close(): Promise<void> {
      closing = true
      clearInterval(timer)
      const last = setTimeout(() => stop.abort(), timing.grace)
      await working
      await Promise.all(underWay)
      clearTimeout(last)
      stop.abort()
    },
  }
}

interface DeliverOptions extends PostmanOptions {
  readonly holder: string
  /** On the monotonic clock. */
  readonly claimedAt: number
  readonly stop: AbortSignal
  readonly wakeIn: (ms: number) => void
}

/** One try of one row. Never rejects. */
async function deliver(held: Held, options: DeliverOptions): Promise<void> {
  const { store, timing, clock, log, channel, holder, stop, wakeIn } = options
  const { id, kind } = held
  const outcome = await attempt(held, options)
  const attempts = held.attempts + 1
  const problem = outcome.kind === 'sent' ? '' : outcome.problem
  const fields = { id, channel, kind, attempt: attempts, problem }
  if (outcome.kind !== 'failed') {
    if (outcome.kind === 'refused')
      log.error(fields, 'a message could not be delivered, and is given up')
    await insist(() => store.remove(id, holder), options)
    return
  }
  const stopped = stop.aborted
  const pause = stopped ? 0 : Math.max(pauseAfter(attempts, timing), outcome.retryAfter ?? 0)
  if (attempts === 1 && !stopped)
    log.warn(fields, 'a message could not be delivered; it is tried again')
  // A time plus a duration is a time; arithmetic drops the brand.
  const next = { nextAt: (clock.now() + pause) as EpochMs, attempts, problem }
  await insist(() => store.postpone(id, holder, next), options)
  wakeIn(pause)
}

async function attempt(
  { id, payload }: Held,
  { sealer, route, timing, clock, claimedAt, stop }: DeliverOptions,
): Promise<Outcome> {
  // The process stood still for so long that the claim could end while this is under way.
  if (clock.monotonic() - claimedAt > timing.lease - timing.limit)
    return { kind: 'failed', problem: 'it was held for too long' }
  try {
    // Throws when the key was changed while this instance runs.
    const plain = sealer.open(payload, placeOf(id))
    if (plain === undefined)
      // Not removed: another instance, or the next start, may have the right key. It expires.
      return { kind: 'failed', problem: 'it was sealed with another key (storage.encryption_key)' }
    return await route.deliver(
      plain.toString(),
      id,
      AbortSignal.any([stop, AbortSignal.timeout(timing.limit)]),
    )
  } catch (error) {
    // A bug of the channel must not stop the others.
    return { kind: 'failed', problem: problemOf(error) }
  }
}

function problemOf(error: unknown): string {
  const told = error instanceof AppError ? error.details['problem'] : undefined
  if (typeof told === 'string') return told
  return error instanceof Error ? error.message : String(error)
}

const pauseAfter = (attempts: number, { pauses }: Timing): number =>
  pauses[Math.min(attempts, pauses.length) - 1] ?? 0

/** What was delivered must not be delivered again because the database was away for a moment. */
async function insist(
  write: () => Promise<void>,
  { log, stop, timing }: DeliverOptions,
): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return await write()
    } catch (error) {
      if (tries === 0) log.error({ err: error }, 'what became of a message could not be stored')
      if (stop.aborted) return
      await new Promise((resolve) => setTimeout(resolve, Math.min(timing.poll, 1000)).unref())
    }
  }
}
