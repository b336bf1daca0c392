import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createSqliteStore, type SessionStore } from '../../src/features/sessions/index.ts'
import manifest from '../../src/features/sessions/manifest.ts'
import { openStorage, type Storage } from '../../src/storage/index.ts'

/** A store in a file of its own that is gone when the test is over. */
export async function openSqliteStore(
  t: TestContext,
): Promise<{ store: SessionStore; storage: Storage; path: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'vestibule-sessions-'))
  const path = join(folder, 'vestibule.sqlite3')
  const storage = await openStorage({ path, migrations: manifest.migrations, log: { info() {} } })
  t.after(async () => {
    await storage.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return { store: createSqliteStore(storage), storage, path }
}
