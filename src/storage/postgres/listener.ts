/** What instances tell each other through PostgreSQL (LISTEN, NOTIFY), over one connection of its own per instance. */
import type pg from 'pg'
import type { BaseLogger } from 'pino'

/** One for all topics: the name of a channel is short, and the name of a schema may be long. */
export const CHANNEL = 'vestibule'
/** Milliseconds after which a connection that was lost is tried again. */
const AGAIN_AFTER = 1000
/** A server that went away without a word is noticed by a question that has no answer. Milliseconds. */
const ASK_EVERY = 15_000

export interface ListenerOptions {
  /** A connection that nothing else uses. */
  connect(): Promise<pg.PoolClient>
  readonly schema: string
  readonly log: Pick<BaseLogger, 'info'>
}

/** The text of a notice, as `notify` sends it. Schemas of one database share the channel. */
export const payloadOf = (schema: string, topic: string): string => JSON.stringify([schema, topic])

export type Listener = ReturnType<typeof createListener>

/** Connects when the first topic is listened to. What is told while it has no connection is not heard. */
export function createListener({ connect, schema, log }: ListenerOptions) {
  const topics = new Map<string, Set<() => void>>()
  let client: pg.PoolClient | undefined
  let timer: NodeJS.Timeout | undefined
  let opening: Promise<void> | undefined
  let closed = false

  const callAll = () => {
    for (const listeners of topics.values()) for (const listener of listeners) listener()
  }

  function lose(one: pg.PoolClient): void {
    if (client !== one) return
    client = undefined
    clearTimeout(timer)
    one.release(true)
    if (closed) return
    log.info({ store: 'postgres' }, 'the connection that hears other instances was lost')
    later(AGAIN_AFTER, start)
  }

  function later(after: number, work: () => void): void {
    timer = setTimeout(work, after)
    timer.unref()
  }

  function keepAsking(one: pg.PoolClient): void {
    later(ASK_EVERY, () => {
      one.query('select 1').then(
        () => {
          if (client === one) keepAsking(one)
        },
        () => lose(one),
      )
    })
  }

  async function open(): Promise<void> {
    const one = await connect()
    client = one
    one.on('notification', ({ payload }) => {
      for (const [topic, listeners] of topics)
        if (payload === payloadOf(schema, topic)) for (const listener of listeners) listener()
    })
    one.on('error', () => lose(one))
    one.on('end', () => lose(one))
    try {
      await one.query(`listen ${CHANNEL}`)
    } catch {
      lose(one)
      return
    }
    if (closed) return lose(one)
    keepAsking(one)
    // Before the connection was there, notices may have been missed.
    callAll()
  }

  function start(): void {
    if (closed) return
    opening = open()
      .catch(() => {
        if (!closed) later(AGAIN_AFTER, start)
      })
      .finally(() => {
        opening = undefined
      })
  }

  return {
    /**
     * Calls `listener` soon after a transaction that told of the topic was committed, on any instance, and after each new
     * connection. @returns what ends it
     */
    listen(topic: string, listener: () => void): () => void {
      const listeners = topics.get(topic) ?? new Set()
      topics.set(topic, listeners.add(listener))
      if (client === undefined && opening === undefined && timer === undefined) start()
      return () => listeners.delete(listener)
    },
    async close(): Promise<void> {
      closed = true
      clearTimeout(timer)
      await opening
      if (client !== undefined) lose(client)
    },
  }
}
