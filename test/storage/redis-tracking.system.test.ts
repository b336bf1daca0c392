import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../src/kernel/clock.ts'
import { openRedis } from '../../src/storage/redis/index.ts'
import manifest from '../../src/storage/redis/manifest.ts'
import { until } from '../support/pace.ts'
import { startRedis, withoutRedis } from '../support/redis.ts'
import { startRelay } from '../support/relay.ts'

test('a Redis that falls silent while it is to prove that it tells of changes is asked again, and ends no server', {
  skip: withoutRedis,
}, async (t) => {
  const { port } = await startRedis(t)
  const relay = await startRelay(t, port)
  const config = manifest.config['session.redis'].parse({ host: '127.0.0.1', port: relay.port })
  assert.ok(config)
  const lines: string[] = []
  const say = (_: unknown, text?: string) => void lines.push(text ?? '')
  const log = { info: say, warn: say }
  const connection = await openRedis({ config, log, clock: systemClock })
  t.after(() => connection.close())

  // The proof is a SET over the connection for commands, and nothing else is under way that would give that up.
  relay.silence('$3\r\nset\r\n')
  connection.watch(`${connection.prefix}a:`, { changed() {}, lost() {} })
  const given = 'Redis does not tell of changes: every request asks it until it does'
  await until('the line is given up', () => lines.includes(given))
  assert.equal(connection.trust.until, 0)
  relay.heal()
  await until('changes are told', () => connection.trust.until > systemClock.now())
})
