import type { Neighbours, PrintSnippet } from '../setup.ts'
import { apache } from './apache.ts'
import { caddy } from './caddy.ts'
import { envoy } from './envoy.ts'
import { haproxy } from './haproxy.ts'
import { ingressNginx } from './ingress-nginx.ts'
import { nginx } from './nginx.ts'

export { nginxInOne } from './nginx.ts'

import { npm } from './npm.ts'
import { swag } from './swag.ts'
import { traefik } from './traefik.ts'

/** Every proxy that a snippet can be printed for, by the name that the command line knows it by. */
export const proxies = {
  nginx,
  traefik,
  caddy,
  haproxy,
  envoy,
  apache,
  'ingress-nginx': ingressNginx,
  swag,
  npm,
} as const satisfies Readonly<Record<string, PrintSnippet>>

export type ProxyName = keyof typeof proxies

export const isProxyName = (name: string): name is ProxyName => Object.hasOwn(proxies, name)

/** What proxies in containers call the others, unless told otherwise. */
export const neighbours: Readonly<Partial<Record<ProxyName, Neighbours>>> = {
  swag: { vestibule: 'vestibule', app: 'app:80' },
  npm: { vestibule: 'vestibule', app: 'app:80' },
  'ingress-nginx': { vestibule: 'vestibule.default.svc.cluster.local', app: 'app:80' },
}
