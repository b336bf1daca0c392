import { apacheUnderTest } from './apache.ts'
import { caddyUnderTest } from './caddy.ts'
import { envoyUnderTest } from './envoy.ts'
import { haproxyUnderTest } from './haproxy.ts'
import { ingressNginxUnderTest } from './ingress-nginx.ts'
import { nginxUnderTest } from './nginx.ts'
import { npmUnderTest } from './npm.ts'
import {
  type Cannot,
  DOMAIN_PROOFS,
  FORWARDED_PROOFS,
  OWN_PROOFS,
  PROOFS,
  type ProxyUnderTest,
} from './proxy-proofs.ts'
import { swagUnderTest } from './swag.ts'
import { traefikUnderTest } from './traefik.ts'

/** Every proxy that the proofs are run against, by the name that `vestibule proxy-config` knows it by. */
export const proxiesUnderTest: Readonly<Record<string, ProxyUnderTest>> = {
  nginx: nginxUnderTest,
  traefik: traefikUnderTest,
  caddy: caddyUnderTest,
  haproxy: haproxyUnderTest,
  envoy: envoyUnderTest,
  apache: apacheUnderTest,
  'ingress-nginx': ingressNginxUnderTest,
  swag: swagUnderTest,
  npm: npmUnderTest,
}

/** The table of docs/guides/proxies.md: what is proven of each proxy, and below it why something can't be. */
export function proofTable(): string {
  const names = Object.keys(proxiesUnderTest)
  const notes: string[] = []
  const note = (name: string, reason: string): string => {
    const text = `${name}: ${reason}.`
    if (!notes.includes(text)) notes.push(text)
    return `no (${notes.indexOf(text) + 1})`
  }
  const rows = Object.entries({
    ...PROOFS,
    ...OWN_PROOFS,
    ...DOMAIN_PROOFS,
    ...FORWARDED_PROOFS,
  }).map(([id, { title }]) => {
    const marks = Object.values(proxiesUnderTest).map(({ name, cannot }) => {
      const reason = Object.entries<string | undefined>(cannot satisfies Cannot).find(
        ([one]) => one === id,
      )?.[1]
      return reason === undefined ? '✔' : note(name, reason)
    })
    return [title.replace(/[|*]/g, '\\$&'), ...marks]
  })
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [
    line(['', ...names]),
    line(['', ...names].map(() => '---')),
    ...rows.map(line),
    '',
    ...notes.map((text, index) => `${index + 1}. ${text}`),
  ].join('\n')
}
