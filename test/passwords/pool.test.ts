import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPool, type Pool } from '../../src/features/passwords/pool.ts'
import type { Reserved } from '../../src/features/passwords/waiting.ts'
import { AppError } from '../../src/kernel/errors.ts'
import { FakeClock } from '../support/clock.ts'

/** A pool whose jobs end when the test says so, and the order in which they began. */
function tray(options: { concurrency?: number; queue?: number }) {
  const clock = new FakeClock()
  const pool: Pool = createPool({ concurrency: 1, queue: 8, clock, ...options })
  const began: string[] = []
  const ends: (() => void)[] = []
  return {
    pool,
    clock,
    began,
    ask(client: string, name = client, reserved?: Reserved): Promise<string> {
      const work = async () => {
        began.push(name)
        await new Promise<void>((resolve) => {
          ends.push(resolve)
        })
        return name
      }
      return pool.run(client, work, { reserved })
    },
    /** Ends the oldest running job and lets the next one begin. */
    async end(): Promise<void> {
      ends.shift()?.()
      await new Promise(setImmediate)
    },
  }
}

async function refusal(promise: Promise<unknown>): Promise<AppError> {
  const error = await promise.then(
    () => assert.fail('was not refused'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof AppError)
  assert.equal(error.code, 'HASHING_BUSY')
  assert.equal(error.statusCode, 503)
  assert.ok(error.retryAfter !== undefined && Number.isInteger(error.retryAfter))
  assert.ok(error.retryAfter >= 1 && error.retryAfter <= 60)
  return error
}

test('never more than `concurrency` jobs run at the same time', async () => {
  const { ask, began, end } = tray({ concurrency: 3, queue: 100 })
  const all = Array.from({ length: 20 }, (_, i) => ask(`10.0.0.${i}`))
  assert.equal(began.length, 3)
  for (let i = 0; i < 20; i++) {
    await end()
    assert.equal(began.length, Math.min(20, 4 + i))
  }
  await Promise.all(all)
})

test('an address that floods does not make another wait for its whole flood', async () => {
  const { ask, began, end } = tray({ queue: 20 })
  const flood = Array.from({ length: 9 }, (_, i) => ask('192.0.2.1', `flood ${i}`))
  const one = ask('192.0.2.2', 'one')
  const two = ask('192.0.2.3', 'two')
  for (let i = 0; i < 12; i++) await end()
  await Promise.all([...flood, one, two])
  assert.deepEqual(began.slice(0, 5), ['flood 0', 'flood 1', 'one', 'two', 'flood 2'])
})

test('jobs of one address begin in the order in which they came', async () => {
  const { ask, began, end } = tray({ queue: 20 })
  const jobs = [1, 2, 3, 4].map((i) => ask('192.0.2.1', String(i)))
  for (const _ of jobs) await end()
  await Promise.all(jobs)
  assert.deepEqual(began, ['1', '2', '3', '4'])
})

test('one address holds at most half of the queue', async () => {
  const { ask, end } = tray({ queue: 8 })
  const held = Array.from({ length: 5 }, () => ask('192.0.2.1'))
  await refusal(ask('192.0.2.1'))
  await refusal(ask('::ffff:192.0.2.1'))
  const other = ask('192.0.2.2')
  for (let i = 0; i < 6; i++) await end()
  await Promise.all([...held, other])
})

test('the addresses of one IPv6 customer count as one', async () => {
  const { ask, end } = tray({ queue: 4 })
  const running = ask('2001:db8:1:2::1')
  const held = [ask('2001:db8:1:2::2'), ask('2001:db8:1:2:ffff::3')]
  await refusal(ask('2001:db8:1:2::4'))
  const other = ask('2001:db8:1:3::1')
  for (let i = 0; i < 4; i++) await end()
  await Promise.all([running, ...held, other])
})

test('a full queue refuses with HASHING_BUSY and a time to come back', async () => {
  const { ask, end } = tray({ queue: 2 })
  const jobs = ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((client) => ask(client))
  await refusal(ask('192.0.2.4'))
  for (let i = 0; i < 3; i++) await end()
  assert.equal((await Promise.all(jobs)).length, 3)
})

test('two addresses that fill the queue between them cannot shut a third one out', async () => {
  const { ask, began, end } = tray({ queue: 8 })
  const floods = ['a', 'b'].flatMap((name, i) =>
    Array.from({ length: 4 }, (_, n) => ask(`192.0.2.${i}`, `${name}${n}`)),
  )
  const extra = ask('192.0.2.0', 'a4')
  const results = Promise.allSettled([...floods, extra])
  const third = ask('192.0.2.9', 'third')
  for (let i = 0; i < 10; i++) await end()
  assert.equal(await third, 'third')
  assert.ok(began.indexOf('third') <= 3, began.join(' '))
  const lost = (await results).filter(({ status }) => status === 'rejected')
  assert.equal(lost.length, 1, 'exactly one job of the greediest made room')
})

test('the time to come back grows with what waits and with how long jobs last', async () => {
  const retryAfter = async (jobMs: number, queue: number): Promise<number> => {
    const { ask, end, clock } = tray({ queue })
    for (let i = 0; i < 30; i++) {
      const job = ask('192.0.2.1')
      clock.advance(jobMs)
      await end()
      await job
    }
    const jobs = Array.from({ length: queue + 1 }, (_, i) => ask(`192.0.2.${i}`))
    const { retryAfter: seconds } = await refusal(ask('198.51.100.1'))
    for (let i = 0; i <= queue; i++) await end()
    await Promise.all(jobs)
    return seconds ?? 0
  }
  const [quick, slow, long] = [
    await retryAfter(100, 10),
    await retryAfter(2000, 10),
    await retryAfter(2000, 20),
  ]
  assert.ok(quick < slow && slow < long, `${quick} ${slow} ${long}`)
})

test('a job that fails gives its slot back', async () => {
  const { pool } = tray({ concurrency: 1 })
  for (let i = 0; i < 3; i++)
    await assert.rejects(pool.run('192.0.2.1', () => Promise.reject(new Error('no memory'))))
  assert.equal(await pool.run('192.0.2.1', async () => 'ran'), 'ran')
})

test('closing turns away what waits and waits for what runs', async () => {
  const { pool, ask, end } = tray({ concurrency: 1 })
  const running = ask('192.0.2.1')
  const waiting = ask('192.0.2.2')
  const refused = refusal(waiting)
  let closed = false
  const closing = pool.close().then(() => {
    closed = true
  })
  await refused
  await refusal(ask('192.0.2.3'))
  assert.equal(closed, false)
  await end()
  await Promise.all([running, closing])
  assert.equal(closed, true)
})

test('of two jobs with a word in common the later waits, and lets others go first', async () => {
  const { pool, began, ends } = words(3)
  pool('192.0.2.1', 'first', ['john'])
  pool('192.0.2.2', 'second', ['john', 'device'])
  pool('192.0.2.3', 'third', ['bob'])
  pool('192.0.2.2', 'fourth', [])
  pool('192.0.2.4', 'fifth', ['device'])
  assert.deepEqual(began, ['first', 'third', 'fourth'])
  await ends('third')
  assert.deepEqual(began, ['first', 'third', 'fourth', 'fifth'])
  await ends('first')
  assert.equal(began.length, 4, 'its other word is still taken')
  await ends('fifth')
  assert.equal(began.at(-1), 'second')
})

test('a job that ends lets several go that waited for its word', async () => {
  const { pool, began, ends } = words(3)
  pool('192.0.2.1', 'both', ['john', 'bob'])
  pool('192.0.2.2', 'john', ['john'])
  pool('192.0.2.3', 'bob', ['bob'])
  assert.deepEqual(began, ['both'])
  await ends('both')
  assert.deepEqual(began, ['both', 'john', 'bob'])
})

/** A flood from fresh addresses that has filled the queue: nothing of it waits with more than one job. */
function flooded(options: { concurrency?: number; queue?: number } = {}) {
  const one = tray({ queue: 64, ...options })
  const strangers = Array.from({ length: 150 }, (_, i) => one.ask(`2001:db8:0:${i}::1`, 'stranger'))
  return { ...one, strangers: Promise.allSettled(strangers) }
}
const device = (user: string, id = `${user}'s`): Reserved => ({ user, device: id })

test('a flood from fresh addresses turns away no known device, and none waits for more than one stranger', async () => {
  const { ask, began, end, strangers } = flooded()
  for (let i = 0; i < 25; i++) {
    const before = began.length
    const known = ask('192.0.2.1', 'known', device('john'))
    await end()
    assert.deepEqual(began.slice(before), ['known'])
    await end()
    assert.equal(await known, 'known')
    await end()
  }
  for (let i = 0; i < 200; i++) await end()
  assert.equal((await strangers).filter(({ status }) => status === 'fulfilled').length, 65)
})

test('known devices leave strangers every fourth turn', async () => {
  const { ask, began, end } = flooded()
  for (let i = 0; i < 12; i++) void ask('192.0.2.1', 'known', device(`u${i}`)).catch(() => {})
  for (let i = 0; i < 10; i++) await end()
  assert.equal(began.slice(1, 9).join(' '), 'known known known stranger known known known stranger')
})

test('a device that floods fills its own share, and neither other devices of its user nor other users wait for it', async () => {
  const { ask, began, end } = flooded()
  const stolen = Array.from({ length: 20 }, () =>
    ask('198.51.100.1', 'stolen', device('john', 'stolen')).catch(() => 'refused'),
  )
  const own = ask('192.0.2.1', 'own', device('john', 'own'))
  const other = ask('192.0.2.2', 'other', device('bob'))
  for (let i = 0; i < 6; i++) await end()
  assert.deepEqual(began.slice(1, 6), ['stolen', 'other', 'stolen', 'stranger', 'own'])
  assert.deepEqual(await Promise.all([own, other]), ['own', 'other'])
  for (let i = 0; i < 200; i++) await end()
  const refused = (await Promise.all(stolen)).filter((answer) => answer === 'refused')
  // Two wait in the reserved room. One more finds room among the strangers: it displaces none of them.
  assert.ok(refused.length >= 17, String(refused.length))
})

test('a user with many devices does not fill the reserved room either', async () => {
  const { ask, end } = flooded({ queue: 8 })
  const many = Array.from({ length: 50 }, (_, i) =>
    ask('198.51.100.1', 'many', device('john', String(i))).catch(() => 'refused'),
  )
  const others = Array.from({ length: 3 }, (_, i) => ask(`192.0.2.${i}`, 'other', device(`u${i}`)))
  for (let i = 0; i < 80; i++) await end()
  assert.deepEqual(await Promise.all(others), ['other', 'other', 'other'])
  assert.ok((await Promise.all(many)).filter((answer) => answer === 'refused').length >= 43)
})

test('the server’s own work has room in a flood', async () => {
  const { ask, began, end } = flooded()
  const own = ask('', 'own')
  await end()
  assert.equal(began.at(-1), 'own')
  await end()
  assert.equal(await own, 'own')
})

/** A pool whose jobs have names and words, and end when they are told to. */
function words(concurrency: number) {
  const pool = createPool({ concurrency, queue: 20, clock: new FakeClock() })
  const began: string[] = []
  const running = new Map<string, () => void>()
  return {
    began,
    pool(client: string, name: string, alone: readonly string[]): void {
      const work = () => {
        began.push(name)
        return new Promise<void>((resolve) => void running.set(name, resolve))
      }
      void pool.run(client, work, { alone })
    },
    async ends(name: string): Promise<void> {
      running.get(name)?.()
      await new Promise(setImmediate)
    },
  }
}
