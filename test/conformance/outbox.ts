/** What the outbox keeps to, whichever database it lies in. */
import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import type { Delivery, Timing } from '../../src/features/outbox/outbox.ts'
import { createOutbox } from '../../src/features/outbox/outbox.ts'
import type { Outcome } from '../../src/features/outbox/outcome.ts'
import { createOutboxStore } from '../../src/features/outbox/store.ts'
import { type Clock, type EpochMs, systemClock } from '../../src/kernel/clock.ts'
import { AppError } from '../../src/kernel/errors.ts'
import { createSealer } from '../../src/kernel/seal.ts'
import { Secret } from '../../src/kernel/secret.ts'
import type { Storage } from '../../src/storage/index.ts'
import { FakeClock } from '../support/clock.ts'
import { settlesWithin, until } from '../support/pace.ts'

const sealer = createSealer([new Secret('a key of the outbox, long enough')], 'storage')
const FAST: Partial<Timing> = {
  pauses: [20, 40],
  poll: 20,
  limit: 10_000,
  lease: 60_000,
  grace: 50,
}

const soon = (): EpochMs => (Date.now() + 600_000) as EpochMs // a number of milliseconds

/** One instance on this database. */
export async function startOutbox(
  t: Pick<TestContext, 'after'>,
  storage: Storage,
  deliver: Delivery,
  { timing = {}, clock = systemClock, key = sealer, parallel = 4 } = {} as {
    readonly parallel?: number
    readonly timing?: Partial<Timing>
    readonly clock?: Clock
    readonly key?: typeof sealer
  },
) {
  const said: { readonly msg: string; readonly fields: Record<string, unknown> }[] = []
  const say = (fields: unknown, msg?: string): void =>
    void said.push({
      msg: msg ?? String(fields),
      fields: typeof fields === 'object' ? { ...fields } : {},
    })
  const outbox = await createOutbox({
    ...{ storage, sealer: key, clock, channels: { mail: { deliver, parallel } } },
    log: { info: say, warn: say, error: say },
    timing: { ...FAST, ...timing },
  })
  t.after(() => outbox.close())
  const add = (payload: string, expiresAt = soon()) =>
    outbox.add({ channel: 'mail', kind: 'event', payload, expiresAt })
  return { outbox, add, said, has: (msg: RegExp) => said.some((one) => msg.test(one.msg)) }
}

/** Writes down what it delivers, and answers in turn; with the last answer from then on. */
export function recording(answers: readonly Outcome[] = [{ kind: 'sent' }]) {
  const delivered: { readonly payload: string; readonly id: string }[] = []
  const deliver: Delivery = async (payload, id) => {
    delivered.push({ payload, id })
    return answers[Math.min(delivered.length, answers.length) - 1] ?? { kind: 'sent' }
  }
  return { delivered, deliver, payloads: () => delivered.map(({ payload }) => payload) }
}

const failed: Outcome = { kind: 'failed', problem: 'it is away' }

