import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { OperatorError } from '../../src/kernel/operator-error.ts'
import { FakeClock } from '../support/clock.ts'
import { freePort } from '../support/nginx.ts'
import { until } from '../support/pace.ts'
import { folderWith } from '../support/program.ts'
import { startRedis, withoutRedis } from '../support/redis.ts'
import { makeCertificates } from '../support/redis-tls.ts'
import { openHouse } from './house.ts'
import { openRedisStore } from './redis-house.ts'

const skip = withoutRedis

/** Signs in, is known, and is forgotten when another node says so: all that a node needs of Redis. */
async function lives(
  t: TestContext,
  redis: Readonly<Record<string, unknown>>,
  trusted?: readonly string[],
): Promise<void> {
  const clock = new FakeClock()
  const written = { timeout: '500ms', ...redis }
  const here = await openRedisStore(t, written, { clock, trusted, prefix: 'vestibule:' })
  const there = await openRedisStore(t, written, { clock, trusted, prefix: 'vestibule:' })
  const a = openHouse(t, { store: here.store, clock })
  const b = openHouse(t, { store: there.store, clock, users: a.users })
  const { value, key } = await a.signIn('alice')
  // Without trust nothing is kept, and what is asked of Redis would be right by itself.
  await until('changes are told', () => there.link.trust.until !== 0)
  assert.equal(await b.who(value), 'alice')
  await a.sessions.revoke(key)
  await until('refused at the other', async () => (await b.who(value)) === undefined)
  assert.equal((await b.sessions.list('alice')).length, 0)
}

test('over a unix socket', { skip }, async (t) => {
  const socket = join(folderWith(t, {}), 'redis.sock')
  await startRedis(t, { args: ['--unixsocket', socket] })
  await lives(t, { host: socket })
})

test('over TLS, with a certificate of ours, and not without', { skip }, async (t) => {
  const folder = folderWith(t, {})
  const { authority, client } = makeCertificates(folder)
  const port = await freePort()
  const files = ['ca.pem', 'server.pem', 'server.key'].map((name) => join(folder, name))
  const [ca = '', cert = '', key = ''] = files
  await startRedis(t, {
    port: 0,
    args: [
      ...['--tls-port', `${port}`, '--tls-ca-cert-file', ca, '--tls-cert-file', cert],
      ...['--tls-key-file', key, '--tls-auth-clients', 'yes'],
    ],
  })
  const tls = { certificate_chain: client.certificate, private_key: client.key }
  await lives(t, { host: '127.0.0.1', port, tls }, [authority])
  await lives(t, { host: 'localhost', port, tls: { ...tls, minimum_version: 'TLS1.3' } }, [
    authority,
  ])
  const refused = async (
    config: Readonly<Record<string, unknown>>,
    trusted: readonly string[],
    says: RegExp,
  ) =>
    assert.rejects(lives(t, { host: '127.0.0.1', port, ...config }, trusted), (error) => {
      assert.ok(error instanceof OperatorError, String(error))
      assert.match(error.message, says)
      return true
    })
  await refused({ tls: {} }, [authority], /asks for a certificate of ours|broke the connection/)
  await refused({ tls }, [], /certificate that is not trusted/)
  await refused({ tls: { ...tls, server_name: 'redis.example.com' } }, [authority], /another name/)
  await refused({}, [authority], /broke the connection off|in time/)
})

test('as a user of its ACL who may do no more than the guide says', { skip }, async (t) => {
  const { port, client } = await startRedis(t)
  const guide = readFileSync(new URL('../../docs/guides/scaling.md', import.meta.url), 'utf8')
  const [, rules = ''] = /^ACL SETUSER vestibule ([^`]+)^```/m.exec(guide) ?? []
  const given = rules.trim().split(/\s+/)
  assert.ok(given.length > 10 && given.includes('>…'))
  await (await client()).call(
    'ACL',
    'SETUSER',
    'vestibule',
    ...given.map((rule) => (rule === '>…' ? '>a password of the ACL' : rule)),
  )
  await lives(t, {
    ...{ host: '127.0.0.1', port },
    ...{ username: 'vestibule', password: 'a password of the ACL' },
  })
})

test('with a password alone', { skip }, async (t) => {
  const { port } = await startRedis(t, { args: ['--requirepass', 'of the user default'] })
  await lives(t, { host: '127.0.0.1', port, password: 'of the user default' })
})

test('a place in an index that was lost is found again while the session is used', {
  skip,
}, async (t) => {
  const server = await startRedis(t)
  const clock = new FakeClock()
  const { store } = await openRedisStore(
    t,
    { host: '127.0.0.1', port: server.port },
    { clock, prefix: 'vestibule:', moves: false },
  )
  const house = openHouse(t, { store, clock })
  const { value, id } = await house.signIn('alice')
  const client = await server.client()
  await client.del(...(await client.keys('vestibule:[oi]:*')))
  assert.equal((await house.sessions.list('alice')).length, 0)
  const [row] = await store.list(undefined, 10)
  assert.ok(row)
  for (let round = 0; round < 8; round++) assert.deepEqual(await store.touch([row]), [])
  assert.deepEqual(
    (await house.sessions.list('alice')).map((one) => one.id),
    [id],
  )
  assert.equal(await house.who(value), 'alice')
  assert.deepEqual(await house.sessions.revokeById(id), [id])
  assert.equal(await house.who(value), undefined)
})

test('a session that is used at one node does not end at another that saw it long ago', {
  skip,
}, async (t) => {
  const { port } = await startRedis(t)
  const clock = new FakeClock()
  const open = () => openRedisStore(t, { host: '127.0.0.1', port }, { clock, prefix: 'vestibule:' })
  const [here, there] = [await open(), await open()]
  const a = openHouse(t, { store: here.store, clock })
  const b = openHouse(t, { store: there.store, clock, users: a.users })
  const { value } = await a.signIn('alice')
  const isTold = async () => {
    // Until each has had a sign of life at the time of now.
    while (!(here.link.trust.until > clock.now() && there.link.trust.until > clock.now()))
      await sleep(10)
  }
  await isTold()
  assert.equal(await b.who(value), 'alice')
  for (let minute = 0; minute < 12; minute += 4) {
    clock.advance(4 * 60_000)
    await isTold()
    assert.equal(await a.who(value), 'alice')
    await flush(a)
  }
  assert.equal(await b.who(value), 'alice', 'seen there twelve minutes ago, and here just now')
  clock.advance(5 * 60_000 + 1)
  await isTold()
  assert.equal(await b.who(value), undefined)
})

/** Writes last uses now: closing does, and a house goes on after it. */
const flush = (house: ReturnType<typeof openHouse>) => house.sessions.close()
