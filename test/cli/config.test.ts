import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runCli, temporaryDirectory } from '../support/cli.ts'

const REST = `
session:
  cookies: [{ domain: example.com, portal_url: https://auth.example.com }]
access_control:
  default_policy: one_factor
authentication_backend:
  file: { path: users.yml }
`
const GOOD = `log:\n  level: debug\n${REST}`
const BAD = `log:\n  level: loud\n  formt: text\n${REST}`

test('a good configuration is called valid, with its revision', async (t) => {
  const cwd = temporaryDirectory(t)
  writeFileSync(join(cwd, 'good.yml'), GOOD)
  const { status, out, err } = await runCli(t, ['config', 'validate', '-c', 'good.yml'], { cwd })
  assert.deepEqual([status, err], [0, ''])
  assert.match(out, /good\.yml: valid/)
})

test('every fault is printed at once, and the status is 1', async (t) => {
  const cwd = temporaryDirectory(t)
  writeFileSync(join(cwd, 'bad.yml'), BAD)
  for (const argv of [
    ['config', 'validate', '--config', 'bad.yml'],
    ['--config', 'bad.yml', 'validate-config'],
  ]) {
    const { status, out, err } = await runCli(t, argv, { cwd })
    assert.deepEqual([status, out], [1, ''])
    assert.match(err, /bad\.yml:2:.*log\.level/)
    assert.match(err, /bad\.yml:3:.*log\.formt/)
    assert.doesNotMatch(err, /\n {4}at /)
  }
})

test('files come from --config, else from VESTIBULE_CONFIG, else ./config.yml, else the image’s, else nothing is needed', async (t) => {
  const cwd = temporaryDirectory(t)
  for (const name of ['a.yml', 'b.yml', 'c.yml']) writeFileSync(join(cwd, name), GOOD)
  const validated = async (argv: string[], env: Record<string, string> = {}) =>
    /^(.*): valid/m.exec((await runCli(t, [...argv, 'config', 'validate'], { cwd, env })).out)?.[1]
  const env = { VESTIBULE_CONFIG: 'c.yml, b.yml' }
  assert.match((await validated([])) ?? '', /embedded defaults/)
  assert.equal(await validated([], env), 'c.yml, b.yml')
  assert.equal(await validated(['-c', 'a.yml'], env), 'a.yml')
  assert.equal(await validated(['-c', 'a.yml,b.yml', '-c', 'c.yml']), 'a.yml, b.yml, c.yml')
  const image = { VESTIBULE_DEFAULT_CONFIG: 'a.yml' }
  assert.equal(await validated([], image), 'a.yml')
  assert.equal(await validated([], { ...image, ...env }), 'c.yml, b.yml')
  writeFileSync(join(cwd, 'config.yml'), GOOD)
  assert.equal(await validated([], image), 'config.yml')
  mkdirSync(join(cwd, 'empty'))
  assert.equal(await validated([], { VESTIBULE_CONFIG: '' }), 'config.yml')
})

test('the schema is printed as JSON', async (t) => {
  const { status, out, err } = await runCli(t, ['config', 'schema'])
  assert.deepEqual([status, err], [0, ''])
  assert.ok(JSON.parse(out).properties.log)
})
