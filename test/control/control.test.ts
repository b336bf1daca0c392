import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { askServer } from '../../src/control/client.ts'
import { MAX_REQUEST, socketPath } from '../../src/control/protocol.ts'
import { type Command, openControlServer } from '../../src/control/server.ts'
import { AppError } from '../../src/kernel/errors.ts'
import { OperatorError } from '../../src/kernel/operator-error.ts'

function temporaryDirectory(t: TestContext, deep = ''): string {
  const root = mkdtempSync(join(tmpdir(), 'vestibule-control-'))
  t.after(() => rmSync(root, { recursive: true }))
  const directory = join(root, deep)
  mkdirSync(directory, { recursive: true })
  return directory
}

async function open(t: TestContext, directory: string, commands: Record<string, Command> = {}) {
  const logged: unknown[] = []
  const log = { error: (...args: unknown[]) => logged.push(args), debug: () => {} }
  const path = socketPath(directory)
  const server = await openControlServer({ path, commands, log })
  t.after(() => server.close())
  return { server, path, logged }
}

const refusal = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof OperatorError, String(error))
  assert.match(`${error.message}; ${error.hint}`, pattern)
  return true
}

/** Sends bytes as they are, returns what comes back until the end. */
async function raw(path: string, bytes: string): Promise<string> {
  const socket = connect(path)
  socket.on('error', () => {})
  let received = ''
  socket.setEncoding('utf8').on('data', (chunk) => {
    received += chunk
  })
  socket.write(bytes)
  await once(socket, 'end')
  socket.destroy()
  return received
}

test('a command is answered, and the socket is for its owner alone', async (t) => {
  const directory = temporaryDirectory(t)
  const { path, server } = await open(t, directory, {
    echo: (args) => ({ said: args }),
    nothing: () => undefined,
  })
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.deepEqual(await askServer(directory, 'echo', { a: 'ü\n' }), { said: { a: 'ü\n' } })
  assert.equal(await askServer(directory, 'nothing', {}), null)
  await server.close()
  assert.equal(existsSync(path), false)
})

test('without a server the caller reads which directory was meant and what to do', async (t) => {
  const directory = temporaryDirectory(t)
  await assert.rejects(
    askServer(directory, 'x', {}),
    refusal(/no server is running on .*start it, or pass/),
  )
  await assert.rejects(askServer(join(directory, 'no'), 'x', {}), refusal(/no server is running/))
})

test('the socket of a server that was killed is replaced', async (t) => {
  const directory = temporaryDirectory(t)
  const script = `require('net').createServer().listen(${JSON.stringify(socketPath(directory))}, () => console.log('up'))`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  await assert.rejects(open(t, directory), refusal(/another server is running/))
  child.kill('SIGKILL')
  await once(child, 'exit')
  await assert.rejects(askServer(directory, 'x', {}), refusal(/no server is running/))
  await open(t, directory, { x: () => 1 })
  assert.equal(await askServer(directory, 'x', {}), 1)
})

test('a file in the way is not removed', async (t) => {
  const directory = temporaryDirectory(t)
  writeFileSync(socketPath(directory), 'mine')
  await assert.rejects(open(t, directory), refusal(/is in the way of the control socket/))
  assert.ok(existsSync(socketPath(directory)))
})

test('a data directory deeper than a socket address can say works all the same', {
  skip: process.platform !== 'linux' && 'needs /proc',
}, async (t) => {
  const directory = temporaryDirectory(t, `${'d'.repeat(100)}/${'e'.repeat(100)}`)
  const { path, server } = await open(t, directory, { x: () => 1 })
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(await askServer(directory, 'x', {}), 1)
  await server.close()
  assert.equal(existsSync(path), false)
})

test('a refusal reaches the caller, a bug does not: it is logged and called one', async (t) => {
  const directory = temporaryDirectory(t)
  const { logged } = await open(t, directory, {
    refused: () => {
      throw new OperatorError('not today', 'try tomorrow')
    },
    unavailable: () => {
      throw new AppError('STORE_UNAVAILABLE', { detail: 'c0ffee' })
    },
    bug: () => {
      throw new Error('c0ffee')
    },
  })
  await assert.rejects(askServer(directory, 'refused', {}), refusal(/not today; try tomorrow/))
  await assert.rejects(askServer(directory, 'unavailable', {}), refusal(/^Sign-in is unavailable/))
  assert.equal(logged.length, 0)
  await assert.rejects(askServer(directory, 'bug', {}), refusal(/^the server could not do this/))
  assert.equal(logged.length, 1)
})

test('what is no request, or names no command of ours, is answered and harms nobody', async (t) => {
  const directory = temporaryDirectory(t)
  const { path } = await open(t, directory, { x: () => 1 })
  for (const line of ['', 'hello', '[]', '{"command":5}', '{"command":"x","more":1}']) {
    assert.match(await raw(path, `${line}\n`), /not one line of JSON/)
  }
  for (const command of ['y', 'toString', '__proto__']) {
    await assert.rejects(askServer(directory, command, {}), refusal(/does not know the command/))
  }
  assert.equal(await askServer(directory, 'x', {}), 1)
})

test('a request without end is cut off at its limit', async (t) => {
  const { path } = await open(t, temporaryDirectory(t))
  assert.match(await raw(path, 'x'.repeat(MAX_REQUEST + 1)), /not one line of JSON/)
})

test('closing lets a command that runs finish, and does not wait for a caller that says nothing', async (t) => {
  const directory = temporaryDirectory(t)
  const { promise, resolve } = Promise.withResolvers<string>()
  const started = Promise.withResolvers<void>()
  const { server, path } = await open(t, directory, {
    slow() {
      started.resolve()
      return promise
    },
  })
  const silent = connect(path)
  silent.on('error', () => {})
  await once(silent, 'connect')
  const asked = askServer(directory, 'slow', {})
  await started.promise
  const closed = server.close()
  resolve('done')
  assert.equal(await asked, 'done')
  await closed
})

test('a server that does not answer in time is not waited for', async (t) => {
  const directory = temporaryDirectory(t)
  await open(t, directory, { never: () => new Promise(() => {}) })
  await assert.rejects(
    askServer(directory, 'never', {}, { timeout: 20 }),
    refusal(/did not answer within/),
  )
})
