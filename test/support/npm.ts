import type { TestContext } from 'node:test'
import {
  hostsOf,
  type ProxySetup,
  portalsOf,
  proxies,
} from '../../src/features/proxy-config/index.ts'
import { noNginx, startNginx } from './nginx.ts'
import type { ProxyUnderTest } from './proxy-proofs.ts'

/**
 * The real nginx, with what Nginx Proxy Manager writes around our texts: websockets on, and whatever else its tabs offer
 * as `extra`.
 */
export async function startNpm(
  t: Pick<TestContext, 'after'>,
  setup: ProxySetup,
  extra = '',
): Promise<void> {
  const files = Object.fromEntries(proxies.npm(setup).map(({ name, text }) => [name, text]))
  const host = (names: string, to: string, advanced: string, more = '') => {
    const [, server = '', port = ''] = /^(.*):(\d+)$/.exec(to) ?? []
    return `server {
  set $forward_scheme http;
  set $server "${server}";
  set $port ${port};
  listen ${setup.listen};
  server_name ${names};
  ${more}
  proxy_set_header Upgrade $http_upgrade;
  proxy_set_header Connection $http_connection;
  proxy_http_version 1.1;
  access_log off;
${advanced}
}
`
  }
  await startNginx(
    t,
    `client_max_body_size 2000m;
server_names_hash_bucket_size 1024;
proxy_http_version 1.1;
proxy_set_header X-Forwarded-Scheme $scheme;
proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
proxy_set_header Accept-Encoding "";
resolver 127.0.0.11 valid=30s;
set_real_ip_from 10.0.0.0/8;
set_real_ip_from 172.16.0.0/12;
set_real_ip_from 192.168.0.0/16;
# In place of a private network's.
set_real_ip_from 127.0.0.0/8;
real_ip_header X-Real-IP;
real_ip_recursive on;
${files['http_top.conf']}
server {
  listen ${setup.listen};
  server_name localhost-nginx-proxy-manager;
  location / { return 404; }
}
${host(hostsOf(setup).join(' '), setup.appUpstream, files['advanced.conf'] ?? '', extra)}
${files['portal-advanced.conf'] === undefined ? '' : host(portalsOf(setup).join(' '), setup.verifyUpstream, files['portal-advanced.conf'])}`,
    Number(setup.listen.split(':').at(-1)),
  )
}

export const npmUnderTest: ProxyUnderTest = {
  name: 'Nginx Proxy Manager',
  missing: noNginx,
  cannot: {},
  start: startNpm,
}
