import { proxies } from '../../src/features/proxy-config/index.ts'
import { folderWith, missing, startProgram } from './program.ts'
import type { ProxyUnderTest } from './proxy-proofs.ts'

/** No package of Debian has it: it runs where somebody has put an `envoy` on the PATH. */
export const envoyUnderTest: ProxyUnderTest = {
  name: 'Envoy',
  missing: missing('envoy'),
  cannot: {},
  async start(t, setup) {
    const folder = folderWith(
      t,
      Object.fromEntries(proxies.envoy(setup).map(({ name, text }) => [name, text])),
    )
    const options = ['--concurrency', '1', '--disable-hot-restart', '--log-level', 'warning']
    await startProgram(t, 'envoy', ['-c', 'envoy.yaml', ...options], {
      folder,
      port: Number(setup.listen.split(':').at(-1)),
    })
  },
}
