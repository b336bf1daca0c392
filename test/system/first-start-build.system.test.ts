import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { before, suite, test } from 'node:test'
import { suiteCleanup } from '../support/cleanup.ts'
import { freePort } from '../support/nginx.ts'
import { request, run, signIn } from '../support/server.ts'
import { eventually, verdict } from '../support/verdict.ts'

/** As the image starts it: `__proto__` is no way to reach a prototype (measure 34). */
const HARDENED = '--disable-proto=delete'

const { VESTIBULE_CONFIG: _, ...env } = process.env

suite('what the image runs', () => {
  const t = suiteCleanup()
  let folder: string

  before(() => {
    // A copy: whoever works in the tree keeps their own dist/.
    folder = mkdtempSync(join(tmpdir(), 'vestibule-build-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    for (const part of ['src', '.ci', 'package.json', 'tsconfig.json'])
      cpSync(part, join(folder, part), { recursive: true })
    // Types are the business of `npm run check`, and two thirds of the time.
    const config = JSON.parse(readFileSync('tsconfig.build.json', 'utf8'))
    config.compilerOptions.noCheck = true
    writeFileSync(join(folder, 'tsconfig.build.json'), JSON.stringify(config))
    symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
    const built = spawnSync('npm', ['run', 'build'], { cwd: folder, encoding: 'utf8' })
    assert.equal(built.status, 0, `${built.stdout}${built.stderr}`)
  })

  test('what was built says its version', () => {
    const args = [HARDENED, 'dist/main.js', '--version']
    const { stdout, status } = spawnSync(process.execPath, args, { cwd: folder, env })
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
    assert.deepEqual([status, stdout.toString()], [0, `vestibule ${version}\n`])
  })

  test('what was built starts with nothing, hardened, and signs people in', async () => {
    const port = await freePort()
    const child = spawn(process.execPath, [HARDENED, 'dist/main.js', 'serve'], {
      cwd: folder,
      env: { ...env, VESTIBULE_SERVER_ADDRESS: `tcp://127.0.0.1:${port}/` },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = new Promise<number | null>((done) => child.once('exit', done))
    t.after(() => {
      child.kill('SIGKILL')
      return ended
    })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk
    })
    await eventually(
      () => output,
      (text) => /listening on/.test(text) || child.exitCode !== null,
    )
    const password = /^Password: (\S+)$/m.exec(output)?.[1] ?? output
    const cookie = await signIn(port, 'admin', password)
    assert.equal((await verdict(port, cookie)).headers['remote-user'], 'admin')
    // Files that are no code have come along: the page finds its style sheet.
    const page = await request(port, '/', { headers: { Host: 'auth.vestibule.localhost' } })
    const [, sheet = ''] = /href="([^"]+\.css)"/.exec(page.body) ?? []
    assert.equal((await request(port, sheet)).status, 200, sheet)
    child.kill('SIGTERM')
    assert.equal(await ended, 0)
  })
})

test('the sources run hardened too', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'vestibule-hardened-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const port = await freePort()
  const server = run(['serve'], {
    folder,
    port,
    env: { NODE_OPTIONS: HARDENED, VESTIBULE_SERVER_ADDRESS: `tcp://127.0.0.1:${port}/` },
  })
  t.after(() => server.stop())
  await server.until(/listening on/)
  const [, password = ''] = await server.until(/^Password: (\S+)$/m)
  const cookie = await signIn(port, 'admin', password)
  assert.equal((await verdict(port, cookie)).status, 200)
})
