/**
 * The test command: installs what the tests drive for real (proxies, Chromium) when it is missing and may, says which
 * test is skipped and why when it may not, and runs node's test runner. Under CI=true nothing may be skipped.
 *
 * Arguments are handed on: `npm test -- test/kernel/duration.test.ts`.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { dirname, relative } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'

const has = (program: string): boolean =>
  spawnSync('sh', ['-c', `PATH="$PATH:/usr/sbin" command -v ${program}`]).status === 0

/** Debian packages, and whether what tests look for is there. */
const PACKAGES: Readonly<Record<string, () => boolean>> = {
  'nginx-light': () => has('nginx'),
  // What ingress-nginx escapes addresses with.
  'libnginx-mod-http-set-misc': () =>
    existsSync('/usr/lib/nginx/modules/ngx_http_set_misc_module.so'),
  caddy: () => has('caddy'),
  haproxy: () => has('haproxy'),
  // The server without its service.
  'apache2-bin': () => has('apache2'),
  'lua-socket': () => globSync('/usr/lib/*/lua/5.[34]/socket/core.so').length > 0,
  // With the sentinel, which Debian packs with it.
  'redis-server': () => has('redis-server') && has('redis-cli'),
  chromium: () => has('chromium'),
  postgresql: () => globSync('/usr/lib/postgresql/*/bin/initdb').length > 0,
  openssl: () => has('openssl'),
  fail2ban: () => has('fail2ban-regex'),
}

/** No package of Debian has these: tests use them where they are on the PATH, and may be skipped where they are not. */
const OPTIONAL = ['traefik', 'envoy']
const isOptional = (line: string): boolean =>
  OPTIONAL.some((program) => line.endsWith(`: ${program} is not installed`))

/** Small runs of the drills take the whole machine, and minutes: `npm run drills`. */
const DRILLS = 'test/drills/drills.test.ts'

function install(packages: readonly string[]): void {
  const apt = has('apt-get')
  const root = process.getuid?.() === 0
  const sudo = !root && apt && spawnSync('sudo', ['-n', 'true']).status === 0
  if (!apt || !(root || sudo)) return
  console.log(`installing ${packages.join(', ')} with apt`)
  const apply = (...args: string[]) =>
    spawnSync(sudo ? 'sudo' : 'apt-get', sudo ? ['-n', 'apt-get', ...args] : args, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      timeout: 8 * 60_000,
    }).status
  // Another run may be installing the same: each apt command waits for the other's lock, or is repeated.
  for (let tries = 0; tries < 3; tries++) {
    apply('update', '-qq')
    const lock = ['-o', 'DPkg::Lock::Timeout=400']
    if (apply(...lock, 'install', '-y', '-qq', '--no-install-recommends', ...packages) === 0) return
  }
}

/** How long each file took when it last ran in this checkout, in milliseconds. */
const TIMES = 'node_modules/.cache/test-times.json'

/** A long file that begins last keeps one processor busy and leaves the others idle. Without a record: by kind. */
function longestFirst(files: readonly string[]): readonly string[] {
  const times = readTimes()
  const weight = (file: string): number =>
    times[file] ?? (file.endsWith('.system.test.ts') ? SYSTEM_FILE : 0)
  return [...files].sort((a, b) => weight(b) - weight(a))
}

/** What a file that starts programs may take where it was never run. Milliseconds. */
const SYSTEM_FILE = 10_000

function readTimes(): Readonly<Record<string, number>> {
  try {
    const found: unknown = JSON.parse(readFileSync(TIMES, 'utf8'))
    return Object.fromEntries(
      Object.entries(found ?? {}).filter(([, time]) => typeof time === 'number'),
    )
  } catch {
    return {}
  }
}

async function runFiles(
  files: readonly string[],
): Promise<{ readonly failed: boolean; readonly skipped: readonly string[] }> {
  const times: Record<string, number> = {}
  const skipped: string[] = []
  let failed = false
  const events = run({
    files: [...files],
    // Most files wait for another program most of the time.
    concurrency: 2 * availableParallelism(),
    // For what never ends. A suite may wait for its turn on a machine that is busy with something else.
    timeout: 600_000,
    execArgv: ['--import', new URL('compile-cache.ts', import.meta.url).href],
  })
  events.on('test:fail', ({ todo }) => {
    failed ||= todo === undefined || todo === false
  })
  for (const outcome of ['test:pass', 'test:fail'] as const)
    events.on(outcome, ({ skip, todo, name, file }) => {
      const reason = skip ?? todo
      if (reason === undefined || reason === false) return
      const why = typeof reason === 'string' && reason !== '' ? reason : 'no reason given'
      skipped.push(`${file ?? ''}: ${name}: ${why}`)
    })
  events.on('test:summary', ({ file, duration_ms, success }) => {
    if (file !== undefined) times[relative('.', file)] = Math.round(duration_ms)
    else failed ||= !success
  })
  await pipeline(events, new spec(), process.stdout, { end: false })
  mkdirSync(dirname(TIMES), { recursive: true })
  // Another run of this checkout may write it as well, or read it.
  const written = `${TIMES}.${process.pid}`
  writeFileSync(written, JSON.stringify({ ...readTimes(), ...times }))
  renameSync(written, TIMES)
  return { failed, skipped }
}

interface Checkout {
  current(): string | undefined
}

/**
 * What the tests start as the server (test/support/main-file.ts): the bundle that `npm start` runs, which takes half the
 * processor time of src/ to start, hundreds of times.
 */
function testedMain(): string | undefined {
  // The module's own exports.
  const { current } = createRequire(import.meta.url)('./checkout.cjs') as Checkout
  const made = current()
  if (made !== undefined) return made
  spawnSync(process.execPath, [new URL('checkout.ts', import.meta.url).pathname])
  return current()
}

const given = process.argv.slice(2)
const unknown = given.filter((file) => !existsSync(file))
if (unknown.length > 0) {
  // Node would take an option for its own, find no file, and wait at its prompt.
  console.error(`These are no files: ${unknown.join(', ')}. npm test takes test files alone.`)
  process.exit(1)
}
const wanted = Object.keys(PACKAGES).filter((name) => PACKAGES[name]?.() === false)
if (given.length === 0 && wanted.length > 0) install(wanted)

const all = globSync('test/**/*.test.ts')
  .filter((file) => file !== DRILLS)
  .sort()
const files = given.length > 0 ? given : all
process.env['NODE_ENV'] = 'test'
process.env['PATH'] += ':/usr/sbin:/sbin'
const main = testedMain()
if (main !== undefined) process.env['TESTED_MAIN'] = main
const { failed, skipped } = await runFiles(longestFirst(files))
if (skipped.length > 0) console.log(`\nNot run:\n${skipped.join('\n')}`)
if (failed) process.exit(1)
if (!skipped.every(isOptional) && process.env['CI'] === 'true') {
  console.error('A skipped test is a failed one under CI=true.')
  process.exit(1)
}
