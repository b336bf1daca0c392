import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { suite, type TestContext, test } from 'node:test'
import secondFactor from '../../src/features/second-factor/manifest.ts'
import { createRecoveryCodes } from '../../src/features/second-factor/methods/recovery-codes.ts'
import { createTotp } from '../../src/features/second-factor/methods/totp.ts'
import { codeAt } from '../../src/features/second-factor/methods/totp-code.ts'
import { createTotpStore } from '../../src/features/second-factor/methods/totp-store.ts'
import { createFactorRegistry } from '../../src/features/second-factor/registry.ts'
import type { Tables } from '../../src/features/second-factor/tables.ts'
import { createWrongCodes } from '../../src/features/second-factor/wrong-codes.ts'
import { createMemoryOnce } from '../../src/features/sessions/index.ts'
import { AppError } from '../../src/kernel/errors.ts'
import { createSealer } from '../../src/kernel/seal.ts'
import { Secret } from '../../src/kernel/secret.ts'
import type { Storage } from '../../src/storage/index.ts'
import { secretOf } from '../second-factor/browser.ts'
import { FakeClock } from '../support/clock.ts'

const SESSION = { login: 'login', domain: 'example.com' }
const sealer = createSealer([new Secret('the encryption key of the tests')], 'storage')

/** What one node makes of a database. */
function node(storage: Storage, clock: FakeClock, key = sealer) {
  const store = createTotpStore(storage, key)
  const once = createMemoryOnce()
  const tools = { storage, sealer: key, clock, random: randomBytes }
  return {
    store,
    totp: createTotp({ config: secondFactor.config.totp.parse({}), store, once, ...tools }),
    codes: createRecoveryCodes(tools),
    wrong: createWrongCodes({ storage, clock }),
    registry: createFactorRegistry({ storage, clock }),
  }
}
type Node = ReturnType<typeof node>

async function enrol({ totp }: Node, clock: FakeClock, user = 'john') {
  const { secret } = await totp.begin(SESSION, user)
  const from = { secret: secretOf(secret), algorithm: 'SHA1', digits: 6, period: 30 } as const
  assert.equal(await totp.confirm(SESSION, user, await codeAt(from, clock.now())), true)
  clock.advance(30_000)
  return (at: number = clock.now()) => codeAt(from, at)
}

const limited = (error: unknown): boolean =>
  error instanceof AppError && error.code === 'SECOND_FACTOR_LIMITED'

