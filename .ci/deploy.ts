/** Writes deploy/nginx and deploy/compose/nginx.conf from the generator; `--check` fails when they are stale. */
import { readFileSync, writeFileSync } from 'node:fs'
import { proxies } from '../src/features/proxy-config/index.ts'

const identityHeaders = {
  user: 'Remote-User',
  groups: 'Remote-Groups',
  name: 'Remote-Name',
  email: 'Remote-Email',
}
const cookieName = 'vestibule_session'

/** File by what it is for. */
const files: Readonly<Record<string, string>> = {
  // The embedded defaults: what the first start prints.
  'deploy/nginx/vestibule.conf': proxies.nginx({
    verifyUpstream: '127.0.0.1:9091',
    listen: '127.0.0.1:8080',
    serverName: 'app.vestibule.localhost',
    appUpstream: '127.0.0.1:8081',
    cookieName,
    identityHeaders,
  }),
  'deploy/compose/nginx.conf': proxies.nginx({
    verifyUpstream: 'vestibule:9091',
    listen: '8080',
    serverName: 'app.vestibule.localhost',
    appUpstream: 'app:80',
    portalServerName: 'auth.vestibule.localhost',
    cookieName,
    identityHeaders,
  }),
}

let stale = false
for (const [file, text] of Object.entries(files)) {
  if (!process.argv.includes('--check')) {
    writeFileSync(file, text)
  } else if (readFileSync(file, 'utf8') !== text) {
    stale = true
    console.error(`${file} is stale: node .ci/deploy.ts`)
  }
}
if (stale) process.exit(1)
