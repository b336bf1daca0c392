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

test('a group or user that a rule names and nobody is, is named with its place', async (t) => {
  const cwd = temporaryDirectory(t)
  const rules = `  rules:
    - {domain: a.example.com, policy: one_factor, subject: ['group:devs', 'user:alice']}
    - {domain: a.example.com, policy: one_factor, subject: [['user:eve', 'group:staff'], 'group:old']}
`
  const text = REST.replace('one_factor\n', `one_factor\n${rules}`)
  writeFileSync(join(cwd, 'c.yml'), text)
  const validate = () => runCli(t, ['config', 'validate', '-c', 'c.yml'], { cwd })
  assert.doesNotMatch((await validate()).out, /names the/, 'no users file yet')
  const digest = `$6$rounds=1000$abcdefgh$${'x'.repeat(85)}.`
  const user = (name: string, more: string) =>
    `  ${name}: {displayname: X, password: '${digest}', ${more}}\n`
  writeFileSync(
    join(cwd, 'users.yml'),
    `users:\n${user('alice', 'groups: [staff]')}${user('bob', 'groups: [old], disabled: true')}`,
  )
  const { status, out } = await validate()
  assert.equal(status, 0)
  assert.deepEqual(
    out.split('\n').filter((line) => line.includes('names the')),
    [
      'warning: c.yml:7:61 access_control.rules[0].subject[0]: names the group devs, which no user is in',
      'warning: c.yml:8:62 access_control.rules[1].subject[0][0]: names the user eve, who does not exist',
    ],
  )
  writeFileSync(join(cwd, 'users.yml'), 'users: {}\n')
  assert.doesNotMatch((await validate()).out, /names the/, 'its users are still to come')
})

test('what has no effect is printed beside the faults', async (t) => {
  const cwd = temporaryDirectory(t)
  writeFileSync(join(cwd, 'bad.yml'), `${BAD}duo_api: {hostname: x.example.com}\n`)
  const { err } = await runCli(t, ['config', 'validate', '-c', 'bad.yml'], { cwd })
  assert.match(err, /^warning: bad\.yml:\d+:1 duo_api: has no effect yet$/m)
  assert.match(err, /bad\.yml: 2 faults\.\n$/)
})

test('the filters that Authelia has are asked for as there', async (t) => {
  const cwd = temporaryDirectory(t)
  writeFileSync(join(cwd, 'c.yml'), `${REST}log: {file_path: '{{ env "X" }}'}\n`)
  const validate = ['config', 'validate', '-c', 'c.yml']
  const plain = await runCli(t, validate, { cwd })
  assert.equal(plain.status, 0)
  assert.match(plain.out, /log\.file_path: holds \{\{ … \}\}, and is read as it stands/)
  const filters = ['--config.experimental.filters', 'template']
  const asked = await runCli(t, [...filters, ...validate], { cwd })
  assert.match(asked.err, /log\.file_path: template filters \(\{\{ … \}\}\) are not supported/)
  assert.equal(asked.status, 1)
})
