/** A key change that is ended by kill -9 just before each of its steps loses nothing, on both databases. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openDataDirectory } from '../../src/files/data-directory.ts'
import { sealedPlace } from '../../src/kernel/seal.ts'
import { changeKey, checkSealed, openSealer, openStorage } from '../../src/storage/index.ts'
import { temporaryDirectory } from '../files/directory.ts'
import { addBox, boxMigrations, columns, tables } from '../support/boxes.ts'
import { missingPostgres, readSection, startPostgres } from '../support/postgres.ts'

const log = { info() {} }
const SCRIPT = new URL('../support/change-key.ts', import.meta.url).pathname
/** A change has fewer; a loop that finds no end is a mistake of the test. */
const MOST = 200

async function proof(t: TestContext, section: Readonly<Record<string, unknown>> | undefined) {
  const folder = temporaryDirectory(t)
  const data = openDataDirectory(join(folder, 'data'))
  const path = join(folder, 'vestibule.sqlite3')
  const open = () =>
    openStorage({
      path,
      postgres: section === undefined ? undefined : readSection(section),
      migrations: boxMigrations,
      log,
    })
  const owners = ['john', 'mary']
  {
    const storage = await open()
    const sealer = await openSealer({ configured: undefined, data, storage, columns })
    for (const owner of owners) await addBox(storage, sealer, owner)
    await storage.close()
  }
  /** Ends with every value open, by the key that a start finds. */
  const verify = async (step: number, resume: 'start' | 'change') => {
    const storage = await open()
    const setting = { configured: undefined, data, storage, columns }
    if (resume === 'change') await changeKey(setting, {})
    const sealer = await openSealer(setting)
    const reports = await checkSealed(storage, sealer, columns)
    assert.deepEqual(
      reports.map(({ values, broken }) => [values, broken.length]),
      [
        [1, 0],
        [2, 0],
        [2, 0],
      ],
      `killed before step ${step}`,
    )
    const rows = await (await tables(storage)).selectFrom('boxes').selectAll().execute()
    for (const { owner, name, front } of rows) {
      const plain = sealer.open(front ?? Buffer.of(), sealedPlace('boxes', 'front', [owner, name]))
      assert.equal(plain?.toString(), `front of ${owner}`, `killed before step ${step}`)
    }
    await storage.close()
  }
  const keys = new Set<string | undefined>()
  for (let step = 1; step < MOST; step++) {
    const { signal, stdout, stderr } = spawnSync(
      process.execPath,
      [SCRIPT, data.path, path, section === undefined ? '-' : JSON.stringify(section), `${step}`],
      // What each of them loads is compiled once.
      { encoding: 'utf8', env: { ...process.env, NODE_COMPILE_CACHE: join(folder, 'compiled') } },
    )
    await verify(step, step % 2 === 0 ? 'start' : 'change')
    keys.add(data.existing('encryption')?.reveal())
    if (signal === 'SIGKILL') continue
    assert.match(stdout, /^\d+ steps$/m, stderr)
    t.diagnostic(`${step - 1} kills, ${keys.size} keys`)
    assert.ok(step > 10, `${step} steps`)
    assert.ok(keys.size > 3)
    return
  }
  assert.fail(`a change takes more than ${MOST} steps`)
}

test('a change that is killed before each of its steps loses nothing (SQLite)', (t) =>
  proof(t, undefined))

test(
  'a change that is killed before each of its steps loses nothing (PostgreSQL)',
  {
    skip: missingPostgres,
  },
  async (t) => proof(t, await (await startPostgres(t)).section()),
)
