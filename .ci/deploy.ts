/**
 * Writes deploy/<proxy>/ and deploy/compose/nginx.conf from the generators; `--check` fails when they are stale.
 *
 * deploy/<proxy>/ is what `vestibule proxy-config <proxy>` prints without a configuration.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { type ProxySetup, proxies } from '../src/features/proxy-config/index.ts'

/** The embedded defaults. */
const defaults: ProxySetup = {
  verifyUpstream: '127.0.0.1:9091',
  listen: '127.0.0.1:8080',
  tls: false,
  hosts: ['app.vestibule.localhost'],
  appUpstream: '127.0.0.1:8081',
  cookieNames: ['vestibule_session'],
  identityHeaders: {
    user: 'Remote-User',
    groups: 'Remote-Groups',
    name: 'Remote-Name',
    email: 'Remote-Email',
  },
}
/** What docker-compose.yml starts. */
const compose: ProxySetup = {
  ...defaults,
  verifyUpstream: 'vestibule:9091',
  listen: '8080',
  appUpstream: 'app:80',
  portalHost: 'auth.vestibule.localhost',
}

const files = [
  ...Object.entries(proxies).flatMap(([proxy, print]) =>
    print(defaults).map(({ name, text }) => ({ path: `deploy/${proxy}/${name}`, text })),
  ),
  ...proxies.nginx(compose).map(({ text }) => ({ path: 'deploy/compose/nginx.conf', text })),
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
