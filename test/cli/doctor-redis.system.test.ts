import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { runCli } from '../support/cli.ts'
import { freePort } from '../support/nginx.ts'
import { folderWith } from '../support/program.ts'
import { startRedis, withoutRedis } from '../support/redis.ts'
import { startRedisCluster } from '../support/redis-cluster.ts'
import { startSentinels } from '../support/sentinel.ts'

const skip = withoutRedis

/** What the doctor says of this `session.redis`. */
async function examine(t: TestContext, redis: Readonly<Record<string, unknown>>) {
  const folder = folderWith(t, {})
  const file = join(folder, 'config.yml')
  const session = {
    secret: 'a secret of the tests, long enough',
    cookies: [{ domain: 'example.com', portal_url: 'https://auth.example.com' }],
    redis,
  }
  writeFileSync(file, JSON.stringify({ session, access_control: { default_policy: 'one_factor' } }))
  return runCli(t, ['doctor', 'redis', '--config', file])
}

test('the doctor finds a Redis well, and says what there is to know', { skip }, async (t) => {
  const { port } = await startRedis(t)
  const { status, out, err } = await examine(t, { host: '127.0.0.1', port })
  assert.equal(status, 0, out + err)
  assert.match(out, /^ok {4}127\.0\.0\.1:\d+ answers \(without TLS, \d+ ms\)$/m)
  assert.match(out, /^ok .*a write, a read and a deletion/m)
  assert.match(out, /^ok .*version \d/m)
  assert.match(out, /^ok .*no replicas$/m)
  assert.match(out, /^note .*appendonly is off/m)
  assert.match(out, /^ok .*it tells of changes/m)
})

test('the doctor knows sentinels and clusters', { skip }, async (t) => {
  const [sentinels, cluster] = await Promise.all([startSentinels(t), startRedisCluster(t)])
  const one = await examine(t, sentinels.config)
  assert.equal(one.status, 0, one.out)
  assert.match(one.out, /mymaster \(sentinels/)
  assert.match(one.out, /one replica, replica_acks: warn/)
  const other = await examine(t, cluster.config)
  assert.equal(other.status, 0, other.out)
  assert.match(other.out, /a cluster: 3 masters, 0 replicas/)
})

test('the doctor says what is wrong, and ends with status 1', { skip }, async (t) => {
  const port = await freePort()
  const away = await examine(t, { host: '127.0.0.1', port, timeout: '300ms' })
  assert.equal(away.status, 1)
  assert.match(away.out, /^BAD {3}Redis at .* cannot be reached .*; is it running/m)

  const server = await startRedis(t)
  const admin = await server.client()
  const acl = ['on', '>of the user mute', '~*', '+@all']
  await admin.call('ACL', 'SETUSER', 'mute', ...acl, '-client|tracking')
  const mute = await examine(t, {
    ...{ host: '127.0.0.1', port: server.port },
    ...{ username: 'mute', password: 'of the user mute' },
  })
  assert.equal(mute.status, 1, mute.out)
  assert.match(mute.out, /^BAD .*does not tell of changes \(NOPERM/m)
  assert.doesNotMatch(mute.out, /of the user mute/)

  const none = await runCli(t, ['doctor', 'redis'])
  assert.equal(none.status, 1)
  assert.match(none.err, /there is no session\.redis/)
})
