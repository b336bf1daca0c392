import assert from 'node:assert/strict'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import http from 'node:http'
import { createServer, type Server } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { EMBEDDED } from '../../src/config/embedded.ts'
import { assertDiscreet } from '../support/discretion.ts'
import { freePort } from '../support/nginx.ts'
import { request, run, signIn } from '../support/server.ts'
import { verdict } from '../support/verdict.ts'

/** Hashing at its cheapest: most of these tests are not about it. */
const CHEAP = {
  VESTIBULE_AUTHENTICATION_BACKEND_FILE_PASSWORD_ARGON2_MEMORY: '64',
  VESTIBULE_AUTHENTICATION_BACKEND_FILE_PASSWORD_ARGON2_ITERATIONS: '1',
  VESTIBULE_AUTHENTICATION_BACKEND_FILE_PASSWORD_ARGON2_PARALLELISM: '1',
}
const PASSWORD_LINE = /^Password: (\S+)$/m
const hasIPv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
)

function emptyFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'vestibule-first-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** `vestibule serve` in this folder: without any file, on a port of its own. */
async function serve(
  t: TestContext,
  folder: string,
  { port, env = {} }: { readonly port: number; readonly env?: Readonly<Record<string, string>> },
) {
  const address = { VESTIBULE_SERVER_ADDRESS: addressOf(port), ...CHEAP }
  const server = run(['serve'], { folder, port, env: { ...address, ...env } })
  t.after(() => server.stop())
  await Promise.race([server.until(/listening on/), server.ended])
  return server
}
const addressOf = (port: number): string => `tcp://localhost:${port}/`

/** Takes the port until the test ends. */
async function occupy(t: TestContext, port: number): Promise<Server> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  t.after(() => server.close())
  return server
}

const passwordIn = (output: string): string => PASSWORD_LINE.exec(output)?.[1] ?? ''
const secretsIn = (folder: string): string =>
  readFileSync(join(folder, 'data', 'secrets', 'session'), 'utf8')
const modeOf = (...path: string[]): string => (statSync(join(...path)).mode & 0o777).toString(8)

test('started with nothing at all, it makes what it needs and says once how to go on (requirement 24)', async (t) => {
  const folder = emptyFolder(t)
  // The default port may be taken by a server that runs beside the tests; all else is what it is without a word.
  const port = await freePort()
  assert.equal(EMBEDDED.server.address, 'tcp://localhost:9091/')
  const server = run(['serve'], {
    folder,
    port,
    env: { VESTIBULE_SERVER_ADDRESS: EMBEDDED.server.address.replace('9091', `${port}`) },
  })
  t.after(() => server.stop())
  await server.until(/listening on/)
  const output = server.output()
  const password = passwordIn(output)
  assert.ok(password.length >= 20, output)
  assert.match(output, /^User: admin$/m)
  assert.match(output, /^Portal: http:\/\/auth\.vestibule\.localhost:9091\/?$/m)
  assert.equal(output.split(password).length, 2, 'the password is printed once')
  assert.match(output, /vestibule proxy-config nginx/)
  const printed = output
    .trim()
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('time='))
  assert.deepEqual(
    printed.map((line) => line.split(':', 1)[0]),
    ['Portal', 'Data', 'Proxy', 'User', 'Password'],
  )

  assert.deepEqual(readdirSync(folder), ['data'])
  assert.equal(modeOf(folder, 'data'), '700')
  assert.equal(modeOf(folder, 'data', 'secrets'), '700')
  const files = readdirSync(join(folder, 'data'), { recursive: true, encoding: 'utf8' })
  for (const wanted of ['users.yml', 'vestibule.sqlite3', 'control.sock', 'secrets/session'])
    assert.ok(files.includes(wanted), `${wanted} is missing: ${files}`)
  for (const file of files.filter((name) => name !== 'secrets'))
    assert.equal(modeOf(folder, 'data', file), '600', file)

  for (const host of ['127.0.0.1', ...(hasIPv6 ? ['::1'] : [])]) {
    const status = await new Promise((resolve, reject) => {
      const sent = http.get({ host, port, path: '/api/health', agent: false })
      sent.on('response', (answer) => resolve(answer.resume().statusCode)).on('error', reject)
    })
    assert.equal(status, 200, host)
  }

  const cookie = await signIn(port, 'admin', password)
  assert.equal((await verdict(port, undefined)).status, 401)
  const passed = await verdict(port, cookie)
  assert.equal(passed.status, 200)
  assert.equal(passed.headers['remote-user'], 'admin')
  assert.equal(passed.headers['remote-groups'], 'vestibule-admins')
  // The port of every other address is somebody else's: what nobody configured is reachable from here alone.
  const outside = Object.values(networkInterfaces())
    .flat()
    .find((address) => address?.family === 'IPv4' && !address.internal)?.address
  if (outside !== undefined) {
    await assert.rejects(
      new Promise((resolve, reject) => {
        http.get({ host: outside, port, agent: false }, resolve).on('error', reject)
      }),
    )
  }
  assertDiscreet(server.output().replace(PASSWORD_LINE, ''), {
    dataDirectory: join(folder, 'data'),
    secrets: [password, cookie],
  })
})

