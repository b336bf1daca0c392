import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { temporaryDirectory } from '../support/cli.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

test('the program prints, takes its password from a pipe, and ends with the status of its command', (t) => {
  const cwd = temporaryDirectory(t)
  const ran = spawnSync(
    process.execPath,
    [MAIN, 'hash-password', '-m', '1', '-i', '1', '-p', '1'],
    {
      cwd,
      input: 'secret\n',
      encoding: 'utf8',
    },
  )
  assert.equal(ran.stderr, '')
  assert.match(ran.stdout, /^Password hash: \$argon2id\$/)
  assert.equal(ran.status, 0)
  const refused = spawnSync(process.execPath, [MAIN, 'crypto', 'rand', '-n', '0'], {
    cwd,
    encoding: 'utf8',
  })
  assert.deepEqual([refused.status, refused.stdout], [1, ''])
  assert.match(refused.stderr, /^vestibule: [^\n]+\n$/)
})

test('a reader that goes away early is no crash', async (t) => {
  const child = spawn(process.execPath, [MAIN, 'crypto', 'rand', '-n', '65536'], {
    cwd: temporaryDirectory(t),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.stdout.destroy()
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    complaint += text
  })
  const [status] = await once(child, 'close')
  assert.deepEqual([status, complaint], [0, ''])
})
