import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { runCli, temporaryDirectory } from '../support/cli.ts'
import { configFor } from '../support/server.ts'

/** The keys of Authelia’s export; some of its UUIDs in upper case, as other tools write them. */
const AUTHELIA = `# yaml-language-server: $schema=https://www.authelia.com/schemas/v4.39/json-schema/exports.identifiers.json

identifiers:
  - service: 'openid'
    sector_id: ''
    username: 'john'
    identifier: 'A3EE2B9C-3B0B-4A8D-9D5A-8C0A0F0A5F01'
  - service: 'openid'
    sector_id: 'app.example.com'
    username: 'john'
    identifier: '0d6a6f0e-5d8f-4c2b-bb1a-1f3c1d2e3f40'
`

async function place(t: TestContext) {
  const cwd = temporaryDirectory(t)
  writeFileSync(join(cwd, 'config.yml'), JSON.stringify(configFor(9, cwd)))
  const up = await runCli(t, ['storage', 'migrate', 'up'], { cwd })
  assert.equal(up.status, 0, up.err)
  const ask = (...argv: string[]) => runCli(t, ['storage', 'user', 'identifiers', ...argv], { cwd })
  return { cwd, ask }
}

test('Authelia’s file is taken once, and a second time changes nothing', async (t) => {
  const { cwd, ask } = await place(t)
  writeFileSync(join(cwd, 'in.yml'), AUTHELIA)
  const first = await ask('import', 'in.yml')
  assert.equal(first.out, '2 of 2 identifiers are new and were added.\n', first.err)
  assert.match((await ask('import', 'in.yml')).out, /^0 of 2 /)
  const out = await ask('export')
  assert.match(out.out, /^2 identifiers are in /)
  const file = join(cwd, 'vestibule.export.opaque-identifiers.yml')
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.match(
    readFileSync(file, 'utf8'),
    /sector_id: ""\n +username: john\n +identifier: a3ee2b9c-/,
  )
  const again = await ask('export')
  assert.match(again.err, /exists already and was left alone/)
  assert.equal(again.status, 1)
  const other = await place(t)
  assert.match((await other.ask('import', file)).out, /^2 of 2 /)
})

test('one is added, or made; those of several users and sectors are made where they are missing', async (t) => {
  const { ask } = await place(t)
  const identifier = 'a3ee2b9c-3b0b-4a8d-9d5a-8c0a0f0a5f01'
  assert.equal((await ask('add', 'john', '--identifier', identifier)).out, `${identifier}\n`)
  assert.match((await ask('add', 'john')).err, /"john" has another identifier already/)
  assert.match((await ask('add', 'mary', '--identifier', identifier)).err, /another user already/)
  assert.match((await ask('add', 'mary', '--identifier', 'x')).err, /is no random UUID/)
  const users = ['--users', 'john,mary', '--users', 'ann']
  const made = await ask('generate', ...users)
  assert.match(made.out, new RegExp(`^openid +john +${identifier}$`, 'm'))
  assert.equal((await ask('generate', ...users)).out, made.out)
  const more = await ask('generate', '--users', 'john', '--sectors', 'a.example.com,b.example.com')
  assert.equal(more.out.trim().split('\n').length, 3)
  assert.match((await ask('generate', '--users', 'john', '--services', 'x')).err, /no service "x"/)
})
