import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runCli, temporaryDirectory } from '../support/cli.ts'

const { version } = JSON.parse(readFileSync('package.json', 'utf8'))

test('version is a command too', async (t) => {
  assert.deepEqual(await runCli(t, ['version']), {
    status: 0,
    out: `vestibule ${version}\n`,
    err: '',
  })
})

test('a real bash completes commands, their commands and their options', async (t) => {
  const { out, status, err } = await runCli(t, ['completion', 'bash'])
  assert.deepEqual([status, err], [0, ''])
  const script = join(temporaryDirectory(t), 'completion.bash')
  writeFileSync(script, out)
  const complete = (...words: string[]): string[] => {
    const line = ['vestibule', ...words].map((word) => `'${word}'`).join(' ')
    const asked = spawnSync('bash', [
      '-c',
      `source '${script}'; COMP_WORDS=(${line}); COMP_CWORD=${words.length}; _vestibule; printf '%s\\n' "\${COMPREPLY[@]}"`,
    ])
    assert.equal(asked.stderr.toString(), '')
    return asked.stdout.toString().trim().split('\n')
  }
  assert.deepEqual(complete('ser'), ['serve'])
  assert.deepEqual(complete('bans', ''), ['list', 'add', 'lift', '--help'])
  assert.deepEqual(complete('--config', 'x.yml', 'crypto', 'rand', '--le'), ['--length'])
  assert.deepEqual(complete('storage', 'user', 'totp', 'export', 'c'), ['csv'])
  assert.deepEqual(complete('hash-password', '--salt-l'), ['--salt-length'])
})

test('every command is in the scripts of the other shells, and another shell is refused', async (t) => {
  const zsh = await runCli(t, ['completion', 'zsh'])
  const fish = await runCli(t, ['completion', 'fish'])
  for (const text of ['sessions revoke', 'proxy-config', 'doctor redis', 'completion']) {
    assert.ok(zsh.out.includes(`'${text}'`), text)
    assert.ok(fish.out.includes(`'${text}'`), text)
  }
  const refused = await runCli(t, ['completion', 'csh'])
  assert.deepEqual([refused.status, refused.out], [1, ''])
  assert.match(refused.err, /bash, zsh, fish/)
})
