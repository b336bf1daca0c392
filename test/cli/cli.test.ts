import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { runCli } from '../support/cli.ts'

test('the version is that of the package', async (t) => {
  const { version } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  )
  assert.deepEqual(await runCli(t, ['--version']), {
    status: 0,
    out: `vestibule ${version}\n`,
    err: '',
  })
})

test('what nobody understands is answered with one sentence on standard error and status 1', async (t) => {
  const lines: readonly (readonly [string, RegExp])[] = [
    ['srve', /unknown command 'srve' \(Did you mean serve\?\)/],
    ['crypto rnd', /unknown command 'rnd' \(Did you mean rand\?\)/],
    ['hash-password --quiett x', /unknown option '--quiett' \(Did you mean --quiet\?\)/],
    ['hash-password a b', /too many arguments/],
    ['serve extra', /too many arguments/],
    ['--bogus', /unknown option '--bogus'/],
    ['crypto rand -n many', /It takes a whole number/],
    ['crypto rand -n', /argument missing/],
  ]
  for (const [line, sentence] of lines) {
    const { status, out, err } = await runCli(t, line.split(' '))
    assert.equal(status, 1, line)
    assert.equal(out, '', line)
    assert.match(err, /^vestibule: [^\n]+\n$/, line)
    assert.match(err, sentence)
  }
})

test('help names every command, and the help of a command its options, whichever way it is asked for', async (t) => {
  const help = await runCli(t, ['--help'])
  assert.equal(help.status, 0)
  for (const name of ['serve', 'config', 'hash-password', 'crypto', 'sessions', 'healthcheck']) {
    assert.match(help.out, new RegExp(`^ {2}${name}\\b`, 'm'))
  }
  for (const argv of [
    ['help', 'hash-password'],
    ['hash-password', '--help'],
    ['hash-password', '-h'],
  ]) {
    const { status, out } = await runCli(t, argv)
    assert.equal(status, 0)
    assert.match(out, /--salt-length/)
  }
})
