/** `server.endpoints`: the verify endpoints that an operator names. */
import { z } from 'zod'
import type { ConfigPath, ConfigReport } from '../../kernel/feature.ts'
import { duration } from '../../kernel/scalars.ts'

const STRATEGIES = [
  'CookieSession',
  'HeaderAuthorization',
  'HeaderProxyAuthorization',
  'HeaderAuthRequestProxyAuthorization',
  'HeaderLegacy',
] as const

/** RFC 9110 §11.1: a scheme has no case, and people write `Basic`. */
const scheme = () =>
  z
    .string()
    .toLowerCase()
    .pipe(z.enum(['basic', 'bearer']))

const IMPLEMENTATIONS = ['ForwardAuth', 'AuthRequest', 'ExtAuthz', 'Legacy'] as const

const authz = z.strictObject({
  implementation: z
    .enum(IMPLEMENTATIONS)
    .optional()
    .describe(
      'Which family of proxies this endpoint answers. Every endpoint needs it but `legacy`, whose name says it.',
    ),
  authn_strategies: z
    .array(
      z.strictObject({
        name: z.enum(STRATEGIES).describe('Where a credential is looked for.'),
        schemes: z
          .array(scheme())
          .default(['basic'])
          .describe('The schemes that a header strategy reads.'),
        scheme_basic_cache_lifespan: duration()
          .optional()
          .describe('How long a successful Basic credential is remembered.'),
      }),
    )
    .optional()
    .describe('In the order in which they are asked.'),
})

/** Segments that begin with a letter or digit: no `..`, no `//`. Authelia's guide for nginx has `auth-request/basic`. */
const ENDPOINT = /^[A-Za-z0-9][A-Za-z0-9_.-]*(\/[A-Za-z0-9][A-Za-z0-9_.-]*)*$/

export const endpoints = z
  .strictObject({
    authz: z
      .record(
        z.string().max(64).regex(ENDPOINT, {
          error: 'letters, digits, -, _ and . are allowed, and / between them',
        }),
        authz,
      )
      .optional()
      .describe('Verify endpoints by name, mounted at `/api/authz/<name>`.'),
  })
  .prefault({})

/** Authelia mounts the endpoint of this name at its old address, in its old manner. */
export function checkEndpoints(
  { authz = {} }: z.infer<typeof endpoints>,
  report: ConfigReport,
): void {
  const paths: ConfigPath = ['server', 'endpoints', 'authz']
  for (const [name, { implementation, authn_strategies = [] }] of Object.entries(authz)) {
    if (implementation === undefined && name !== 'legacy')
      report.fault([...paths, name, 'implementation'], 'is missing', IMPLEMENTATIONS.join(', '))
    else if ((name === 'legacy') !== ((implementation ?? 'Legacy') === 'Legacy'))
      report.fault(
        [...paths, name, 'implementation'],
        'the implementation Legacy and the name legacy belong together',
      )
    // What is below such an endpoint is the path that is asked about.
    const above = Object.keys(authz).find(
      (other) => name.startsWith(`${other}/`) && authz[other]?.implementation === 'ExtAuthz',
    )
    if (above !== undefined)
      report.fault(
        [...paths, name],
        `lies below ${above}, whose implementation ExtAuthz takes every path below it`,
        'another name',
      )
    const seen = new Set<string>()
    for (const [index, strategy] of authn_strategies.entries()) {
      const place = [...paths, name, 'authn_strategies', index]
      if (seen.has(strategy.name)) report.fault([...place, 'name'], 'is in the list already')
      seen.add(strategy.name)
      const bearer = strategy.schemes.indexOf('bearer')
      if (bearer !== -1)
        report.warn(
          [...place, 'schemes', bearer],
          'bearer has no effect yet: such a header is passed over, as if it were not there',
        )
      if (strategy.scheme_basic_cache_lifespan !== undefined && !strategy.schemes.includes('basic'))
        report.fault([...place, 'scheme_basic_cache_lifespan'], 'needs the scheme basic')
    }
  }
}
