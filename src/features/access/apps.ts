import { isLoopback } from '../../kernel/host.ts'
import type { App } from './access.ts'
import type { Target } from './question.ts'
import type { Rule } from './rules.ts'

/** The titled hosts of the rules that may be opened, each with the title once. */
export function appsOf(
  rules: readonly Rule[],
  address: string,
  isAllowed: (target: Target) => boolean,
): readonly App[] {
  const apps = new Map<string, App>()
  for (const { title, icon, domains } of rules) {
    if (title === undefined) continue
    for (const domain of domains) {
      if (domain.kind !== 'exact') continue
      const { host } = domain
      const target = {
        scheme: 'https',
        host,
        path: '/',
        query: undefined,
        method: 'GET',
        address,
      }
      if (!isAllowed(target)) continue
      const app = appOf(host, title, icon)
      if (!apps.has(`${host} ${app.title}`)) apps.set(`${host} ${app.title}`, app)
    }
  }
  return [...apps.values()]
}

function appOf(host: string, title: string, icon: string | undefined): App {
  // Apps on the same machine are the only ones without TLS
  const scheme = isLoopback(host) ? 'http' : 'https'
  const url = `${scheme}://${host.includes(':') ? `[${host}]` : host}/`
  return { title, host, url, ...(icon !== undefined && { icon }) }
}
