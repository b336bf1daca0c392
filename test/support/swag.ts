import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { proxies } from '../../src/features/proxy-config/index.ts'
import { noNginx, startNginx } from './nginx.ts'
import { folderWith } from './program.ts'
import type { ProxyUnderTest } from './proxy-proofs.ts'

/** Where each file says that it goes. */
const PLACES: Readonly<Record<string, string>> = {
  'vestibule-http.conf': 'site-confs',
  'vestibule-server.conf': '.',
  'vestibule-location.conf': '.',
  'app.subdomain.conf': 'proxy-confs',
  'vestibule.subdomain.conf': 'proxy-confs',
}

/** The real nginx, with what SWAG's nginx.conf and default site have around our files. */
export const swagUnderTest: ProxyUnderTest = {
  name: 'SWAG',
  missing: noNginx,
  cannot: {},
  async start(t, setup) {
    const folder = folderWith(t, {})
    const here = (text: string) => text.replaceAll('/config/nginx', folder)
    const write = (path: string, text: string) => {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), here(text))
    }
    for (const { name, text } of proxies.swag(setup)) write(`${PLACES[name]}/${name}`, text)
    write('resolver.conf', 'resolver 127.0.0.11 valid=30s;\n')
    write(
      'site-confs/default.conf',
      `server {
    listen ${setup.listen} default_server;
    server_name _;
    root ${folder};
    location / { try_files /index.html =404; }
}
`,
    )
    const around = `client_body_buffer_size 128k;
client_max_body_size 0;
large_client_header_buffers 4 16k;
variables_hash_max_size 2048;
map $http_upgrade $connection_upgrade { default upgrade; '' close; }
include /config/nginx/site-confs/*.conf;
include /config/nginx/proxy-confs/*.subdomain.conf;
`
    await startNginx(t, here(around), Number(setup.listen.split(':').at(-1)))
  },
}