/** @param open a database; called again with the same `name`, the same one by another connection where it has several */
export function outboxConformance(
  name: string,
  open: (t: TestContext, name: string) => Promise<Storage>,
): void {
  const empty = (storage: Storage) =>
    until('nothing waits', async () => (await createOutboxStore(storage).count('mail')) === 0)

  suite(`the outbox in ${name}`, () => {
    test('delivers what it is given and forgets it', async (t) => {
      const storage = await open(t, 'a')
      const { delivered, deliver, payloads } = recording()
      const { add } = await startOutbox(t, storage, deliver)
      for (const payload of ['one', 'two', 'three', 'four', 'five', 'six']) await add(payload)
      await empty(storage)
      assert.deepEqual(payloads().sort(), ['five', 'four', 'one', 'six', 'three', 'two'])
      assert.equal(new Set(delivered.map(({ id }) => id)).size, 6)
    })

    test('does not keep it readable', async (t) => {
      const storage = await open(t, 'b')
      const { add } = await startOutbox(t, storage, recording([failed]).deliver)
      await add('the code is ABCD2345')
      const rows = await (await storage.db())
        .$extendTables<{ outbox: Record<string, unknown> & { payload: Uint8Array } }>()
        .selectFrom('outbox')
        .selectAll()
        .execute()
      assert.equal(rows.length, 1)
      for (const value of Object.values(rows[0] ?? {})) {
        const bytes = value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(String(value))
        assert.ok(!bytes.includes('ABCD2345'))
      }
    })

    test('tries again, with the same id, until it is taken', async (t) => {
      const storage = await open(t, 'c')
      const { delivered, deliver } = recording([failed, failed, failed, { kind: 'sent' }])
      const { add, said } = await startOutbox(t, storage, deliver)
      await add('one')
      await empty(storage)
      assert.equal(delivered.length, 4)
      assert.equal(new Set(delivered.map(({ id }) => id)).size, 1)
      const lines = said.filter(({ msg }) => /tried again/.test(msg))
      assert.equal(lines.length, 1)
      assert.deepEqual(
        [lines[0]?.fields['problem'], lines[0]?.fields['attempt']],
        ['it is away', 1],
      )
    })

    test('gives up what is refused, and says so', async (t) => {
      const storage = await open(t, 'd')
      const { delivered, deliver } = recording([{ kind: 'refused', problem: 'no such user' }])
      const { add, has } = await startOutbox(t, storage, deliver)
      await add('one')
      await empty(storage)
      assert.equal(delivered.length, 1)
      assert.ok(has(/given up/))
    })

    test('drops what expired, and says so', async (t) => {
      const storage = await open(t, 'e')
      const { deliver } = recording([failed])
      const clock = new FakeClock()
      const { add, said } = await startOutbox(t, storage, deliver, { clock })
      // A number of milliseconds.
      await add('one', (clock.now() + 300_000) as EpochMs)
      await until('it was tried', () => said.length > 0)
      // Given back first: what is held is not dropped.
      await until('it is given back', async () => {
        const rows = (await storage.db()).$extendTables<{ outbox: { problem: string } }>()
        const row = await rows.selectFrom('outbox').select('problem').executeTakeFirst()
        return row?.problem === 'it is away'
      })
      clock.advance(400_000)
      await until(
        'it is dropped',
        async () => (await createOutboxStore(storage).count('mail')) === 0,
      )
      const [line] = said.filter(({ msg }) => /expired and was dropped/.test(msg))
      assert.equal(line?.fields['kind'], 'event')
      assert.equal(line?.fields['problem'], 'it is away')
    })

    test('waits for no delivery when it is given something', async (t) => {
      const storage = await open(t, 'f')
      const hanging: Delivery = (_payload, _id, signal) =>
        new Promise((resolve) => signal.addEventListener('abort', () => resolve(failed)))
      const { add } = await startOutbox(t, storage, hanging)
      assert.ok(
        await settlesWithin(5000, async () => {
          for (let count = 0; count < 8; count++) await add(`${count}`)
        }),
      )
    })

    test('keeps what was under way at the end for the next start', async (t) => {
      const storage = await open(t, 'g')
      const started = Promise.withResolvers<void>()
      const hanging: Delivery = (_payload, _id, signal) => {
        started.resolve()
        return new Promise((resolve) => signal.addEventListener('abort', () => resolve(failed)))
      }
      const first = await startOutbox(t, storage, hanging)
      await first.add('one')
      await started.promise
      await first.outbox.close()
      const { deliver, payloads } = recording()
      await startOutbox(t, storage, deliver)
      await empty(storage)
      assert.deepEqual(payloads(), ['one'])
    })

    test('two instances deliver each entry once', async (t) => {
      const [one, two] = [await open(t, 'h'), await open(t, 'h')]
      const { deliver, payloads } = recording()
      const slowly: Delivery = async (...args) => {
        await new Promise((resolve) => setImmediate(resolve))
        return deliver(...args)
      }
      const a = await startOutbox(t, one, slowly)
      const b = await startOutbox(t, two, slowly)
      const all = Array.from({ length: 60 }, (_, index) => `${index}`)
      await Promise.all(all.map((payload, index) => (index % 2 ? a : b).add(payload)))
      await empty(one)
      assert.deepEqual(
        payloads().sort((x, y) => Number(x) - Number(y)),
        all,
      )
    })

    test('what one caller claimed, no other gets until the claim ends', async (t) => {
      const [one, two] = [await open(t, 'i'), await open(t, 'i')].map((storage) =>
        createOutboxStore(storage),
      )
      if (one === undefined || two === undefined) return assert.fail()
      const at = (ms: number) => ms as EpochMs // a number of milliseconds
      const row = { id: 'x', channel: 'mail', kind: 'event', payload: Buffer.from('sealed') }
      await one.add([{ ...row, createdAt: at(1000), expiresAt: at(9000) }])
      const claim = (store: typeof one, holder: string, now: number) =>
        store.claim({ channel: 'mail', holder, now: at(now), until: at(now + 1000), limit: 4 })
      const both = await Promise.all([claim(one, 'A', 1000), claim(two, 'B', 1000)])
      assert.equal(both.flat().length, 1)
      const [winner, loser] = both[0]?.length === 1 ? (['A', 'B'] as const) : (['B', 'A'] as const)
      assert.deepEqual(await claim(two, loser, 1999), [])
      // The other one cannot take it away.
      await two.remove('x', loser)
      assert.equal(await one.count('mail'), 1)
      assert.equal((await claim(two, loser, 2000)).length, 1)
      // Nor can the first one, once its claim was taken over.
      await one.remove('x', winner)
      await one.postpone('x', winner, { nextAt: at(0), attempts: 9, problem: '' })
      assert.equal(await one.count('mail'), 1)
      assert.deepEqual(await one.dropExpired(at(2999), 9), [])
      // Held while it expires: not dropped before the claim ends.
      assert.equal((await two.dropExpired(at(9000), 9)).length, 1)
    })

    test('what another key sealed stays, and is named', async (t) => {
      const storage = await open(t, 'j')
      const other = createSealer([new Secret('another key of the outbox, long')], 'storage')
      const { deliver, payloads } = recording()
      const first = await startOutbox(t, storage, deliver, { key: other, timing: { poll: 1e6 } })
      await first.outbox.close()
      await first.add('one')
      const { said } = await startOutbox(t, storage, deliver)
      await until('it is said', () => said.length > 0)
      assert.match(String(said[0]?.fields['problem']), /storage\.encryption_key/)
      assert.deepEqual(payloads(), [])
      assert.equal(await createOutboxStore(storage).count('mail'), 1)
    })

    test('a key that no longer opens anything stops no process, and what waits stays', async (t) => {
      const storage = await open(t, 'l')
      // As the sealer of a server that runs while another one changes the key of their database.
      const key = {
        ...sealer,
        open: (): never => {
          throw new AppError('STORE_UNAVAILABLE', { problem: 'the key was changed' })
        },
      }
      const { deliver, payloads } = recording()
      const { add, said } = await startOutbox(t, storage, deliver, { key })
      await add('one')
      await until('it is said', () => said.length > 0)
      assert.match(String(said[0]?.fields['problem']), /the key was changed/)
      assert.deepEqual(payloads(), [])
      assert.equal(await createOutboxStore(storage).count('mail'), 1)
    })

    test('refuses what the database cannot take', async (t) => {
      const storage = await open(t, 'k')
      const broken: Storage = {
        ...storage,
        db: () => Promise.reject(new AppError('STORE_UNAVAILABLE')),
      }
      const { deliver } = recording()
      const dialect = { ...broken, dialect: 'postgres' as const }
      const { add, has } = await startOutbox(t, dialect, deliver)
      await assert.rejects(add('one'), { code: 'STORE_UNAVAILABLE' })
      await until('it is said', () => has(/cannot be read/))
    })
  })
}