test('a later start shows no password, and whoever was signed in still is, after SIGTERM and after SIGKILL', async (t) => {
  const folder = emptyFolder(t)
  const port = await freePort()
  const first = await serve(t, folder, { port })
  const password = passwordIn(first.output())
  const cookies = [await signIn(port, 'admin', password)]
  const secrets = secretsIn(folder)
  let previous = first
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    previous.signal(signal)
    assert.equal(await previous.ended, signal === 'SIGKILL' ? null : 0, signal)
    previous = await serve(t, folder, { port })
    assert.match(previous.output(), /listening on/, signal)
    assert.doesNotMatch(previous.output(), /Password:|User:/, signal)
    for (const cookie of cookies) assert.equal((await verdict(port, cookie)).status, 200, signal)
    cookies.push(await signIn(port, 'admin', password))
    assert.equal(secretsIn(folder), secrets)
    assertDiscreet(previous.output(), {
      dataDirectory: join(folder, 'data'),
      secrets: [password, ...cookies],
    })
  }
})

test('a first start whose port is taken says so in one sentence, and the next one still shows the password', async (t) => {
  const folder = emptyFolder(t)
  const port = await freePort()
  const other = await occupy(t, port)
  const failed = await serve(t, folder, { port })
  assert.equal(await failed.ended, 1)
  const complaint = failed.output().replace(/^time=.*\n/gm, '')
  assert.equal(
    complaint,
    `vestibule: cannot listen on 127.0.0.1:${port}: something else listens there\n  server.address says where to listen\n`,
  )
  assert.ok(!existsSync(join(folder, 'data', 'users.yml')))

  await new Promise((resolve) => other.close(resolve))
  const server = await serve(t, folder, { port })
  const password = passwordIn(server.output())
  assert.equal((await verdict(port, await signIn(port, 'admin', password))).status, 200)
})

test('a first start that is killed before it is done shows a password that works at the next one', async (t) => {
  const folder = emptyFolder(t)
  const port = await freePort()
  const killed = run(['serve'], {
    folder,
    port,
    env: { VESTIBULE_SERVER_ADDRESS: addressOf(port) },
  })
  await killed.until(PASSWORD_LINE)
  killed.signal('SIGKILL')
  await killed.ended
  const server = await serve(t, folder, { port })
  // Its digest was stored, or a new user is made: either way somebody has been told a password that opens the door.
  const password = passwordIn(server.output()) || passwordIn(killed.output())
  assert.equal((await verdict(port, await signIn(port, 'admin', password))).status, 200)
})

test('a second server on the same data directory is refused in one sentence, and the first goes on', async (t) => {
  const folder = emptyFolder(t)
  const port = await freePort()
  const first = await serve(t, folder, { port })
  const cookie = await signIn(port, 'admin', passwordIn(first.output()))
  const second = await serve(t, folder, { port: await freePort() })
  assert.equal(await second.ended, 1)
  assert.match(
    second.output(),
    /^vestibule: another server is running on the data directory .*\n {2}stop it first, .*\n$/m,
  )
  assert.doesNotMatch(second.output(), /Password| at .*:\d+:\d+/)
  assert.equal((await verdict(port, cookie)).status, 200)
  assert.ok(existsSync(join(folder, 'data', 'control.sock')))
})

