import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { before, suite, test } from 'node:test'
import { EXTERNALS } from '../../.ci/bundle.ts'
import { suiteCleanup } from '../support/cleanup.ts'
import { freePort } from '../support/nginx.ts'
import { request, run, signIn } from '../support/server.ts'
import { eventually, verdict } from '../support/verdict.ts'

/** As the image starts it: `__proto__` is no way to reach a prototype (requirement 34). */
const HARDENED = '--disable-proto=delete'

const { VESTIBULE_CONFIG: _, ...env } = process.env

suite('what the image runs', () => {
  const t = suiteCleanup()
  let folder: string

  before(() => {
    // A copy: whoever works in the tree keeps their own dist/.
    folder = mkdtempSync(join(tmpdir(), 'vestibule-build-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    for (const part of ['src', '.ci', 'bin', 'package.json', 'tsconfig.json'])
      cpSync(part, join(folder, part), { recursive: true })
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

  test('a start loads neither fetch nor the type stripper nor WebCrypto', () => {
    // At the end it says what it has loaded of Node itself.
    const preload = `data:text/javascript,process.on('exit',()=>process.stderr.write(process.moduleLoadList.join('\\n')))`
    const { stderr, status } = spawnSync(
      process.execPath,
      ['--import', preload, 'dist/main.js', 'serve'],
      // The port is taken: it goes as far as listening and ends.
      { cwd: folder, env: { ...env, VESTIBULE_SERVER_ADDRESS: `unix://${folder}/dist` } },
    )
    assert.equal(status, 1)
    assert.match(stderr.toString(), /NativeModule http\n/)
    for (const module of ['undici', 'amaro', 'webcrypto'])
      assert.doesNotMatch(stderr.toString(), new RegExp(`NativeModule.*${module}`), module)
  })

  test('all that was installed beside the bundle is what the bundle leaves outside', () => {
    const { dependencies, optionalDependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
    const outside = [...Object.keys(dependencies), ...Object.keys(optionalDependencies)]
    assert.deepEqual(outside.sort(), [...EXTERNALS, 'vestibule-node'].sort())
    assert.match(
      readFileSync(join(folder, 'dist/THIRD-PARTY-LICENCES.txt'), 'utf8'),
      /^fastify \d+\.\d+\.\d+: MIT$/m,
    )
  })

  test('the image runs as the owner of its data, never as root', async () => {
    const isRoot = process.geteuid?.() === 0
    const data = join(folder, 'owned')
    mkdirSync(data, { mode: 0o700 })
    const owner = isRoot ? 64123 : process.geteuid?.()
    if (isRoot) chownSync(data, 64123, 64123)
    // What docker makes for a bind mount is root's.
    const rootly = join(folder, 'rootly')
    mkdirSync(rootly, { mode: 0o755 })
    // mkdtemp is for its maker alone, and the server goes through it as another user.
    chmodSync(folder, 0o755)
    for (const [directory, uid] of [
      [data, owner],
      [rootly, isRoot ? 1000 : process.geteuid?.()],
    ] as const) {
      const port = await freePort()
      const child = spawn(process.execPath, ['bin/container.cjs', 'serve'], {
        cwd: folder,
        env: {
          ...env,
          VESTIBULE_DATA_DIRECTORY: directory,
          VESTIBULE_SERVER_ADDRESS: `tcp://127.0.0.1:${port}/`,
        },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      t.after(() => child.kill('SIGKILL'))
      let output = ''
      child.stdout.on('data', (chunk: Buffer) => {
        output += chunk
      })
      await eventually(
        () => output,
        (text) => /listening on/.test(text) || child.exitCode !== null,
      )
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
      assert.match(status, new RegExp(`^Uid:\\s+${uid}\\s+${uid}\\s+${uid}\\s+${uid}$`, 'm'))
      if (isRoot) assert.match(status, /^Groups:\s*$/m)
      assert.equal(statSync(join(directory, 'users.yml')).uid, uid)
      child.kill('SIGTERM')
    }
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
