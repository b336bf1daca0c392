import { proxies } from '../../src/features/proxy-config/index.ts'
import { folderWith, missing, startProgram } from './program.ts'
import type { ProxyUnderTest } from './proxy-proofs.ts'

export const caddyUnderTest: ProxyUnderTest = {
  name: 'Caddy',
  missing: missing('caddy'),
  cannot: {},
  async start(t, setup) {
    const [file] = proxies.caddy(setup)
    // No endpoint for its own administration, no certificates.
    const text = `{\n\tadmin off\n\tauto_https off\n}\n${file?.text}`
    const folder = folderWith(t, { Caddyfile: text })
    await startProgram(t, 'caddy', ['run', '--adapter', 'caddyfile', '--config', 'Caddyfile'], {
      folder,
      port: Number(setup.listen.split(':').at(-1)),
    })
  },
}
