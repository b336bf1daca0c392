/**
 * Writes what deploy/ has of the generators; `--check` fails when it is stale.
 *
 * deploy/<proxy>/ is what `vestibule proxy-config <proxy>` prints without a configuration, deploy/example.com/<proxy>/ what
 * it prints with config.example.yml, deploy/compose/nginx.conf what docker-compose.yml starts, and deploy/traefik/docker/
 * has what the compose file beside it mounts.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { formatFaults, loadConfig } from '../src/config/index.ts'
import {
  neighbours,
  nginxInOne,
  type ProxySetup,
  proxies,
  setupFor,
} from '../src/features/proxy-config/index.ts'
import { cookieDomains } from '../src/features/sessions/index.ts'
import { features } from '../src/features.ts'

/** The file's text by its path. */
type Files = readonly { readonly path: string; readonly text: string }[]

async function outputs(folder: string, files: readonly string[]): Promise<Files> {
  const loaded = await loadConfig({ files, env: {}, features, cwd: process.cwd() })
  if (!loaded.ok) throw new Error(formatFaults(loaded.faults))
  const { config } = loaded
  const configured = {
    address: config['server'].address,
    domains: cookieDomains(config['session']),
    identityHeaders: config['identity_headers'],
  }
  return Object.entries(proxies).flatMap(([name, print]) => {
    // The list's own names.
    const near = neighbours[name as keyof typeof proxies]
    return print(setupFor(configured, { neighbours: near })).map((file) => ({
      path: `${folder}/${name}/${file.name}`,
      text: file.text,
    }))
  })
}

/** What docker-compose.yml starts, and deploy/traefik/docker/docker-compose.yml. */
const compose: ProxySetup = {
  verifyUpstream: 'vestibule:9091',
  listen: '8080',
  tls: false,
  domains: [
    {
      domain: 'vestibule.localhost',
      hosts: ['app.vestibule.localhost'],
      portalHost: 'auth.vestibule.localhost',
    },
  ],
  appUpstream: 'app:80',
  cookieNames: ['vestibule_session'],
  identityHeaders: {
    user: 'Remote-User',
    groups: 'Remote-Groups',
    name: 'Remote-Name',
    email: 'Remote-Email',
  },
}

const traefikText = (file: string): string =>
  proxies.traefik(compose).find(({ name }) => name === file)?.text ?? ''

/** Docker tells Traefik of apps that say so, and by this network it reaches them. */
const DOCKER_PROVIDER = '  docker: { exposedByDefault: false, network: traefik-apps }\n'

const files = [
  ...(await outputs('deploy', [])),
  ...(await outputs('deploy/example.com', ['config.example.yml'])),
  { path: 'deploy/compose/nginx.conf', text: nginxInOne(compose) },
  { path: 'deploy/traefik/docker/vestibule.yml', text: traefikText('vestibule.yml') },
  { path: 'deploy/traefik/docker/traefik.yml', text: traefikText('traefik.yml') + DOCKER_PROVIDER },
]

const current = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

const stale = files.filter(({ path, text }) => current(path) !== text)
if (process.argv.includes('--check')) {
  for (const { path } of stale) console.error(`${path} is stale: node .ci/deploy.ts`)
  if (stale.length > 0) process.exit(1)
} else {
  for (const { path, text } of stale) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
    console.log(`wrote ${path}`)
  }
}
