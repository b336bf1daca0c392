import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ownPaths } from '../../src/features.ts'
import { systemClock as clock } from '../../src/kernel/clock.ts'
import { OperatorError } from '../../src/kernel/operator-error.ts'
import { createLog } from '../../src/log/index.ts'
import { openServices } from '../../src/server/services.ts'
import { loadForStart } from '../../src/server/start-checks.ts'
import { Collector } from '../support/cli.ts'
import { configFor } from '../support/server.ts'
import { usersYaml } from '../support/users.ts'

async function setting(t: TestContext, more: Readonly<Record<string, unknown>> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'vestibule-services-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const data = join(folder, 'data')
  mkdirSync(data, { mode: 0o700 })
  writeFileSync(join(data, 'users.yml'), await usersYaml({ john: {} }), { mode: 0o600 })
  const file = join(folder, 'config.yml')
  writeFileSync(file, JSON.stringify(configFor(1, folder, more)), { mode: 0o600 })
  const loaded = await loadForStart({ files: [file], env: {}, cwd: folder })
  assert.ok(loaded.ok)
  const out = new Collector()
  const { log } = createLog(
    { level: 'info', format: 'text', filePath: undefined, keepStdout: false, pretty: false },
    out,
  )
  return { data, setting: { config: loaded.config, cwd: folder, clock, log } }
}

/** Files below a folder that this process has open. */
const openBelow = (folder: string): string[] =>
  readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`)
      return path.startsWith(folder) ? [path] : []
    } catch {
      // The descriptor of the listing itself.
      return []
    }
  })

test('a start that fails at its last part has closed all others, and the next start succeeds', async (t) => {
  const { data, setting: parts } = await setting(t)
  // The control socket is opened last.
  const inTheWay = join(data, 'control.sock')
  writeFileSync(inTheWay, '')
  await assert.rejects(
    () => openServices(parts),
    (error) =>
      error instanceof OperatorError && /is in the way of the control socket/.test(error.message),
  )
  assert.deepEqual(openBelow(data), [])

  rmSync(inTheWay)
  const server = await openServices(parts)
  assert.notDeepEqual(openBelow(data), [], 'the database is open')
  assert.ok(server.services.users.profile('john'))
  await server[Symbol.asyncDispose]()
  assert.deepEqual(openBelow(data), [])
})

test('a second server in the same data directory is refused, and the first one goes on', async (t) => {
  const { data, setting: parts } = await setting(t)
  await using first = await openServices(parts)
  const before = openBelow(data)
  await assert.rejects(() => openServices(parts), OperatorError)
  // SQLite keeps the second descriptor of the lock as long as this process holds the lock: closing it would lift it.
  assert.deepEqual(new Set(openBelow(data)), new Set(before))
  assert.ok(await first.services.users.profile('john'))
})

test('every path that a manifest declares is one at which something answers', async (t) => {
  // Without a notifier no password can be reset.
  const notifier = { filesystem: { filename: 'messages.txt' } }
  const { setting: parts } = await setting(t, { notifier })
  await using server = await openServices(parts)
  const routes = server.app.fastify.printRoutes({ commonPrefix: false })
  // Kept for what will be, and what only several cookie domains have.
  const reserved = ['/metrics', '/.well-known', '/hub']
  for (const path of ownPaths.filter((one) => !reserved.includes(one)))
    assert.match(routes, new RegExp(`^\\W*${path.slice(1)}\\b`, 'm'), path)
})
