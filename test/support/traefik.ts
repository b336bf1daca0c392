import { hostsOf, proxies } from '../../src/features/proxy-config/index.ts'
import { folderWith, missing, startProgram } from './program.ts'
import type { StartProxy } from './proofs/scene.ts'
import type { ProxyUnderTest } from './proxy-proofs.ts'
import { request } from './server.ts'
import { eventually } from './verdict.ts'

const NO_COOKIES = 'a cookie can only be taken away together with all others'

/** No package of Debian has it: it runs where somebody has put a `traefik` on the PATH. */
export const traefikUnderTest: ProxyUnderTest = {
  name: 'Traefik',
  missing: missing('traefik'),
  cannot: {
    cookie: NO_COOKIES,
    'cookie-trick': NO_COOKIES,
    'own-cookie': NO_COOKIES,
    'domains-cookie': NO_COOKIES,
    'own-405': 'cannot answer by method; Vestibule refuses both (400), whatever the rules say',
    targets: 'makes a path of `http://…`, asks about that path and sends that path on',
    verbatim: 'cleans `//` and `..` away before it asks (`sanitizePath`)',
    slashes: 'cleans `//` and `..` away before it asks (`sanitizePath`)',
  },
  start,
  http2: start,
}

async function start(...[t, setup]: Parameters<StartProxy>): Promise<void> {
  const files = Object.fromEntries(proxies.traefik(setup).map(({ name, text }) => [name, text]))
  const folder = folderWith(t, files)
  const own = folderWith(t, {
    // It asks nobody on the network for a newer version.
    'traefik.yml': `global: { checkNewVersion: false, sendAnonymousUsage: false }
${files['traefik.yml']?.replace('/etc/traefik/dynamic/', `${folder}/`)}`,
  })
  const port = Number(setup.listen.split(':').at(-1))
  await startProgram(t, 'traefik', [`--configfile=${own}/traefik.yml`], { folder, port })
  // It listens before it has read the file, and answers 404 until then.
  await eventually(
    () => request(port, '/', { headers: { Host: hostsOf(setup)[0] } }),
    ({ status }) => status !== 404,
  )
}
