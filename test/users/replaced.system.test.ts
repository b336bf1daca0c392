import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { lockFile } from '../../src/files/file-lock.ts'
import { FIRST_PASSWORD, signIn, usersText, weaken } from '../drills/kill-house.ts'
import { freePort } from '../support/nginx.ts'
import { startServer } from '../support/server.ts'
import { CHEAP } from '../support/users.ts'
import { eventually, verdict } from '../support/verdict.ts'

/** A server whose user v0 has a weak digest, and what a test needs to stop it between two steps of replacing that. */
async function house(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'vestibule-replaced-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const port = await freePort()
  const usersFile = join(folder, 'data', 'users.yml')
  const start = (users?: string) =>
    startServer(t, { folder, port, config: CHEAP, users, keep: true })
  const first = await start(usersText(['v0']))
  await first.stop()
  await weaken(usersFile, ['v0'])
  const database = new DatabaseSync(join(folder, 'data', 'vestibule.sqlite3'))
  t.after(() => database.close())
  return {
    port,
    usersFile,
    start: () => start(),
    text: () => readFileSync(usersFile, 'utf8'),
    database,
    marks: () => database.prepare("select mark from password_marks where name = 'v0'").all().length,
    signIn: async () => {
      const value = await signIn(port, 'v0', FIRST_PASSWORD)
      assert.ok(value !== undefined)
      return `vestibule_session=${value}`
    },
    status: async (cookie: string) => (await verdict(port, cookie)).status,
  }
}

// The kill drill once took the first of these for a session that should have ended.
test('a kill before a digest was replaced, or just after it, ends no session, whichever of the two is in the file then', async (t) => {
  for (const moment of ['before', 'after'] as const) {
    const { start, usersFile, text, database, marks, ...at } = await house(t)
    const weak = text()
    const server = await start()
    const lock = lockFile(join(usersFile, '..', '.users.yml.lock'), usersFile)
    const cookie = await at.signIn()
    await eventually(marks, (count) => count === 2)
    assert.equal(text(), weak)
    if (moment === 'after') {
      // It can replace the file, and cannot say that it is done.
      database.exec('begin immediate')
      lock?.release()
      await eventually(text, (now) => now !== weak)
    }
    server.signal('SIGKILL')
    await server.ended
    if (moment === 'after') database.exec('rollback')
    else lock?.release()
    writeFileSync(usersFile, weak)
    const second = await start()
    assert.equal(await at.status(cookie), 200, moment)
    assert.equal(marks(), 1)
    await second.stop()
    // Of a digest that was never seen, nothing says that it is of the same password.
    await weaken(usersFile, ['v0'])
    const third = await start()
    assert.equal(await at.status(cookie), 401, moment)
    await third.stop()
  }
})
