import { z } from 'zod'
import { contains, type Network, parseAddress, parseNetwork } from '../kernel/cidr.ts'
import type { ConfigPath, ConfigReport, Manifest } from '../kernel/feature.ts'
import {
  duration,
  filePath,
  listenAddress,
  networkText,
  oneOrMany,
  scalarMeta,
  webUrl,
} from '../kernel/scalars.ts'
import en from './messages/en.json' with { type: 'json' }

/** RFC 6797 §6.1: directives, max-age among them. */
const HSTS = /^\s*max-age="?\d{1,10}"?\s*(;\s*(includeSubDomains|preload)\s*)*$/i
/** One year, what browsers' preload lists ask for at least. */
const HSTS_DEFAULT = 'max-age=31536000'

const hsts = z.union([z.boolean(), z.string()]).transform((value, context): string | undefined => {
  if (value === false) return undefined
  if (value === true) return HSTS_DEFAULT
  if (HSTS.test(value)) return value.trim()
  context.issues.push({
    code: 'custom',
    input: value,
    message: 'is no value for Strict-Transport-Security',
    params: { allowed: 'true, false, max-age=31536000; includeSubDomains; preload' },
  })
  return z.NEVER
})

const origin = () =>
  z.string().refine((value) => value === "'self'" || URL.parse(value)?.origin === value, {
    error: 'is no origin',
    params: { allowed: "'self', https://dashboard.example.com (no path, no slash at the end)" },
  })

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

const timeout = () => duration().register(scalarMeta, { zero: 'sets no limit' })

/** Segments that begin with a letter or digit: no `..`, no `//`. Authelia's guide for nginx has `auth-request/basic`. */
const ENDPOINT = /^[A-Za-z0-9][A-Za-z0-9_.-]*(\/[A-Za-z0-9][A-Za-z0-9_.-]*)*$/

const server = z.strictObject({
  address: listenAddress()
    .prefault('tcp://:9091/')
    .describe(
      'Where the portal and the verify endpoints listen: `tcp://host:port/path` (an empty host is every interface, ' +
        '`localhost` is 127.0.0.1 and ::1), `tcp4://…`, `tcp6://…`, or `unix:///path?umask=0117`. A path of `tcp://` is the ' +
        'base path below which everything lies.',
    ),
  disable_healthcheck: z
    .boolean()
    .default(false)
    .describe("The container's health check always says healthy."),
  headers: z
    .strictObject({
      hsts: hsts
        .optional()
        .describe(
          'Sends Strict-Transport-Security: `true` for `max-age=31536000`, or the value itself. Off: the proxy in ' +
            'front usually sends it for all its hosts.',
        ),
      frame_ancestors: oneOrMany(origin())
        .default([])
        .describe('Origins that may show the portal in a frame. None: nobody may.'),
    })
    .prefault({}),
  buffers: z
    .strictObject({
      read: z
        .int()
        .min(1)
        .register(scalarMeta, {
          idle: 'has no effect: headers of a request may always be 64 KiB together',
        })
        .default(4096)
        .describe('Without effect: headers of a request may always be 64 KiB together.'),
      write: z
        .int()
        .min(1)
        .register(scalarMeta, { idle: 'has no effect: answers are streamed' })
        .default(4096)
        .describe('Without effect: answers are streamed.'),
    })
    .prefault({}),
  timeouts: z
    .strictObject({
      read: timeout().prefault('6s').describe('How long a client may take to send its request.'),
      write: timeout()
        .prefault('6s')
        .describe(
          'How long an answer may wait without its client taking any of it. 0: as long as it likes.',
        ),
      idle: timeout()
        .prefault('30s')
        .describe('How long a connection is kept open between two requests.'),
    })
    .prefault({}),
  endpoints: z
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
    .prefault({}),
})

const trustedProxies = oneOrMany(z.union([z.literal('private'), networkText()]))
  .default(['127.0.0.0/8', '::1'])
  .describe(
    'Who may ask for a verdict, and whose X-Forwarded-For is believed: addresses, networks, or `private` for all ' +
      'private ranges. A list in place of the default, not in addition. A unix socket is always trusted.',
  )

/** RFC 9110 §5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/
/** Names that mean something to a proxy or a browser by themselves. */
const RESERVED =
  /^(host|connection|keep-alive|te|trailer|upgrade|transfer-encoding|content-.*|cookie|set-cookie2?|location|date|via|forwarded|x-forwarded-.*|x-original-.*|authorization|proxy-.*|www-authenticate|cache-control|pragma|expires|vary|server|retry-after|strict-transport-security)$/i

const headerName = (name: string) =>
  z
    .string()
    .regex(TOKEN, { error: 'is no name for a header' })
    .refine((value) => !RESERVED.test(value), {
      error: 'has a meaning of its own in HTTP',
      params: { allowed: 'a name of your own, such as X-User' },
    })
    .default(name)

const identityHeaders = z.strictObject({
  user: headerName('Remote-User').describe('Carries the user name.'),
  groups: headerName('Remote-Groups').describe('Carries the groups, joined by `separator`.'),
  name: headerName('Remote-Name').describe('Carries the display name.'),
  email: headerName('Remote-Email').describe('Carries the e-mail address.'),
  separator: z
    .string()
    .regex(/^[\x20-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e]$/, {
      error: 'is no separator',
    })
    .default(',')
    .describe(
      'Joins the groups: one character, no letter or digit. A group whose name contains it is left out.',
    ),
})

