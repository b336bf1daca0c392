import { type ProxySetup, proxies } from '../../src/features/proxy-config/index.ts'
import { folderWith, missing, startProgram } from './program.ts'
import type { StartProxy } from './proofs/scene.ts'
import type { ProxyUnderTest } from './proxy-proofs.ts'

/** @param options lines among the global options */
async function startCaddy(
  t: Parameters<StartProxy>[0],
  setup: ProxySetup,
  options: string,
): Promise<void> {
  const [file] = proxies.caddy(setup)
  // No endpoint for its own administration, no certificates.
  const text = `{\n\tadmin off\n\tauto_https off\n${options}}\n${file?.text}`
  const folder = folderWith(t, { Caddyfile: text })
  await startProgram(t, 'caddy', ['run', '--adapter', 'caddyfile', '--config', 'Caddyfile'], {
    folder,
    port: Number(setup.listen.split(':').at(-1)),
  })
}

export const caddyUnderTest: ProxyUnderTest = {
  name: 'Caddy',
  missing: missing('caddy'),
  cannot: {},
  start: (t, setup) => startCaddy(t, setup, ''),
  http2: (t, setup) => startCaddy(t, setup, '\tservers {\n\t\tprotocols h1 h2c\n\t}\n'),
}
