import { type ProxySetup, proxies } from '../../src/features/proxy-config/index.ts'
import { folderWith, missing, startProgram } from './program.ts'
import type { StartProxy } from './proofs/scene.ts'
import type { ProxyUnderTest } from './proxy-proofs.ts'

/** No package of Debian has it: its tests run where an `envoy` is on the PATH. */
export const envoyUnderTest: ProxyUnderTest = {
  name: 'Envoy',
  missing: missing('envoy'),
  cannot: {},
  start,
  // It leaves a connection open for a second behind what is no HTTP/2; that alone is made shorter.
  http2: (t, setup) => start(t, setup, '0.01s'),
}

async function start(
  t: Parameters<StartProxy>[0],
  setup: ProxySetup,
  /** Envoy's own default. */
  delayedClose = '1s',
): Promise<void> {
  const folder = folderWith(
    t,
    Object.fromEntries(
      proxies
        .envoy(setup)
        .map(({ name, text }) => [
          name,
          text.replace(
            /^( *)(stat_prefix: apps)$/m,
            `$1$2\n$1delayed_close_timeout: ${delayedClose}`,
          ),
        ]),
    ),
  )
  const options = ['--concurrency', '1', '--disable-hot-restart', '--log-level', 'warning']
  await startProgram(t, 'envoy', ['-c', 'envoy.yaml', ...options], {
    folder,
    port: Number(setup.listen.split(':').at(-1)),
  })
}
