import { readFileSync } from 'node:fs'

/** The nginx snippet of deploy/nginx as it is, but for ports and the hosts it answers. */
export function snippet(ports: { vestibule: number; listen: number; app: number }): string {
  return readFileSync('deploy/nginx/vestibule.conf', 'utf8')
    .replaceAll('127.0.0.1:9091', `127.0.0.1:${ports.vestibule}`)
    .replaceAll('listen 127.0.0.1:8080', `listen 127.0.0.1:${ports.listen}`)
    .replaceAll('127.0.0.1:8081', `127.0.0.1:${ports.app}`)
    .replace('server_name app.vestibule.localhost', 'server_name *.vestibule.localhost')
}
