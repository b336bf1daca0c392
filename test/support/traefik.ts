import { parse } from 'yaml'
import { hostsOf, type ProxySetup, proxies } from '../../src/features/proxy-config/index.ts'
import { folderWith, missing, startProgram } from './program.ts'
import type { StartProxy } from './proofs/scene.ts'
import type { ProxyUnderTest } from './proxy-proofs.ts'
import { request } from './server.ts'
import { eventually } from './verdict.ts'

const NO_COOKIES = 'a cookie can only be taken away together with all others'

/** No package of Debian has it: its tests run where a `traefik` is on the PATH. */
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

function start(...[t, setup]: Parameters<StartProxy>): Promise<void> {
  return startTraefik(t, setup, textOf(setup, 'app.yml'))
}

/** @param app in place of app.yml: the file provider's text about the app */
export async function startTraefik(
  t: Parameters<StartProxy>[0],
  setup: ProxySetup,
  app: string,
): Promise<void> {
  const folder = folderWith(t, { 'vestibule.yml': textOf(setup, 'vestibule.yml'), 'app.yml': app })
  const own = folderWith(t, {
    // It does not look on the network for a newer version.
    'traefik.yml': `global: { checkNewVersion: false, sendAnonymousUsage: false }
${textOf(setup, 'traefik.yml').replace('/etc/traefik/dynamic', folder)}`,
  })
  const port = Number(setup.listen.split(':').at(-1))
  await startProgram(t, 'traefik', [`--configfile=${own}/traefik.yml`], { folder, port })
  // It listens before it has read the files, and answers 404 until then.
  await eventually(
    () => request(port, '/', { headers: { Host: hostsOf(setup)[0] } }),
    ({ status }) => status !== 404,
  )
}

const textOf = (setup: ProxySetup, file: string): string =>
  proxies.traefik(setup).find(({ name }) => name === file)?.text ?? ''

/** What Docker would tell Traefik of docker-labels.yml, as a text for the file provider. */
export function appByLabels(setup: ProxySetup): string {
  const { 'traefik.enable': enabled, ...labels } = labelsOf(setup)
  if (enabled !== 'true') throw new Error('Traefik would not look at this app')
  // Docker's provider leads a router to the one service that its container has.
  const tree = { http: { routers: { app: { service: 'app' } } } }
  for (const [label, value] of Object.entries(labels)) {
    const [, ...path] = label.split('.')
    nest(
      tree,
      path.map(inFile),
      /\.(entrypoints|middlewares)$/.test(label) ? value.split(',') : value,
    )
  }
  return JSON.stringify(tree).replace(
    /"server":\{"port":"(\d+)"\}/,
    '"servers":[{"url":"http://127.0.0.1:$1"}]',
  )
}

/** Labels are all lower case; a file is not. */
const inFile = (key: string): string =>
  key.replace('entrypoints', 'entryPoints').replace('loadbalancer', 'loadBalancer')

/** The labels that are printed for an app. */
export const labelsOf = (setup: ProxySetup): Readonly<Record<string, string>> =>
  parse(textOf(setup, 'docker-labels.yml')).services.app.labels

function nest(tree: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [key = '', ...rest] = path
  if (rest.length === 0) {
    tree[key] = value
    return
  }
  const below = isObject(tree[key]) ? tree[key] : {}
  tree[key] = below
  nest(below, rest, value)
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null
