import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openDataDirectory } from '../../src/files/data-directory.ts'
import { OperatorError } from '../../src/kernel/operator-error.ts'
import { mode, temporaryDirectory } from './directory.ts'

/** The refusal's sentence and hint. */
function refused(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    assert.ok(error instanceof OperatorError, String(error))
    return `${error.message} ${error.hint}`
  }
  return assert.fail('was not refused')
}

test('the directory is made for its owner alone, and a secret in it too', (t) => {
  const path = join(temporaryDirectory(t), 'not', 'yet')
  const data = openDataDirectory(path)
  data.secret('session')
  assert.equal(mode(path), 0o700)
  assert.equal(mode(join(path, 'secrets')), 0o700)
  assert.equal(mode(join(path, 'secrets', 'session')), 0o600)
  assert.deepEqual(readdirSync(join(path, 'secrets')), ['session'])
})

test('a secret is random, long enough, its own for every name, and the same after a restart', (t) => {
  const path = join(temporaryDirectory(t), 'data')
  const first = openDataDirectory(path)
  const made = first.secret('session').reveal()
  assert.equal(Buffer.from(made, 'base64url').length, 32)
  assert.equal(Buffer.from(first.secret('jwt', 64).reveal(), 'base64url').length, 64)
  assert.notEqual(first.secret('storage').reveal(), made)
  assert.equal(openDataDirectory(path).secret('session').reveal(), made)
})

test('a secret that cannot be used is refused and left as it is, never made anew', (t) => {
  const path = temporaryDirectory(t)
  chmodSync(path, 0o700)
  const data = openDataDirectory(path)
  data.secret('good')
  const file = (name: string) => join(path, 'secrets', name)

  for (const [name, content, problem] of [
    ['empty', '', /holds fewer than/],
    ['short', 'abc\n', /holds fewer than/],
    ['long', 'x'.repeat(5000), /longer than/],
  ] as const) {
    writeFileSync(file(name), content, { mode: 0o600 })
    assert.match(
      refused(() => data.secret(name)),
      problem,
    )
    assert.equal(readFileSync(file(name), 'utf8'), content)
  }
  chmodSync(file('good'), 0o640)
  assert.match(
    refused(() => data.secret('good')),
    /open to other users.*chmod 600/,
  )
  symlinkSync(file('empty'), file('link'))
  assert.match(
    refused(() => data.secret('link')),
    /cannot be read \(ELOOP\).*restore it/,
  )
  mkdirSync(file('directory'))
  assert.match(
    refused(() => data.secret('directory')),
    /is no file/,
  )
})

test('a refusal about a secret does not show it', (t) => {
  const path = temporaryDirectory(t)
  const data = openDataDirectory(path)
  data.secret('x')
  writeFileSync(join(path, 'secrets', 'x'), 'c0ffee', { mode: 0o600 })
  assert.doesNotMatch(
    refused(() => data.secret('x')),
    /c0ffee/,
  )
})

test('a directory that others may write to is refused with the command that helps', (t) => {
  const path = temporaryDirectory(t)
  for (const bad of [0o770, 0o707, 0o777]) {
    chmodSync(path, bad)
    assert.match(
      refused(() => openDataDirectory(path)),
      /may be written to by other users.*chmod 700/,
    )
  }
  chmodSync(path, 0o750)
  openDataDirectory(path)
})

test('a file where the directory should be is refused', (t) => {
  const path = join(temporaryDirectory(t), 'file')
  writeFileSync(path, '')
  assert.match(
    refused(() => openDataDirectory(path)),
    /cannot be made \(EEXIST\)/,
  )
})

/** A process that holds the lock until it is killed. */
async function holder(t: TestContext, path: string): Promise<ChildProcess> {
  const script = `
    const { openDataDirectory } = await import(${JSON.stringify(import.meta.resolve('../../src/files/data-directory.ts'))})
    openDataDirectory(${JSON.stringify(path)}).lock()
    gc()
    console.log('held')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--expose-gc', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return child
}

test('one server at a time holds the directory, and kill -9 leaves nothing behind', async (t) => {
  const path = join(temporaryDirectory(t), 'data')
  const data = openDataDirectory(path)
  const child = await holder(t, path)
  assert.match(
    refused(() => data.lock()),
    /another server is running on the data directory/,
  )
  child.kill('SIGKILL')
  await once(child, 'exit')
  const lock = data.lock()
  assert.equal(mode(join(path, 'lock')), 0o600)
  assert.deepEqual(readdirSync(path), ['lock'])
  assert.match(
    refused(() => data.lock()),
    /another server/,
  )
  lock.release()
  lock.release()
  data.lock().release()
})

test('a refused second lock of the same process does not lift the first', (t) => {
  const path = join(temporaryDirectory(t), 'data')
  const data = openDataDirectory(path)
  const lock = data.lock()
  assert.match(
    refused(() => data.lock()),
    /another server/,
  )
  const script = `
    const { openDataDirectory } = await import(${JSON.stringify(import.meta.resolve('../../src/files/data-directory.ts'))})
    openDataDirectory(${JSON.stringify(path)}).lock()`
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', script])
  assert.match(String(child.stderr), /another server/)
  lock.release()
})
