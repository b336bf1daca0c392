/** Which encryption key a start takes, makes or refuses, whichever database the sealed values are in. */
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { suite, type TestContext, test } from 'node:test'
import { openSealer, type Storage } from '../../src/storage/index.ts'
import { addBox, columns, dataIn, key, refusal, tables } from '../support/boxes.ts'

/** @param open opens a storage that is new and empty, migrated with `boxMigrations`; it is closed by itself */
export function encryptionConformance(
  name: string,
  open: (t: TestContext) => Promise<Storage>,
): void {
  suite(`the encryption key (${name})`, () => {
    test('is made once in the data directory, and opens what it sealed at the next start', async (t) => {
      const [data, storage] = [dataIn(t), await open(t)]
      const setting = { configured: undefined, data, storage, columns }
      const sealed = (await openSealer(setting)).seal(Buffer.from('x'), 'place')
      assert.equal((await openSealer(setting)).open(sealed, 'place')?.toString(), 'x')
    })

    test('that is configured is used, and none is made', async (t) => {
      const [data, storage] = [dataIn(t), await open(t)]
      const setting = { configured: key('a'), data, storage, columns }
      const sealed = (await openSealer(setting)).seal(Buffer.from('x'), 'place')
      assert.equal(data.existing('encryption'), undefined)
      assert.equal((await openSealer(setting)).open(sealed, 'place')?.toString(), 'x')
    })

    test('that is another one is refused by name, and nothing is changed', async (t) => {
      const [data, storage] = [dataIn(t), await open(t)]
      const setting = { configured: key('a'), data, storage, columns }
      await openSealer(setting)
      await assert.rejects(
        openSealer({ ...setting, configured: key('b') }),
        refusal(/^storage\.encryption_key is not the key that/, /set storage\.encryption_key to/),
      )
      await openSealer(setting)
    })

    test('that is missing is not made anew: what it sealed would be lost', async (t) => {
      const [data, storage] = [dataIn(t), await open(t)]
      const setting = { configured: undefined, data, storage, columns }
      await openSealer(setting)
      rmSync(data.secretFile('encryption'))
      await assert.rejects(
        openSealer(setting),
        refusal(/sealed with a key that is not here/, /storage\.encryption_key/),
      )
      assert.equal(data.existing('encryption'), undefined)
    })

    test('of a second server that made its own is refused, with the setting that mends it', async (t) => {
      const storage = await open(t)
      const [first, second] = [dataIn(t), dataIn(t)]
      await openSealer({ configured: undefined, data: first, storage, columns })
      second.secret('encryption')
      await assert.rejects(
        openSealer({ configured: undefined, data: second, storage, columns }),
        refusal(/sealed with another key/, /set storage\.encryption_key/),
      )
      const shared = first.existing('encryption')
      await openSealer({ configured: shared, data: second, storage, columns })
    })

    test('is one for servers that start at the same moment', async (t) => {
      const storage = await open(t)
      const starts = await Promise.allSettled(
        [dataIn(t), dataIn(t), dataIn(t)].map((data) =>
          openSealer({ configured: undefined, data, storage, columns }),
        ),
      )
      assert.equal(starts.filter(({ status }) => status === 'fulfilled').length, 1)
    })

    test('is told where the data directory has the right one', async (t) => {
      const [data, storage] = [dataIn(t), await open(t)]
      await openSealer({ configured: undefined, data, storage, columns })
      await assert.rejects(
        openSealer({ configured: key('a'), data, storage, columns }),
        refusal(/storage\.encryption_key is not/, /secrets\/encryption has that key.*change-key/),
      )
    })

    test('is compared with the sealed values where the check value is gone', async (t) => {
      const [data, storage] = [dataIn(t), await open(t)]
      const setting = { configured: key('a'), data, storage, columns }
      await addBox(storage, await openSealer(setting), 'john')
      const db = await tables(storage)
      await db.deleteFrom('storage_encryption').execute()
      await assert.rejects(openSealer({ ...setting, configured: key('b') }), refusal(/is not the/))
      await assert.rejects(
        openSealer({ ...setting, configured: undefined }),
        refusal(/sealed with a key that is not here/),
      )
      assert.equal(data.existing('encryption'), undefined)
      await openSealer(setting)
    })

    test('is not accepted for a check value that was tampered with', async (t) => {
      const [data, storage] = [dataIn(t), await open(t)]
      const setting = { configured: key('a'), data, storage, columns }
      await openSealer(setting)
      const db = await tables(storage)
      await db
        .updateTable('storage_encryption')
        .set({ value: Buffer.alloc(60, 1) })
        .execute()
      await assert.rejects(openSealer(setting), refusal(/is not the key/))
    })
  })
}
