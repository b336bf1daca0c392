/** Two nodes on one Redis and one PostgreSQL are one: for whoever guesses, and for whoever is banned. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { missingPostgres, startPostgres } from '../support/postgres.ts'
import { startRedis, withoutRedis } from '../support/redis.ts'
import { PASSWORD, type RunningServer, run, startServer } from '../support/server.ts'
import { CHEAP, usersYaml } from '../support/users.ts'

async function startNodes(t: TestContext, config: Readonly<Record<string, unknown>>) {
  const [redis, postgres] = await Promise.all([startRedis(t), startPostgres(t)])
  const users = await usersYaml({ john: {}, bob: {} })
  const section = await postgres.section()
  const node = () =>
    startServer(t, {
      users,
      config: {
        ...CHEAP,
        storage: { encryption_key: 'one key for the two nodes of this test', postgres: section },
        ...config,
      },
      env: {
        VESTIBULE_SESSION_REDIS_HOST: '127.0.0.1',
        VESTIBULE_SESSION_REDIS_PORT: String(redis.port),
        VESTIBULE_SESSION_SECRET: 'a secret of both nodes, long enough for a warning',
      },
    })
  // One after the other: the first migrates.
  return { redis, postgres, nodes: [await node(), await node()] as const }
}

async function attempt(server: RunningServer, password: string, client: string, username = 'john') {
  const { status } = await server.request('/api/firstfactor', {
    method: 'POST',
    headers: {
      Host: `auth.vestibule.localhost:${server.port}`,
      'Content-Type': 'application/json',
      'X-Forwarded-For': client,
    },
    body: JSON.stringify({ username, password }),
  })
  return status
}

const skip = withoutRedis ?? missingPostgres ?? false

test('two nodes share limits and bans', { skip }, async (t) => {
  const { nodes } = await startNodes(t, {
    failed_login_rate_limit: '2/hour',
    regulation: { max_retries: 3, find_time: '1h', ban_time: '1h' },
  })
  const [one, two] = nodes
  assert.equal(await attempt(one, 'wrong', '198.51.100.1'), 401)
  assert.equal(await attempt(two, 'wrong', '198.51.100.1'), 401)
  assert.equal(await attempt(one, PASSWORD, '198.51.100.1'), 429)
  assert.equal(await attempt(two, PASSWORD, '198.51.100.1'), 429)
  assert.equal(await attempt(two, PASSWORD, '198.51.100.2'), 200, 'not yet banned')
  assert.equal(await attempt(two, 'wrong', '198.51.100.3'), 401)
  assert.equal(await attempt(one, PASSWORD, '198.51.100.4'), 401, 'banned by what both counted')
  assert.equal(await attempt(two, PASSWORD, '198.51.100.4'), 401)
  assert.equal(await attempt(two, PASSWORD, '198.51.100.5', 'bob'), 200)
  const lift = run(['bans', 'lift', '--user', 'john', '-c', one.configFile], { folder: one.folder })
  assert.equal(await lift.ended, 0, lift.output())
  assert.equal(await attempt(two, PASSWORD, '198.51.100.6'), 200, 'lifted on one, lifted on both')
})

test('without Redis, or without PostgreSQL, nobody signs in, and nobody is let in uncounted', {
  skip,
}, async (t) => {
  const { redis, postgres, nodes } = await startNodes(t, { failed_login_rate_limit: '2/hour' })
  const [one] = nodes
  await redis.kill()
  assert.equal(await attempt(one, PASSWORD, '198.51.100.1'), 503)
  await redis.start()
  assert.equal(await attempt(one, PASSWORD, '198.51.100.1'), 200)
  await postgres.stop()
  assert.equal(await attempt(one, PASSWORD, '198.51.100.1'), 503)
  assert.equal(await attempt(one, 'wrong', '198.51.100.1'), 503)
})