const network = z
  .record(
    z.string().refine((name) => parseNetwork(name) === undefined && /^\S.{0,99}$/.test(name), {
      error: 'a name that is no address itself',
    }),
    oneOrMany(networkText()),
  )
  .default({})
  .describe('Networks by name, for `access_control.rules[].networks`.')

type Check = NonNullable<Manifest['check']>

const check: Check = (config, report) => {
  // Checks run after every slice parsed: these are the outputs of the schemas above.
  const headers = config['identity_headers'] as z.infer<typeof identityHeaders>
  const { address } = config['server'] as z.infer<typeof server>
  const proxies = config['trusted_proxies'] as z.infer<typeof trustedProxies>
  distinctHeaders(headers, report)
  if (OURS.test(address.basePath))
    report.fault(
      ['server', 'address'],
      `has the base path ${address.basePath}, where other things of ours are`,
      'a path of its own, such as /auth',
    )
  portalsBelowBase(config, address.basePath, report)
  for (const [index, text] of proxies.entries()) openToAll(text, ['trusted_proxies', index], report)
  endpointsFit(config['server'] as z.infer<typeof server>, report)
}

/** A proxy that asks at /verify for a verdict must not find the portal there: a page is 200, and that is a yes. */
const OURS = /^\/(verify|api|static|logout|forbidden|hub|settings|metrics|\.well-known)(\/|$)/

/** Authelia mounts the endpoint of this name at its old address, in its old manner. */
function endpointsFit(
  { endpoints: { authz = {} } }: z.infer<typeof server>,
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

/** People open the portal at portal_url; its pages and forms lie below the base path. */
function portalsBelowBase(
  config: Readonly<Record<string, unknown>>,
  basePath: string,
  report: ConfigReport,
): void {
  // The sessions room's slice, as its schema gives it: this reads no more of it than this.
  const { cookies = [] } = (config['session'] ?? {}) as {
    readonly cookies?: readonly { readonly portal_url?: string | undefined }[]
  }
  for (const [index, { portal_url }] of cookies.entries()) {
    if (portal_url === undefined) continue
    const path = new URL(portal_url).pathname.replace(/\/$/, '') || '/'
    if (path !== basePath)
      report.warn(
        ['session', 'cookies', index, 'portal_url'],
        `has the path ${path}, but server.address serves ${basePath}`,
      )
  }
}

/** Two headers that a proxy or an application server reads as one are one: `X_User` is `X-User` to many. */
function distinctHeaders(
  { separator: _, ...names }: z.infer<typeof identityHeaders>,
  report: ConfigReport,
): void {
  const seen = new Map<string, string>()
  for (const [key, name] of Object.entries(names)) {
    const folded = name.toLowerCase().replaceAll(/[_.]/g, '-')
    const first = seen.get(folded)
    if (first === undefined) seen.set(folded, key)
    else report.fault(['identity_headers', key], `is the same header as identity_headers.${first}`)
  }
}

/** An address from the documentation range (RFC 5737) and one from RFC 3849: nobody's proxy. */
const STRANGERS = ['192.0.2.1', '2001:db8::1'].map((text) => parseAddress(text))

function openToAll(text: string, path: ConfigPath, report: ConfigReport): void {
  const trusted: Network | undefined = parseNetwork(text)
  if (trusted === undefined || trusted.prefix > 1) return
  if (STRANGERS.some((address) => address !== undefined && contains(trusted, address)))
    report.warn(
      path,
      'trusts everybody: any client can claim any address, and networks in rules protect nothing',
    )
}

export default {
  config: {
    server: server.prefault({}).describe('The listener.'),
    trusted_proxies: trustedProxies,
    data_directory: filePath()
      .min(1)
      .default('./data')
      .describe(
        'Where Vestibule keeps its database and the secrets it makes for itself. Made with mode 0700.',
      ),
    logout_url: webUrl()
      .optional()
      .describe("Where the portal's logout leads, in place of its own page."),
    reset_admin_password: z
      .boolean()
      .default(false)
      .describe(
        'Gives `admin` a new random password at the next start, prints it and ends the old sessions. Take it out again afterwards.',
      ),
    admin: z
      .strictObject({
        groups: oneOrMany(z.string().min(1))
          .default(['vestibule-admins'])
          .describe(
            "Groups whose members are administrators of Vestibule. Never an application's.",
          ),
        disable: z.boolean().default(false).describe('There are no pages for administrators.'),
      })
      .prefault({}),
    branding: z
      .strictObject({
        title: z
          .string()
          .min(1)
          .max(64)
          .default('Vestibule')
          .describe('The name above the sign-in form and in the title of the window.'),
        accent: z
          .string()
          .regex(/^#([0-9a-f]{3}|[0-9a-f]{6})$/i, {
            error: 'is no colour; six hex digits, in quotes',
          })
          .optional()
          .describe(
            "The colour of buttons and links: `'#3454d1'`, quoted, as YAML reads # as a comment.",
          ),
      })
      .prefault({}),
    identity_headers: identityHeaders
      .prefault({})
      .describe('The names of the headers that tell an application who is there.'),
    definitions: z.strictObject({ network }).prefault({}),
  },
  check,
  messages: { en },
} as const satisfies Manifest
