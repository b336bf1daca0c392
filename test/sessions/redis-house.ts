import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { TestContext } from 'node:test'
import { createRedisStore, type SessionStore } from '../../src/features/sessions/index.ts'
import { type Clock, systemClock } from '../../src/kernel/clock.ts'
import { openRedis, type RedisConnection } from '../../src/storage/redis/index.ts'
import manifest from '../../src/storage/redis/manifest.ts'

/** The slice as it would be written. */
export function redisConfig(written: Readonly<Record<string, unknown>>) {
  const config = manifest.config['session.redis'].parse(written)
  assert.ok(config)
  return config
}

/** A store of its own in a Redis that others may use too: below a prefix that nobody else has. */
export async function openRedisStore(
  t: Pick<TestContext, 'after'>,
  written: Readonly<Record<string, unknown>>,
  {
    clock = systemClock,
    prefix = `t${randomBytes(6).toString('base64url')}:`,
    trusted,
    // As one whose secret was changed: then everything that a store can be asked is asked.
    moves = true,
  }: {
    readonly clock?: Clock
    readonly prefix?: string
    readonly trusted?: readonly string[] | undefined
    readonly moves?: boolean
  } = {},
): Promise<{ store: SessionStore; connection: RedisConnection; prefix: string; said: string[] }> {
  const said: string[] = []
  const say = (_: unknown, text?: string) => void said.push(text ?? String(_))
  const connection = await openRedis({
    config: redisConfig({ key_prefix: prefix, ...written }),
    trusted,
    log: { info: say, warn: say },
    clock,
    // What a busy machine takes is no outage.
    patience: 10_000,
  })
  t.after(() => connection.close())
  return { store: createRedisStore({ connection, clock, moves }), connection, prefix, said }
}