/** What second factors keep in a database, with two nodes on it. */
export function secondFactorConformance(
  name: string,
  /** The storages of two nodes on one database. */
  open: (t: TestContext) => Promise<readonly [Storage, Storage]>,
  skip?: string,
): void {
  const start = async (t: TestContext) => {
    const [one, two] = await open(t)
    const clock = new FakeClock()
    return { clock, storage: one, nodes: [node(one, clock), node(two, clock)] as const }
  }

  suite(`second factors in ${name}`, { skip: skip ?? false }, () => {
    test('of many who show one code at once, on two nodes, one passes', async (t) => {
      const { clock, nodes } = await start(t)
      const codeOf = await enrol(nodes[0], clock)
      const code = await codeOf()
      const shown = await Promise.all(
        Array.from({ length: 20 }, (_, i) => nodes[i % 2 === 0 ? 0 : 1].totp.check('john', code)),
      )
      assert.equal(shown.filter((right) => right).length, 1)
      assert.equal(await nodes[1].totp.check('john', code), false)
      clock.advance(30_000)
      assert.equal(await nodes[1].totp.check('john', await codeOf()), true)
    })

    test('a code of the skew is used up as well', async (t) => {
      const { clock, nodes } = await start(t)
      const codeOf = await enrol(nodes[0], clock)
      const next = await codeOf(clock.now() + 30_000)
      assert.equal(await nodes[0].totp.check('john', next), true)
      clock.advance(30_000)
      assert.equal(await nodes[0].totp.check('john', next), false)
      await nodes[0].store.sweep(clock.now(), 100)
      assert.equal(await nodes[0].totp.check('john', next), false)
    })

    test('what is used up is forgotten when the clock refuses it anyway', async (t) => {
      const { clock, nodes } = await start(t)
      await enrol(nodes[0], clock)
      assert.equal(await nodes[0].store.sweep(clock.now(), 100), 0)
      clock.advance(60_000)
      // The clock of another node may be minutes behind: its code would be good once more there.
      assert.equal(await nodes[0].store.sweep(clock.now(), 100), 0)
      clock.advance(300_000)
      assert.equal(await nodes[0].store.sweep(clock.now(), 100), 1)
    })

    test('a secret that was removed or replaced has no codes', async (t) => {
      const { clock, nodes } = await start(t)
      const codeOf = await enrol(nodes[0], clock)
      const found = await nodes[0].store.find('john')
      assert.ok(found)
      const newer = await enrol(nodes[1], clock)
      assert.equal(await nodes[0].totp.check('john', await codeOf()), false)
      // Found before it was replaced, used after.
      const step = { step: 1, expiresAt: clock.now() }
      assert.equal(await nodes[0].store.use('john', found, step, clock.now()), false)
      assert.equal(await nodes[0].totp.check('john', await newer()), true)
      assert.equal(await nodes[1].totp.remove('john'), true)
      assert.equal(await nodes[0].totp.check('john', await newer()), false)
    })

    test('a secret of another user’s row, and one of another key, is an error and not a no', async (t) => {
      const { clock, storage, nodes } = await start(t)
      await enrol(nodes[0], clock)
      const db = (await storage.db()).$extendTables<Tables>()
      await db.updateTable('totp').set({ user_name: 'jane' }).execute()
      await assert.rejects(nodes[0].totp.check('jane', '123456'), AppError)
      const other = createSealer([new Secret('another encryption key of the tests')], 'storage')
      await db.updateTable('totp').set({ user_name: 'john' }).execute()
      await assert.rejects(node(storage, clock, other).totp.check('john', '123456'), AppError)
    })

    test('ten recovery codes of 80 bits, each good once, on two nodes at once', async (t) => {
      const { storage, nodes } = await start(t)
      const codes = await nodes[0].codes.generate('john')
      assert.equal(new Set(codes).size, 10)
      for (const code of codes)
        assert.match(code, /^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$/)
      const rows = await (await storage.db())
        .$extendTables<Tables>()
        .selectFrom('recovery_codes')
        .selectAll()
        .execute()
      const stored = JSON.stringify(rows)
      for (const code of codes) assert.ok(!stored.includes(code.replaceAll('-', '')))
      const [first = '', second = ''] = codes
      const used = await Promise.all(
        Array.from({ length: 10 }, (_, i) => nodes[i % 2 === 0 ? 0 : 1].codes.use('john', first)),
      )
      assert.deepEqual(
        used.filter((one) => one !== undefined),
        [{ remaining: 9 }],
      )
      const sloppy = ` ${second.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o')} `
      assert.deepEqual(await nodes[1].codes.use('john', sloppy), { remaining: 8 })
      assert.equal(await nodes[0].codes.use('jane', codes[2] ?? ''), undefined)
      assert.equal(await nodes[0].codes.use('john', ''), undefined)
      assert.equal(await nodes[0].codes.use('john', 'U'.repeat(16)), undefined)
      await nodes[1].codes.generate('john')
      assert.equal(await nodes[0].codes.use('john', codes[3] ?? ''), undefined)
      assert.equal((await nodes[0].codes.status('john'))?.remaining, 10)
      assert.equal(await nodes[0].codes.remove('john'), true)
      assert.equal(await nodes[0].codes.status('john'), undefined)
    })

    test('after five wrong codes a user has to wait, on all nodes, and a right one is not looked at', async (t) => {
      const { clock, nodes } = await start(t)
      let full = 0
      const attempt = (at: 0 | 1, right: boolean, user = 'john') =>
        nodes[at].wrong.attempt(
          user,
          async () => (right ? true : undefined),
          () => full++,
        )
      for (let i = 0; i < 5; i++) assert.equal(await attempt(i % 2 === 0 ? 0 : 1, false), undefined)
      assert.equal(full, 1)
      for (const wait of [30, 60, 120, 240, 480, 900, 900]) {
        await assert.rejects(attempt(1, true), (error) => {
          assert.ok(limited(error) && error instanceof AppError)
          assert.equal(error.retryAfter, wait)
          return true
        })
        assert.equal(await attempt(0, true, 'jane'), true)
        clock.advance(wait * 1000 - 1)
        await assert.rejects(attempt(0, true), limited)
        clock.advance(1)
        assert.equal(await attempt(0, false), undefined)
      }
      clock.advance(900_000)
      // Right: it gives back its own, and the count stays until a factor is shown.
      assert.equal(await attempt(0, true), true)
      assert.equal(await attempt(1, false), undefined)
      await assert.rejects(attempt(0, true), limited)
      await nodes[0].wrong.clear('john')
      assert.equal(await attempt(1, true), true)
      assert.equal(full, 1)
    })

    test('of many wrong codes at once, on two nodes, five are looked at', async (t) => {
      const { nodes } = await start(t)
      let looked = 0
      const answers = await Promise.allSettled(
        Array.from({ length: 30 }, (_, i) =>
          nodes[i % 2 === 0 ? 0 : 1].wrong.attempt(
            'john',
            async () => {
              looked++
              return undefined
            },
            () => {},
          ),
        ),
      )
      assert.equal(looked, 5)
      assert.equal(answers.filter(({ status }) => status === 'rejected').length, 25)
    })

    test('wrong codes are forgotten after a day without one', async (t) => {
      const { clock, nodes } = await start(t)
      const wrong = () =>
        nodes[0].wrong.attempt(
          'john',
          async () => undefined,
          () => {},
        )
      for (let i = 0; i < 5; i++) await wrong()
      clock.advance(86_400_000)
      for (let i = 0; i < 5; i++) await wrong()
      await assert.rejects(wrong(), limited)
    })

    test('a check that fails stays counted', async (t) => {
      const { nodes } = await start(t)
      const failing = () =>
        nodes[0].wrong.attempt(
          'john',
          () => Promise.reject(new Error('the database is away')),
          () => {},
        )
      for (let i = 0; i < 5; i++) await assert.rejects(failing(), /away/)
      await assert.rejects(failing(), limited)
    })

    test('all factors of one user are removed, and nothing of another', async (t) => {
      const { clock, nodes } = await start(t)
      for (const user of ['john', 'jane']) {
        await enrol(nodes[0], clock, user)
        await nodes[0].codes.generate(user)
      }
      assert.equal(await nodes[1].registry.removeAll('john'), 2)
      assert.equal(await nodes[0].totp.config('john'), undefined)
      assert.equal(await nodes[0].codes.status('john'), undefined)
      assert.notEqual(await nodes[0].totp.config('jane'), undefined)
      assert.equal((await nodes[0].codes.status('jane'))?.remaining, 10)
      assert.equal(await nodes[1].registry.removeAll('john'), 0)
    })
  })
}