test('reset_admin_password gives admin a new password, and ends the old one with its sessions (requirement 25)', async (t) => {
  const folder = emptyFolder(t)
  const port = await freePort()
  const first = await serve(t, folder, { port })
  const old = passwordIn(first.output())
  const cookie = await signIn(port, 'admin', old)
  await first.stop()

  // Somebody else has the old password by now, and there is no admin: one is made, who inherits no session.
  const usersFile = join(folder, 'data', 'users.yml')
  writeFileSync(usersFile, readFileSync(usersFile, 'utf8').replace('admin:', 'root:'))
  const env = { VESTIBULE_RESET_ADMIN_PASSWORD: 'true' }
  const reset = await serve(t, folder, { port, env })
  const password = passwordIn(reset.output())
  assert.match(reset.output(), /^User: admin$/m)
  assert.match(reset.output(), /Take reset_admin_password out/)
  assert.notEqual(password, old)
  assert.equal((await verdict(port, cookie)).status, 401)
  await assert.rejects(signIn(port, 'admin', old), /401/)
  const renewed = await signIn(port, 'admin', password)
  assert.equal((await verdict(port, renewed)).status, 200)
  assertDiscreet(reset.output().replace(PASSWORD_LINE, ''), {
    dataDirectory: join(folder, 'data'),
    secrets: [old, password, cookie, renewed],
  })
  await reset.stop()

  // Even where admin was disabled: the server starts, and says what is left to do.
  writeFileSync(usersFile, `${readFileSync(usersFile, 'utf8').trimEnd()}\n    disabled: true\n`)
  const again = await serve(t, folder, { port, env })
  assert.match(again.output(), /listening on/)
  assert.match(again.output(), /admin is disabled: `vestibule users enable admin`/)
  const third = passwordIn(again.output())
  await assert.rejects(signIn(port, 'admin', third), /401/)
  await again.stop()
  writeFileSync(usersFile, readFileSync(usersFile, 'utf8').replace('disabled: true', ''))
  const last = await serve(t, folder, { port })
  assert.equal(passwordIn(last.output()), '')
  assert.equal((await verdict(port, renewed)).status, 401)
  assert.equal((await verdict(port, await signIn(port, 'admin', third))).status, 200)
})

test('a configuration with faults starts nothing: all of them are named with their place, and nothing is made', async (t) => {
  const folder = emptyFolder(t)
  const text = `server:
  address: tcp://127.0.0.1:${await freePort()}/
  tiemouts: { read: 1s }
session:
  expiration: soon
  cookies:
    - domain: example.com
      portal_url: https://auth.elsewhere.test
access_control:
  rules:
    - domain: app.example.com
      policy: one-factor
`
  writeFileSync(join(folder, 'config.yml'), text)
  const server = run(['serve'], { folder })
  assert.equal(await server.ended, 1)
  const lines = server.output().trim().split('\n')
  const places = ['config.yml:3:3', 'config.yml:5:3', 'config.yml:8:7', 'config.yml:12:7']
  assert.deepEqual(
    lines.slice(0, -1).map((line) => line.split(' ', 1)[0]),
    places,
  )
  assert.match(lines[0] ?? '', /server\.tiemouts.*did you mean .*timeouts/)
  assert.equal(lines.at(-1), 'vestibule: the configuration has 4 faults; nothing was started')
  assert.doesNotMatch(server.output(), /\n\s+at /)
  assert.deepEqual(readdirSync(folder), ['config.yml'])
})

test('requests of the first second wait until the password that was shown is stored', async (t) => {
  const folder = emptyFolder(t)
  const port = await freePort()
  const server = run(['serve'], {
    folder,
    port,
    env: { VESTIBULE_SERVER_ADDRESS: addressOf(port) },
  })
  t.after(() => server.stop())
  // As soon as the line is out, which is before its digest is made.
  const [, password = ''] = await server.until(PASSWORD_LINE)
  const answer = await request(port, '/api/firstfactor', {
    method: 'POST',
    headers: { Host: 'auth.vestibule.localhost', 'Content-Type': 'application/json' },
    body: JSON.stringify({ username: 'admin', password }),
  })
  assert.equal(answer.status, 200)
})
