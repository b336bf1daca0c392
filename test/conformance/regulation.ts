/** What regulation and known devices must do, whichever database keeps them. */
import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import { createBanRegistry } from '../../src/features/throttle/ban-registry.ts'
import type { Ban } from '../../src/features/throttle/bans.ts'
import { createDeviceStore } from '../../src/features/throttle/device-store.ts'
import { createRegulation } from '../../src/features/throttle/regulation.ts'
import { createRegulationStore } from '../../src/features/throttle/regulation-store.ts'
import type { EpochMs } from '../../src/kernel/clock.ts'
import { AppError } from '../../src/kernel/errors.ts'
import type { Storage } from '../../src/storage/index.ts'
import { FakeClock } from '../support/clock.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const CONFIG = {
  modes: ['user'],
  max_retries: 3,
  find_time: 2 * MINUTE,
  ban_time: 5 * MINUTE,
} as const

/** @param open gives as many nodes as it has, on one database that is new and migrated */
export function regulationConformance(
  name: string,
  open: (t: TestContext) => Promise<readonly Storage[]>,
): void {
  const start = async (t: TestContext, config: Partial<typeof BOTH> = {}) => {
    const clock = new FakeClock()
    const bans: Ban[] = []
    const nodes = (await open(t)).map((storage) => {
      const store = createRegulationStore(storage)
      const regulation = createRegulation({
        config: { ...CONFIG, ...config },
        store,
        clock,
        onBan: (ban) => void bans.push(ban),
      })
      return {
        store,
        regulation,
        desk: createBanRegistry({ store, clock }),
        devices: createDeviceStore(storage),
      }
    })
    const [first] = nodes
    assert.ok(first !== undefined)
    /** One attempt, from its admission to its end. */
    const attempt = async (
      right: boolean,
      {
        user = 'john',
        address = '192.0.2.1',
        device,
      }: { user?: string; address?: string; device?: string } = {},
      node = first,
    ): Promise<'banned' | 'right' | 'wrong'> => {
      const admission = await node.regulation.admit({ user, address, device })
      if (admission.kind === 'banned') return 'banned'
      await admission.settle(right)
      return right ? 'right' : 'wrong'
    }
    return { ...first, nodes, clock, bans, attempt }
  }
  const BOTH = { ...CONFIG, modes: ['user', 'ip'] as readonly ('user' | 'ip')[] }

  suite(`regulation (${name})`, () => {
    test('so many failures within the time ban the user for the time of a ban, wherever from', async (t) => {
      const { attempt, clock, bans, desk } = await start(t)
      assert.equal(await attempt(false), 'wrong')
      clock.advance(MINUTE)
      assert.equal(await attempt(false, { address: '192.0.2.2' }), 'wrong')
      assert.equal(await attempt(false, { address: '192.0.2.3' }), 'wrong')
      assert.equal(bans.length, 1)
      assert.equal(await attempt(true, { address: '192.0.2.4' }), 'banned')
      assert.equal(await attempt(true, { user: 'bob' }), 'right', 'and nobody else')
      const [ban] = await desk.list()
      assert.deepEqual(
        { kind: ban?.kind, name: ban?.name, source: ban?.source, until: ban?.expiresAt },
        { kind: 'user', name: 'john', source: 'regulation', until: clock.now() + 5 * MINUTE },
      )
      clock.advance(5 * MINUTE - 1)
      assert.equal(await attempt(true), 'banned')
      clock.advance(1)
      assert.equal(await attempt(false), 'wrong', 'and begins from nothing')
      assert.equal(await attempt(true), 'right')
      assert.deepEqual(await desk.list(), [])
    })

    test('failures that are further apart than the time ban nobody', async (t) => {
      const { attempt, clock } = await start(t)
      for (let i = 0; i < 9; i++) {
        assert.equal(await attempt(false), 'wrong')
        clock.advance(MINUTE + 1)
      }
    })

    test('a success takes back what the same person failed from there, and nothing of strangers', async (t) => {
      const { attempt } = await start(t)
      for (let i = 0; i < 4; i++) {
        assert.equal(await attempt(false), 'wrong')
        assert.equal(await attempt(false), 'wrong')
        assert.equal(await attempt(true), 'right')
      }
      assert.equal(await attempt(false, { address: '198.51.100.1' }), 'wrong')
      assert.equal(await attempt(false, { address: '198.51.100.1' }), 'wrong')
      assert.equal(await attempt(true), 'right')
      assert.equal(await attempt(false, { address: '198.51.100.2' }), 'wrong')
      assert.equal(await attempt(true), 'banned')
    })

    test('a thousand at once are held like a thousand in a row, on all nodes together', async (t) => {
      const { attempt, nodes, bans } = await start(t)
      const tried = await Promise.all(
        Array.from({ length: 1000 }, (_, i) =>
          attempt(false, { address: `198.51.100.${i % 250}` }, nodes[i % nodes.length]),
        ),
      )
      assert.equal(tried.filter((kind) => kind === 'wrong').length, 3)
      assert.equal(bans.length, 1)
      for (const node of nodes) assert.equal(await attempt(true, {}, node), 'banned')
    })

    test('an attempt that was counted and never ended is a failure', async (t) => {
      const { regulation, attempt } = await start(t)
      for (let i = 0; i < 3; i++)
        assert.equal(
          (await regulation.admit({ user: 'john', address: '192.0.2.1', device: undefined })).kind,
          'go',
        )
      assert.equal(await attempt(true), 'banned')
    })

    test('with the mode ip an address is banned, whatever names it tries, and no user', async (t) => {
      const { attempt } = await start(t, { modes: ['ip'] })
      for (const user of ['john', '', 'bob']) assert.equal(await attempt(false, { user }), 'wrong')
      assert.equal(await attempt(true, { user: 'alice' }), 'banned')
      assert.equal(await attempt(true, { user: 'john', address: '192.0.2.2' }), 'right')
    })

    test('a name that is nobody’s bans nobody and is not kept', async (t) => {
      const { attempt, desk, store, clock } = await start(t)
      for (let i = 0; i < 10; i++) assert.equal(await attempt(false, { user: '' }), 'wrong')
      assert.deepEqual(await desk.list(), [])
      assert.equal(await store.sweep((clock.now() + DAY) as EpochMs, clock.now() + DAY, 100), 0)
    })

    test('with max_retries 0 nobody is banned but by an operator', async (t) => {
      const { attempt, desk } = await start(t, { max_retries: 0 as never })
      for (let i = 0; i < 10; i++) assert.equal(await attempt(false), 'wrong')
      await desk.add({ kind: 'user', name: 'john', reason: '', duration: undefined, by: 'admin' })
      assert.equal(await attempt(true), 'banned')
    })

    test('a known device is not stopped by what strangers tried, and has bans of its own', async (t) => {
      const { attempt, desk } = await start(t, { modes: ['user', 'ip'] })
      const own = { device: 'laptop' }
      for (let i = 0; i < 4; i++) await attempt(false)
      assert.equal(await attempt(true), 'banned')
      assert.equal(await attempt(true, own), 'right')
      for (let i = 0; i < 3; i++) assert.equal(await attempt(false, own), 'wrong')
      assert.equal(await attempt(true, own), 'banned')
      assert.equal(await attempt(true, { device: 'phone' }), 'right')
      assert.deepEqual((await desk.list()).map(({ kind }) => kind).sort(), [
        'address',
        'device',
        'user',
      ])
    })

    test('a known device’s failures do not ban its user', async (t) => {
      const { attempt } = await start(t)
      for (let i = 0; i < 3; i++) await attempt(false, { device: 'laptop' })
      assert.equal(await attempt(true, { address: '198.51.100.9' }), 'right')
    })

    test('what an operator bans is banned for known devices too, until it is lifted or over', async (t) => {
      const { attempt, desk, clock } = await start(t)
      const user = await desk.add({
        kind: 'user',
        name: 'john',
        reason: 'gone',
        duration: DAY,
        by: 'admin',
      })
      assert.equal(await attempt(true, { device: 'laptop' }), 'banned')
      assert.deepEqual(await desk.list(), [user])
      assert.deepEqual(await desk.lift([user.id, 'nothing'], ''), [user])
      assert.deepEqual(await desk.lift([user.id], ''), [])
      assert.equal(await attempt(true), 'right')
      await desk.add({ kind: 'address', name: '192.0.2.1', reason: '', duration: DAY, by: '' })
      assert.equal(await attempt(true), 'banned')
      assert.equal(await attempt(true, { address: '192.0.2.2' }), 'right')
      clock.advance(DAY)
      assert.equal(await attempt(true), 'right')
      const forever = {
        kind: 'user',
        name: 'john',
        reason: '',
        duration: undefined,
        by: '',
      } as const
      await desk.add(forever)
      await desk.add(forever)
      assert.equal(
        (await desk.list()).length,
        1,
        'the later one stands in the place of the earlier',
      )
      clock.advance(10_000 * DAY)
      assert.equal(await attempt(true), 'banned')
      assert.equal((await desk.liftTarget({ kind: 'user', name: 'john', by: '' })).length, 1)
      assert.equal(await attempt(true), 'right')
    })

    test('a ban that is lifted does not come back with the next wrong password', async (t) => {
      const { attempt, desk } = await start(t, { modes: ['user', 'ip'] })
      for (let i = 0; i < 3; i++) await attempt(false)
      await desk.lift(
        (await desk.list()).map(({ id }) => id),
        '',
      )
      assert.equal(await attempt(false), 'wrong')
      assert.equal(await attempt(true), 'right')
    })

    test('IPv6 is banned by /64; networks and nonsense are not', async (t) => {
      const { desk } = await start(t)
      const add = (name: string, kind: 'user' | 'address' = 'address') =>
        desk.add({ kind, name, reason: '', duration: DAY, by: '' })
      assert.equal((await add('2001:db8:1:2:3::4')).name, '2001:db8:1:2::/64')
      assert.equal((await add('2001:db8:1:2::/64')).name, '2001:db8:1:2::/64')
      assert.equal((await add('192.0.2.7/32')).name, '192.0.2.7')
      const refused = (error: unknown) => error instanceof AppError && error.code === 'BAN_INVALID'
      for (const name of ['192.0.2.0/24', '2001:db8::/32', 'john', ''])
        await assert.rejects(add(name), refused, name)
      await assert.rejects(add('', 'user'), refused)
    })

    test('what is over is swept, and nothing else', async (t) => {
      const { attempt, desk, store, clock, devices } = await start(t)
      await attempt(false, { user: 'bob' })
      for (let i = 0; i < 3; i++) await attempt(false)
      await desk.add({ kind: 'user', name: 'eve', reason: '', duration: undefined, by: '' })
      assert.equal(await store.sweep(clock.now(), clock.now() - 2 * MINUTE, 100), 0)
      clock.advance(6 * MINUTE)
      assert.ok((await store.sweep(clock.now(), clock.now() - 2 * MINUTE, 3)) === 3)
      while ((await store.sweep(clock.now(), clock.now() - 2 * MINUTE, 3)) > 0);
      assert.equal((await desk.list()).length, 1)
      assert.equal(await devices.sweep(clock.now(), 100), 0)
    })
  })

  suite(`known devices (${name})`, () => {
    const token = (letter: string) => letter.repeat(43)
    const device = (clock: FakeClock, user = 'john') => ({
      user,
      address: '192.0.2.1',
      userAgent: 'Browser',
      lastSeen: clock.now(),
      expiresAt: (clock.now() + 90 * DAY) as EpochMs,
    })

    test('are known by their token for their time, and by no other', async (t) => {
      const { devices, clock } = await start(t)
      const { id, isNew } = await devices.remember(device(clock), token('a'), [])
      assert.equal(isNew, true)
      const [known] = await devices.recognise([token('b'), token('a')], clock.now())
      assert.deepEqual({ id: known?.id, user: known?.user }, { id, user: 'john' })
      assert.deepEqual(await devices.recognise([token('b')], clock.now()), [])
      assert.deepEqual(await devices.recognise([], clock.now()), [])
      clock.advance(90 * DAY)
      assert.deepEqual(await devices.recognise([token('a')], clock.now()), [])
      assert.equal(await devices.sweep(clock.now(), 100), 1)
    })

    test('stay the same device with a new token, and the old one is worth nothing', async (t) => {
      const { devices, clock } = await start(t)
      const first = await devices.remember(device(clock), token('a'), [])
      const again = await devices.remember(device(clock), token('b'), [token('a'), token('x')])
      assert.deepEqual(again, { id: first.id, isNew: false })
      assert.deepEqual(await devices.recognise([token('a')], clock.now()), [])
      assert.equal((await devices.recognise([token('b')], clock.now())).length, 1)
    })

    test('are shared by all who have signed in with them, and a planted token becomes nobody’s', async (t) => {
      const { devices, clock } = await start(t)
      await devices.remember(device(clock, 'eve'), token('e'), [])
      await devices.remember(device(clock, 'john'), token('j'), [token('e')])
      assert.deepEqual(await devices.recognise([token('e')], clock.now()), [])
      const users = (await devices.recognise([token('j')], clock.now())).map(({ user }) => user)
      assert.deepEqual(users.sort(), ['eve', 'john'])
    })

    test('are listed last used first, and removed one by one or all of a user', async (t) => {
      const { devices, clock } = await start(t)
      const one = await devices.remember(device(clock), token('a'), [])
      clock.advance(1000)
      const two = await devices.remember(device(clock), token('b'), [])
      await devices.remember(device(clock, 'bob'), token('c'), [])
      const ids = async () => (await devices.list('john', clock.now(), 10)).map(({ id }) => id)
      assert.deepEqual(await ids(), [two.id, one.id])
      assert.equal((await devices.list(undefined, clock.now(), 10)).length, 3)
      assert.equal((await devices.remove({ id: one.id, user: 'bob' })).length, 0, 'somebody else’s')
      assert.equal((await devices.remove({ id: one.id, user: 'john' })).length, 1)
      assert.deepEqual(await ids(), [two.id])
      assert.equal((await devices.remove({ user: 'john' })).length, 1)
      assert.equal((await devices.remove({})).length, 0)
      assert.equal((await devices.list(undefined, clock.now(), 10)).length, 1)
    })

    test('of one user are a hundred at most', async (t) => {
      const { devices, clock } = await start(t)
      for (let i = 0; i < 105; i++) {
        clock.advance(1)
        await devices.remember(device(clock), String(i).padStart(43, '0'), [])
      }
      assert.equal((await devices.list('john', clock.now(), 1000)).length, 100)
      assert.deepEqual(await devices.recognise(['4'.padStart(43, '0')], clock.now()), [])
      assert.equal((await devices.recognise(['5'.padStart(43, '0')], clock.now())).length, 1)
    })
  })
}
