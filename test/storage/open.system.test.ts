import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Opens the storage in a process of its own; prints what it migrated and whether Kysely was loaded for it. */
const PROGRAM = `
  import { registerHooks } from 'node:module'
  let kysely = false
  registerHooks({ resolve(name, context, next) { if (name === 'kysely') kysely = true; return next(name, context) } })
  const { openStorage } = await import(${JSON.stringify(new URL('../../src/storage/index.ts', import.meta.url).href)})
  const slow = (n) => ({ up: async (db) => {
    await db.schema.createTable('t' + n).addColumn('a', 'text').execute()
    await new Promise((resolve) => setTimeout(resolve, 50))
  } })
  const done = []
  const storage = await openStorage({
    path: process.argv[1] + '/vestibule.sqlite3',
    migrations: { '0001_a': slow(1), '0002_b': slow(2), '0003_c': slow(3) },
    log: { info: ({ migration }) => done.push(migration) },
  })
  await storage.close()
  console.log(JSON.stringify({ done, kysely }))
`
const start = async (folder: string) => {
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', PROGRAM, folder])
  return JSON.parse(stdout)
}

test('processes that start at once migrate once, and a later start needs no Kysely', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'vestibule-start-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const starts = await Promise.all([start(folder), start(folder), start(folder)])
  assert.deepEqual(starts.flatMap(({ done }) => done).sort(), ['0001_a', '0002_b', '0003_c'])
  const sqlite = new DatabaseSync(join(folder, 'vestibule.sqlite3'))
  const { rows } = sqlite.prepare('select count(*) as rows from vestibule_migrations').get() ?? {}
  assert.equal(rows, 3)
  sqlite.close()
  const { done, kysely } = await start(folder)
  assert.deepEqual({ done, kysely }, { done: [], kysely: false })
})
