/**
 * The Redis client: one connection for everything that instances share.
 *
 * Owns: how Redis is reached (a server, a unix socket, TLS, sentinels, a cluster), that nothing waits long for it and
 * nothing piles up while it is away, and what is said of it when it cannot be used. Does not own keys: each feature that
 * keeps something here begins them with `prefix` and puts what belongs together under one hash tag, `{…}`.
 *
 * The library is loaded when a configuration uses it, and not before.
 */
import type { BaseLogger } from 'pino'
import type { Clock } from '../../kernel/clock.ts'
import { type Commits, createCommits } from './commits.ts'
import { createConnection, type RunOptions } from './connection.ts'
import { createDialer, dismiss, type RedisClient } from './dial.ts'
import type { RedisConfig } from './manifest.ts'
import { probe, untilItAnswers } from './probe.ts'
import { watchSentinels } from './sentinels.ts'
import { createTracking, type Trust, type Watcher } from './tracking.ts'

export type { RedisClient } from './dial.ts'

export interface RedisConnection {
  /** What every key of ours begins with: `vestibule:` unless configured. Holds no braces. */
  readonly prefix: string
  /** Where it is, for messages; without credentials. */
  readonly address: string
  /** Commands of several keys need them in one hash slot then: `${prefix}what:{${tag}}:…`. */
  readonly isCluster: boolean
  /**
   * Does something with Redis, for 200 ms at the most, connecting included (`patience` to change it). While Redis is
   * away all calls wait for the same attempt to reach it, so that the first call after it is back succeeds, and none
   * waits longer than its patience.
   *
   * What it gave up on may still happen in Redis: let it do no harm when it happens late, or twice.
   *
   * @param work gets a client of ioredis, another one after each loss of the connection: what is made from it (a
   * limiter, a script) belongs in a WeakMap by client. Called at most once.
   * @throws AppError STORE_UNAVAILABLE for whatever Redis or the network did; a refusal or a bug of `work` as it is
   */
  run<T>(work: (client: RedisClient) => Promise<T>, options?: RunOptions): Promise<T>
  /**
   * One command that writes; waits until a replica has it too, as `replica_acks` says. For what a failover must not undo.
   *
   * @param command its keys with a hash tag, all in one slot
   * @returns what it answers
   * @throws AppError STORE_UNAVAILABLE; what was written may be there all the same
   */
  readonly commit: Commits['commit']
  /**
   * Tells of every change below a prefix, of any process, so that what was read can be kept. What is kept counts only
   * while `trust.until` lies in the future; what was read while it does not must not be kept.
   *
   * @param prefix begins with `prefix`; no watched one begins with another
   */
  watch(prefix: string, watcher: Watcher): void
  readonly trust: Readonly<Trust>
  /** Whether it answers now. @throws AppError STORE_UNAVAILABLE */
  check(): Promise<void>
  /** Closes at once; what is under way fails. */
  close(): void
}

export interface RedisOptions {
  readonly config: RedisConfig
  /** Certificates that are trusted, all of them; undefined: Node's. */
  readonly trusted?: readonly string[] | undefined
  readonly log: Pick<BaseLogger, 'info' | 'warn'>
  readonly clock: Clock
  /** How long a call waits, connecting included, in milliseconds; 200 when undefined. */
  readonly patience?: number | undefined
}

/**
 * Connects, after a write and a read have shown that Redis can be used.
 * @throws OperatorError with what is wrong and what to do, after `config.timeout` when it may pass by itself, else at once
 */
export async function openRedis(options: RedisOptions): Promise<RedisConnection> {
  const { config, trusted, log, clock, patience } = options
  const { key_prefix: prefix } = config
  const dialer = createDialer(config, trusted)
  const connection = createConnection({ dialer, log, clock, patience })
  const check = async (options?: RunOptions) => {
    await connection.run((client) => client.get(`${prefix}probe:none`), options)
  }
  try {
    let isProven = false
    await untilItAnswers(dialer, config.timeout, async (left) => {
      if (!isProven) await probe(dialer, prefix, left)
      isProven = true
      // What a request waits is too short for the first connection: a busy machine would refuse to start.
      await check({ patience: left })
    })
  } catch (error) {
    connection.close()
    throw error
  }
  const commits = createCommits({
    connection,
    // What there is to say, the other one says.
    openWriter: () => createConnection({ dialer, log: { info() {}, warn() {} }, clock }),
    acks: config.replica_acks,
    log,
    clock,
  })
  const tracking = createTracking({ connection, dialer, prefix, log, clock })
  // What is read and what is written goes to the same server.
  connection.onChange((client) => {
    if (client === undefined) commits.abandon('the connection for reads was lost')
  })
  const sentinels = await dialer.openSentinels()
  watchSentinels(sentinels, dialer.group, () => {
    for (const one of [connection, commits]) one.abandon('another server is the master now')
  })
  return {
    prefix,
    address: dialer.address,
    isCluster: dialer.isCluster,
    run: connection.run,
    commit: commits.commit,
    watch: tracking.watch,
    trust: tracking.trust,
    check: () => check(),
    close() {
      for (const sentinel of sentinels) dismiss(sentinel)
      tracking.close()
      commits.close()
      connection.close()
    },
  }
}
