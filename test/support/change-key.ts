/**
 * A process that changes the encryption key of a database of boxes (test/support/boxes.ts) and ends itself with
 * kill -9 just before its step of the given number. A step is a change of a file, or something said to a database.
 *
 * Arguments: data directory, SQLite file, section storage.postgres as JSON or `-`, number of the step, new key or `-`.
 */
import fs from 'node:fs'
import { flushCompileCache, syncBuiltinESMExports } from 'node:module'
import net from 'node:net'
import { DatabaseSync } from 'node:sqlite'
import { Secret } from '../../src/kernel/secret.ts'

const [folder = '', path = '', postgres = '-', last = '1', to = '-'] = process.argv.slice(2)
let armed = false
let steps = 0

/** Counts the calls of a method. */
function counted(owner: object, name: string): void {
  const original: unknown = Reflect.get(owner, name)
  if (typeof original !== 'function') throw new TypeError(`there is no ${name}`)
  Reflect.set(owner, name, function (this: unknown, ...given: unknown[]): unknown {
    if (armed && ++steps === Number(last)) process.kill(process.pid, 'SIGKILL')
    return Reflect.apply(original, this, given)
  })
}
for (const name of ['linkSync', 'renameSync', 'rmSync', 'writeFileSync', 'fsyncSync'])
  counted(fs, name)
for (const name of ['exec', 'prepare']) counted(DatabaseSync.prototype, name)
counted(net.Socket.prototype, 'write')
syncBuiltinESMExports()

const { openDataDirectory } = await import('../../src/files/data-directory.ts')
const { changeKey, openStorage } = await import('../../src/storage/index.ts')
const { boxMigrations, columns } = await import('./boxes.ts')
const { readSection } = await import('./postgres.ts')

const storage = await openStorage({
  path,
  postgres: postgres === '-' ? undefined : readSection(JSON.parse(postgres)),
  migrations: boxMigrations,
  log: { info() {} },
})
const data = openDataDirectory(folder)
// A process that is killed leaves none of what it compiled.
flushCompileCache()
armed = true
await changeKey(
  { configured: undefined, data, storage, columns },
  { to: to === '-' ? undefined : new Secret(to) },
)
armed = false
await storage.close()
fs.writeSync(1, `${steps} steps\n`)
