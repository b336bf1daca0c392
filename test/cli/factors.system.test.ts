/** `vestibule storage user totp` beside running servers, on both databases. */
import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { codeOf } from '../second-factor/totp-code.ts'
import { runCli } from '../support/cli.ts'
import { missingPostgres, startPostgres } from '../support/postgres.ts'
import { type RunningServer, signIn, startServer } from '../support/server.ts'
import { CHEAP, usersYaml } from '../support/users.ts'

/** Exports, resets, imports, and signs in with the code of the app as it was, all through the server's control socket. */
async function roundTrip(t: TestContext, config: Readonly<Record<string, unknown>>) {
  const folder = mkdtempSync(join(tmpdir(), 'vestibule-factors-cli-'))
  const users = await usersYaml({ john: {} })
  const server = await startServer(t, { config: { ...CHEAP, ...config }, users, folder })
  const ask = async (...argv: string[]) => {
    const { status, out, err } = await runCli(t, [...argv, '--config', server.configFile], {
      cwd: folder,
    })
    assert.equal(status, 0, err)
    return out
  }
  const totp = (...argv: string[]) => ask('storage', 'user', 'totp', ...argv)
  const [url = ''] = (await totp('generate', 'john')).split('\n')
  await totp('export', '--file', 'john.yml')
  assert.match(await ask('users', 'reset-factors', 'john'), /no second factor any more/)
  assert.equal(await shown(server, codeOf(url, Date.now())), 403)
  assert.match(await totp('import', 'john.yml'), /1 added, 0 replaced/)
  const code = codeOf(url, Date.now())
  assert.equal(await shown(server, code), 200)
  assert.equal(await shown(server, code), 403, 'a code is right once')
  assert.match(await totp('import', 'john.yml', '--force'), /0 added, 1 replaced/)
  assert.doesNotMatch(server.output(), new RegExp(new URL(url).searchParams.get('secret') ?? ''))
  assert.match(await ask('audit', 'list', '--user', 'john'), /factor\.exported/)
}

/** More users than one transaction locks one by one. */
async function many(t: TestContext, config: Readonly<Record<string, unknown>>) {
  const folder = mkdtempSync(join(tmpdir(), 'vestibule-factors-cli-'))
  const users = await usersYaml({ john: {} })
  const server = await startServer(t, { config: { ...CHEAP, ...config }, users, folder })
  const entries = Array.from({ length: 2500 }, (_, index) => ({
    created_at: '2026-01-01T00:00:00Z',
    username: `user${index}`,
    issuer: 'Example',
    algorithm: 'SHA1',
    digits: 6,
    period: 30,
    secret: Buffer.from('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ').toString('base64'),
  }))
  writeFileSync(join(folder, 'many.yml'), JSON.stringify({ totp_configurations: entries }))
  const argv = ['storage', 'user', 'totp', 'import', 'many.yml', '--config', server.configFile]
  const { out, err } = await runCli(t, argv, { cwd: folder })
  assert.match(out, /2500 added, 0 replaced/, err)
}

async function shown(server: RunningServer, token: string): Promise<number> {
  const host = `auth.vestibule.localhost:${server.port}`
  const cookie = await signIn(server.port, 'john')
  const { status } = await server.request('/api/secondfactor/totp', {
    method: 'POST',
    headers: { Host: host, Cookie: cookie, 'Content-Type': 'application/json' },
    body: JSON.stringify({ token }),
  })
  return status
}

test('a factor that was exported, reset and imported opens with its code: SQLite', (t) =>
  roundTrip(t, {}))

test('a factor that was exported, reset and imported opens with its code: PostgreSQL', {
  skip: missingPostgres,
}, async (t) => {
  const postgres = await startPostgres(t)
  await roundTrip(t, { storage: { postgres: await postgres.section() } })
  await many(t, { storage: { postgres: await postgres.section() } })
})
