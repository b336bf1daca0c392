import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createSqliteStore } from '../../src/features/sessions/index.ts'
import manifest from '../../src/features/sessions/manifest.ts'
import { openStorage } from '../../src/storage/index.ts'
import { FakeClock } from '../support/clock.ts'
import { openHouse, Roster } from './house.ts'
import { openSqliteStore } from './sqlite-house.ts'

const PROGRAM = fileURLToPath(new URL('kill.ts', import.meta.url))
const ROUNDS = 10

/** Runs the program until it has said so many lines, kills it, and gives back what it said. */
async function runAndKill(path: string, round: number, lines: number): Promise<string[]> {
  const child = spawn(process.execPath, [PROGRAM, path, String(round)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.setEncoding('utf8')
  child.stdout.on('data', (text: string) => {
    said += text
    if (said.split('\n').length > lines) child.kill('SIGKILL')
  })
  const [code, signal] = await once(child, 'close')
  assert.equal(signal, 'SIGKILL', `it ended by itself (${code})`)
  // A line that was cut off was not said.
  return said.split('\n').slice(0, -1)
}

test('what was acknowledged before kill -9 is so after it: sessions alive, revoked ones dead', async (t) => {
  const { storage, path } = await openSqliteStore(t)
  await storage.close()
  const alive = new Map<string, string>()
  const dead = new Set<string>()
  // Everybody still exists: who is signed out is so because the session is gone.
  const users = new Roster()
  for (let round = 1; round <= ROUNDS; round++) {
    // The kill comes at another moment of the loop in each round.
    for (const line of await runAndKill(path, round, 20 + round * 7)) {
      const [sign = '', value = '', user = ''] = line.split(' ')
      if (sign === '+') {
        users.add(user)
        alive.set(value, user)
      }
      // What was to be revoked may be either until that was acknowledged.
      if (sign === '?') alive.delete(value)
      if (sign === '-') dead.add(value)
    }
    const again = await openStorage({ path, migrations: manifest.migrations, log: { info() {} } })
    const house = openHouse(t, {
      store: createSqliteStore(again),
      users,
      clock: new FakeClock(Date.now()),
    })
    for (const [value, user] of alive) assert.equal(await house.who(value), user)
    for (const value of dead) assert.equal(await house.who(value), undefined)
    const [integrity] = again.sqlite.prepare('pragma integrity_check').all()
    assert.deepEqual({ ...integrity }, { integrity_check: 'ok' })
    await house.sessions.close()
    await again.close()
  }
  assert.ok(alive.size > 100 && dead.size > 100, `${alive.size} alive, ${dead.size} dead`)
})
