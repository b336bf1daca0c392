/**
 * The test command: installs what the tests drive for real (proxies, Chromium) when it is missing and may, says which
 * test is skipped and why when it may not, and runs node's test runner. Under CI=true nothing may be skipped.
 *
 * Arguments are handed on: `npm test -- test/kernel/duration.test.ts`.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

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

/** What no package of Debian has: used where it is on the PATH; the tests that need it are skipped otherwise. */
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
  apply('update', '-qq')
  apply('install', '-y', '-qq', '--no-install-recommends', ...packages)
}

const given = process.argv.slice(2)
const wanted = Object.keys(PACKAGES).filter((name) => PACKAGES[name]?.() === false)
if (given.length === 0 && wanted.length > 0) install(wanted)

const all = globSync('test/**/*.test.ts')
  .filter((file) => file !== DRILLS)
  .sort()
const files = given.length > 0 ? given : all
mkdirSync('artefacts', { recursive: true })
const SKIPPED = 'artefacts/skipped.txt'
const { status } = spawnSync(
  process.execPath,
  [
    '--test',
    // Most files wait for another program most of the time.
    `--test-concurrency=${2 * availableParallelism()}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    '--test-reporter=./.ci/skipped.ts',
    `--test-reporter-destination=${SKIPPED}`,
    // For what never ends. A suite may wait for its turn on a machine that is busy with something else.
    '--test-timeout=600000',
    ...files,
  ],
  {
    stdio: 'inherit',
    env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin`, NODE_ENV: 'test' },
  },
)
const skipped = readFileSync(SKIPPED, 'utf8').trim().split('\n').filter(Boolean)
if (skipped.length > 0) console.log(`\nNot run:\n${skipped.join('\n')}`)
if (status !== 0) process.exit(status ?? 1)
if (!skipped.every(isOptional) && process.env['CI'] === 'true') {
  console.error('A skipped test is a failed one under CI=true.')
  process.exit(1)
}
