import type { PrintSnippet } from '../setup.ts'
import { apache } from './apache.ts'
import { caddy } from './caddy.ts'
import { envoy } from './envoy.ts'
import { haproxy } from './haproxy.ts'
import { nginx } from './nginx.ts'
import { traefik } from './traefik.ts'

/** Every proxy that a snippet can be printed for, by the name that the command line knows it by. */
export const proxies = {
  nginx,
  traefik,
  caddy,
  haproxy,
  envoy,
  apache,
} as const satisfies Readonly<Record<string, PrintSnippet>>

export type ProxyName = keyof typeof proxies

export const isProxyName = (name: string): name is ProxyName => Object.hasOwn(proxies, name)
