/** What sealed values promise: their places, their check, and a change of their key, on every database. */
import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import { sealedPlace } from '../../src/kernel/seal.ts'
import { Secret } from '../../src/kernel/secret.ts'
import {
  changeKey,
  checkSealed,
  discardSealed,
  openSealer,
  type Storage,
  sealerOf,
  watchKey,
} from '../../src/storage/index.ts'
import { addBox, columns, dataIn, key, refusal, tables } from '../support/boxes.ts'

/** @param open opens a storage that is new and empty, migrated with `boxMigrations`; it is closed by itself */
export function sealedValuesConformance(
  name: string,
  open: (t: TestContext) => Promise<Storage>,
): void {
  suite(`sealed values (${name})`, () => {
    const broken = async (storage: Storage, letter: string) =>
      (await checkSealed(storage, sealerOf(key(letter)), columns)).flatMap(({ column, broken }) =>
        broken.map((row) => [column, ...row]),
      )
    /** A database of the key `a` with boxes of two users. */
    const filled = async (t: TestContext) => {
      const [data, storage] = [dataIn(t), await open(t)]
      const setting = { configured: key('a'), data, storage, columns }
      const sealer = await openSealer(setting)
      for (const owner of ['john', 'mary']) await addBox(storage, sealer, owner)
      await (await tables(storage))
        .insertInto('boxes')
        .values({ owner: 'ann', name: 'a', front: null, back: null })
        .execute()
      return { setting, storage, data, sealer }
    }
    const john = async (storage: Storage) =>
      (await tables(storage))
        .selectFrom('boxes')
        .selectAll()
        .where('owner', '=', 'john')
        .executeTakeFirstOrThrow()

    test('open where they were sealed, and a check says so', async (t) => {
      const { storage } = await filled(t)
      assert.deepEqual(await checkSealed(storage, sealerOf(key('a')), columns), [
        { table: 'storage_encryption', column: 'value', values: 1, broken: [] },
        { table: 'boxes', column: 'front', values: 2, broken: [] },
        { table: 'boxes', column: 'back', values: 2, broken: [] },
      ])
    })

    test('of another user, copied over by someone who may write to the database, do not open', async (t) => {
      const { storage } = await filled(t)
      const { front } = await john(storage)
      const db = await tables(storage)
      await db.updateTable('boxes').set({ front }).where('owner', '=', 'mary').execute()
      assert.deepEqual(await broken(storage, 'a'), [['front', 'mary', 'a']])
    })

    test('of a row that is copied under another key do not open', async (t) => {
      const { storage } = await filled(t)
      const db = await tables(storage)
      await db
        .insertInto('boxes')
        .values({ ...(await john(storage)), name: 'b' })
        .execute()
      assert.deepEqual(await broken(storage, 'a'), [
        ['front', 'john', 'b'],
        ['back', 'john', 'b'],
      ])
    })

    test('of two columns that are swapped do not open', async (t) => {
      const { storage } = await filled(t)
      const { front, back } = await john(storage)
      const db = await tables(storage)
      await db
        .updateTable('boxes')
        .set({ front: back, back: front })
        .where('owner', '=', 'john')
        .execute()
      assert.deepEqual(await broken(storage, 'a'), [
        ['front', 'john', 'a'],
        ['back', 'john', 'a'],
      ])
    })

    test('get a new key, all of them, and the old one opens nothing', async (t) => {
      const { setting, storage } = await filled(t)
      const changed = await changeKey(setting, { to: key('b') })
      assert.deepEqual(changed, { state: 'changed', values: 5, place: 'elsewhere' })
      assert.deepEqual(await broken(storage, 'b'), [])
      assert.equal((await broken(storage, 'a')).length, 5)
      await assert.rejects(openSealer(setting), refusal(/is not the key/))
      const sealer = await openSealer({ ...setting, configured: key('b') })
      const { front } = await john(storage)
      assert.equal(
        sealer.open(front ?? Buffer.of(), sealedPlace('boxes', 'front', ['john', 'a']))?.toString(),
        'front of john',
      )
    })

    test('are left alone by a server that still has the old key, which says so once', async (t) => {
      const { setting, storage, sealer } = await filled(t)
      const said: unknown[] = []
      const watch = watchKey({
        storage,
        sealer,
        log: { error: (text: unknown) => said.push(text) },
      })
      t.after(() => watch.close())
      await watch.check()
      watch.sealer.seal(Buffer.from('x'), 'place')
      await changeKey(setting, { to: key('b') })
      const isRefusal = { code: 'STORE_UNAVAILABLE' }
      await assert.rejects(watch.check(), isRefusal)
      await assert.rejects(watch.check(), isRefusal)
      assert.throws(() => watch.sealer.seal(Buffer.from('x'), 'place'), isRefusal)
      assert.throws(() => watch.sealer.open(Buffer.from('x'), 'place'), isRefusal)
      assert.match(said.join('|'), /^[^|]*was changed while this server runs[^|]*$/)
    })

    test('keep their key where one of them does not open', async (t) => {
      const { setting, storage } = await filled(t)
      const { front } = await john(storage)
      const db = await tables(storage)
      await db.updateTable('boxes').set({ back: front }).where('owner', '=', 'mary').execute()
      await assert.rejects(
        changeKey(setting, { to: key('b') }),
        refusal(/boxes\.back of owner "mary", name "a" does not open/, /nothing was changed/),
      )
      assert.deepEqual(await broken(storage, 'a'), [['back', 'mary', 'a']])
    })

    test('get the key that is configured meanwhile, from the one in the data directory', async (t) => {
      const [data, storage] = [dataIn(t), await open(t)]
      const setting = { configured: undefined, data, storage, columns }
      await addBox(storage, await openSealer(setting), 'john')
      const moved = { ...setting, configured: key('b') }
      const changed = await changeKey(moved, {})
      assert.deepEqual(changed, { state: 'changed', values: 3, place: 'configuration' })
      assert.deepEqual(await broken(storage, 'b'), [])
      assert.equal((await changeKey(moved, { to: key('b') })).state, 'unchanged')
    })

    test('get a new key in the data directory where none is configured', async (t) => {
      const [data, storage] = [dataIn(t), await open(t)]
      const setting = { configured: undefined, data, storage, columns }
      await addBox(storage, await openSealer(setting), 'john')
      const before = data.existing('encryption')?.reveal()
      const changed = await changeKey(setting, {})
      assert.deepEqual(changed, { state: 'changed', values: 3, place: 'data-directory' })
      assert.notEqual(data.existing('encryption')?.reveal(), before)
      assert.equal(data.existing('encryption.next'), undefined)
      await openSealer(setting)
    })

    test('are left alone by a key that is weak, wrong, or the present one', async (t) => {
      const { setting, storage } = await filled(t)
      await assert.rejects(changeKey(setting, {}), refusal(/is the key of the database already/))
      for (const weak of ['short', ` ${'b'.repeat(30)}`, `${'b'.repeat(30)}\nc`, 'b'.repeat(5000)])
        await assert.rejects(
          changeKey(setting, { to: new Secret(weak) }),
          refusal(/new encryption key cannot be used/),
        )
      await assert.rejects(
        changeKey(setting, { from: key('c'), to: key('b') }),
        refusal(/--encryption-key is not the key/),
      )
      assert.equal((await changeKey(setting, { to: key('a') })).state, 'unchanged')
      assert.deepEqual(await broken(storage, 'a'), [])
    })

    test('of a lost key can be discarded, and only those of a lost key', async (t) => {
      const { setting, storage } = await filled(t)
      await assert.rejects(discardSealed(setting), refusal(/the key of the database is there/))
      const db = await tables(storage)
      const check = await db.selectFrom('storage_encryption').selectAll().executeTakeFirstOrThrow()
      await db.deleteFrom('storage_encryption').execute()
      await assert.rejects(discardSealed(setting), refusal(/the key of the database is there/))
      await db.insertInto('storage_encryption').values(check).execute()
      const after = { ...setting, configured: key('b') }
      // Two boxes, each counted once: its row is gone with its first column.
      assert.equal(await discardSealed(after), 2)
      await openSealer(after)
      const left = await db.selectFrom('boxes').select('owner').execute()
      assert.deepEqual(
        left.map(({ owner }) => owner),
        ['ann'],
      )
    })

    test('get one key from two changes at the same moment', async (t) => {
      const { setting, storage } = await filled(t)
      const ends = await Promise.allSettled(
        ['b', 'c'].map((letter) => changeKey(setting, { to: key(letter) })),
      )
      assert.equal(ends.filter(({ status }) => status === 'fulfilled').length, 1)
      const winner = ends[0]?.status === 'fulfilled' ? 'b' : 'c'
      assert.deepEqual(await broken(storage, winner), [])
    })
  })
}
