import { chmodSync, existsSync, globSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type ProxySetup, proxies } from '../../src/features/proxy-config/index.ts'
import { folderWith, missing, startProgram } from './program.ts'
import type { ProxyUnderTest } from './proxy-proofs.ts'

const MODULES = '/usr/lib/apache2/modules'
/** What Debian has loaded or a2enmod is told to load. */
const LOADED = [
  'mpm_event',
  'authz_core',
  'alias',
  'headers',
  'lua',
  'macro',
  'proxy',
  'proxy_http',
]

export async function startApache(
  t: Pick<TestContext, 'after'>,
  setup: ProxySetup,
  {
    lua,
    apps,
    more = '',
  }: {
    /** In place of the printed vestibule.lua; null: the file is missing. */
    readonly lua?: string | null | undefined
    /** In place of the printed app.conf. */
    readonly apps?: string
    /** Lines of the server's own configuration. */
    readonly more?: string
  } = {},
): Promise<void> {
  const files = Object.fromEntries(proxies.apache(setup).map(({ name, text }) => [name, text]))
  const script = lua === undefined ? (files['vestibule.lua'] ?? null) : lua
  const folder = folderWith(t, script === null ? {} : { 'vestibule.lua': script })
  // The workers are not root.
  chmodSync(folder, 0o755)
  writeFileSync(
    join(folder, 'httpd.conf'),
    `${LOADED.map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`).join('\n')}
ServerRoot ${folder}
DefaultRuntimeDir ${folder}
PidFile ${folder}/httpd.pid
ErrorLog ${folder}/error.log
ServerName localhost
${process.getuid?.() === 0 ? 'User nobody\nGroup nogroup' : ''}
StartServers 1
ServerLimit 2
ThreadsPerChild 8
MaxRequestWorkers 16
MinSpareThreads 1
MaxSpareThreads 16
Listen ${setup.listen}
${more}
${files['vestibule.conf']?.replaceAll('/etc/apache2/', `${folder}/`)}
${apps ?? files['app.conf']}`,
  )
  await startProgram(t, 'apache2', ['-DFOREGROUND', '-f', `${folder}/httpd.conf`], {
    folder,
    port: Number(setup.listen.split(':').at(-1)),
    log: `${folder}/error.log`,
  })
}

export const apacheUnderTest: ProxyUnderTest = {
  name: 'Apache',
  missing: missingPart(),
  cannot: {
    slashes: 'refused: mod_proxy would make one slash of them',
  },
  start: (t, setup) => startApache(t, setup),
  http2: (t, setup) =>
    startApache(t, setup, {
      more: `LoadModule http2_module ${MODULES}/mod_http2.so\nProtocols h2c http/1.1\nH2Direct on`,
    }),
}

function missingPart(): string | undefined {
  if (missing('apache2') !== undefined) return missing('apache2')
  if (!existsSync(`${MODULES}/mod_lua.so`)) return 'mod_lua is not installed'
  return globSync('/usr/lib/*/lua/5.[34]/socket/core.so').length > 0
    ? undefined
    : 'lua-socket is not installed'
}
