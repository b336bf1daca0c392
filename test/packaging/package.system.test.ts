import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { before, suite, test } from 'node:test'
import { suiteCleanup } from '../support/cleanup.ts'
import { freePort } from '../support/nginx.ts'
import { request, signIn } from '../support/server.ts'
import { eventually } from '../support/verdict.ts'

const { version } = JSON.parse(readFileSync('package.json', 'utf8'))

/** As a user's shell has it: no Node of a checkout, and no settings of npm's scripts. */
const env = {
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm_|VESTIBULE|INIT_CWD|NODE)/.test(name)),
  ),
  PATH: (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((part) => !part.includes('node_modules'))
    .join(delimiter),
}
const systemNode = execFileSync('node', ['--version'], { env, encoding: 'utf8' }).trim()
const isOlder = Number(/^v(\d+)/.exec(systemNode)?.[1]) < 24

suite(`the npm package, with the system's Node ${systemNode}`, () => {
  const t = suiteCleanup()
  let folder: string
  let packages: string
  let installed = ''

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'vestibule-npm-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    packages = join(folder, 'packages')
    execFileSync(process.execPath, ['.ci/pack.ts', packages], { stdio: 'pipe' })
    mkdirSync(join(folder, 'home'))
    writeFileSync(join(folder, 'home/package.json'), '{"private": true}')
    const wanted = readdirSync(packages)
      // Where the Node is new enough, npm passes the other one over.
      .filter((name) => isOlder || !name.startsWith('vestibule-node'))
      .map((name) => join(packages, name))
    const npm = spawnSync('npm', ['install', '--no-audit', '--no-fund', ...wanted], {
      cwd: join(folder, 'home'),
      env,
      encoding: 'utf8',
    })
    installed = npm.stdout + npm.stderr
    assert.equal(npm.status, 0, installed)
  })

  test('it holds little, and all that it needs', () => {
    const [tarball = ''] = readdirSync(packages).filter((name) => name.endsWith(`-${version}.tgz`))
    const files = execFileSync('tar', ['tzf', join(packages, tarball)], { encoding: 'utf8' })
      .trim()
      .split('\n')
    const languages = files.filter((file) => /\/languages\/[a-zA-Z-]+\.json$/.test(file))
    assert.equal(languages.length, readdirSync('src/languages').length)
    assert.ok(files.length - languages.length < 25, files.join('\n'))
    assert.ok(files.includes('package/bin/vestibule.cjs'))
    for (const file of files) assert.doesNotMatch(file, /\.ts$|\/(src|test|docs)\//)
  })

  test('nothing is said of engines that do not fit', () => {
    assert.doesNotMatch(installed, /EBADENGINE/)
  })

  test('npx vestibule says its version, and starts a server that stops when it is told to', async () => {
    const cwd = join(folder, 'home')
    const said = spawnSync('npx', ['vestibule', 'version'], { cwd, env, encoding: 'utf8' })
    assert.equal(said.stdout, `vestibule ${version}\n`, said.stderr)
    const port = await freePort()
    const child = spawn('node', ['node_modules/.bin/vestibule', 'serve'], {
      cwd,
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
    const [, password = ''] = /^Password: (\S+)$/m.exec(output) ?? []
    await signIn(port, 'admin', password)
    child.kill('SIGTERM')
    assert.equal(await ended, 0)
    await assert.rejects(request(port, '/api/health'))
  })

  // Only there can it be asked.
  const asked = isOlder ? test : undefined
  asked?.('where there is no Node that is new enough, it says which one it needs', () => {
    const alone = join(folder, 'alone')
    mkdirSync(alone)
    const [tarball = ''] = readdirSync(packages).filter((name) => name.endsWith(`-${version}.tgz`))
    execFileSync('tar', ['xzf', join(packages, tarball), '-C', alone])
    const ran = spawnSync('node', ['package/bin/vestibule.cjs', 'version'], {
      cwd: alone,
      env,
      encoding: 'utf8',
    })
    assert.deepEqual([ran.status, ran.stdout], [1, ''])
    assert.match(ran.stderr, /^vestibule: needs Node 24 or newer, and this is \d+[^\n]*\n$/)
  })
})
