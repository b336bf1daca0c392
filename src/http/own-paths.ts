/**
 * The first segments of the paths at which we answer. Manifests declare them, so that a base path that collides with one is
 * refused before anything starts. The app does not boot with a route at any other path: none can be forgotten.
 */
import type { RouteOptions } from 'fastify'
import { type Declared, defineManifest } from '../kernel/feature.ts'
import http from './manifest.ts'

/** `/api` of `/api/health`; `/` of `/`. */
const firstSegment = (path: string): string => `/${path.split('/')[1] ?? ''}`

/**
 * Refuses a base path below which something of ours lies already. A proxy that asks at /verify for a verdict must not find
 * the portal there: a page is 200, and that is a yes.
 */
export function basePathCheck(
  paths: readonly string[],
): Declared<Record<never, never>, never, never> {
  return defineManifest({
    reads: [http],
    check({ server: { address } }, report) {
      if (!paths.includes(firstSegment(address.basePath))) return
      report.fault(
        ['server', 'address'],
        `has the base path ${address.basePath}, where other things of ours are`,
        'a path of its own, such as /auth',
      )
    },
  })
}

/** For `onRoute`: a route at a path that no manifest declares stops the boot. */
export const onlyAt =
  (paths: readonly string[]) =>
  ({ method, url }: Pick<RouteOptions, 'method' | 'url'>): void => {
    // The portal itself, and what answers that there is nothing.
    if (url === '/' || url === '*' || paths.includes(firstSegment(url))) return
    throw new TypeError(`${String(method)} ${url} lies at a path that no manifest declares: paths`)
  }

/** What lies below the base path is served, and so is what a proxy has taken the base path off already. */
export function withoutBase(url: string, base: string): string {
  if (!url.startsWith(base)) return url
  const rest = url.slice(base.length)
  return rest === '' || rest[0] === '?' ? `/${rest}` : rest[0] === '/' ? rest : url
}
