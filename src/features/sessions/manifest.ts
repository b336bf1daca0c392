import { z } from 'zod'
import { parseAddress } from '../../kernel/cidr.ts'
import { type ConfigReport, defineManifest, type SlicesOf } from '../../kernel/feature.ts'
import { browserHost, isLoopback, isWithin, parseHost } from '../../kernel/host.ts'
import { isPublicSuffix } from '../../kernel/public-suffix.ts'
import {
  duration,
  durationOrOff,
  oneOrMany,
  scalarMeta,
  secret,
  webUrl,
} from '../../kernel/scalars.ts'
import redisManifest from '../../storage/redis/manifest.ts'

const SECOND = 1000
/** Past this, dates leave the range that cookies and JavaScript can say. */
const CENTURY = 100 * 365 * 86_400 * SECOND
/** Authelia asks this much of `storage.encryption_key`; a session's secret is worth no less. */
const GOOD_SECRET = 20
/** RFC 6265 §4.1.1: a cookie's name is a token of RFC 2616. */
const COOKIE_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/

const cookieName = () =>
  z.string().refine((name) => COOKIE_NAME.test(name), {
    error: 'is no name of a cookie',
    params: { allowed: 'letters, digits, - and _' },
  })

const sameSite = () =>
  z
    .string()
    .toLowerCase()
    .pipe(z.enum(['lax', 'strict', 'none']))

const lifetime = () =>
  duration().refine((ms) => ms >= SECOND && ms <= CENTURY, {
    error: 'is no lifetime of a session',
    params: { allowed: 'a duration of at least 1 second' },
  })

const remembering = () =>
  durationOrOff()
    .refine((ms) => ms === 0 || (ms >= SECOND && ms <= CENTURY), {
      error: 'is no lifetime of a session',
      params: { allowed: 'a duration of at least 1 second, or -1 to turn it off' },
    })
    .register(scalarMeta, { zero: 'turns "keep me signed in" off' })

const inactivity = () => duration().register(scalarMeta, { zero: 'sets no limit' })

/**
 * The domain of a cookie in its one spelling: without the dot that old configurations put in front, addresses in their
 * canonical form.
 */
export function canonicalDomain(written: string): string {
  const domain = written.startsWith('.') ? written.slice(1) : written
  return parseAddress(domain)?.text ?? domain
}

/**
 * Whether a cookie for this domain must come without `Domain`: an address has no subdomains, and a bare `localhost` is
 * a public suffix to browsers, so that a cookie with `Domain=localhost` is not shared with `app.localhost`.
 * @param domain canonical
 */
export function isHostOnly(domain: string): boolean {
  return domain === 'localhost' || parseAddress(domain) !== undefined
}

/** Whether the cookie of this domain is sent to this host. Both canonical. */
export function covers(domain: string, host: string): boolean {
  return isHostOnly(domain) ? host === domain : isWithin(host, domain)
}

/** What is wrong with a cookie domain, and what would be right; undefined when nothing is. */
function domainFault(written: string): { message: string; allowed: string } | undefined {
  const domain = canonicalDomain(written)
  const allowed = 'example.com (it covers every name below it), an IP address, localhost'
  if (isHostOnly(domain)) return undefined
  if (written.startsWith('*')) return { message: 'is a wildcard', allowed }
  if (/[A-Z]/.test(domain)) return { message: 'is not in lower case', allowed }
  if (/[^a-z0-9.-]/.test(domain)) {
    return {
      message: 'is no domain',
      allowed: `${allowed}; other alphabets in their xn-- form`,
    }
  }
  if (domain.length > 253 || !domain.split('.').every((label) => LABEL.test(label)))
    return { message: 'is no domain', allowed }
  if (!domain.includes('.')) {
    return { message: 'has no dot: browsers refuse a cookie for it', allowed }
  }
  // As a browser reads it: 1.2.3 is 1.2.0.3 to it.
  if (parseHost(domain, 'https')?.name !== domain) return { message: 'is no domain', allowed }
  if (isPublicSuffix(domain)) {
    return {
      message:
        'is a public suffix: other people have names below it, and browsers refuse a cookie for it',
      allowed: `your own name below it, such as home.${domain}`,
    }
  }
  return undefined
}

const cookie = z
  .strictObject({
    domain: z
      .string()
      .superRefine((written, context) => {
        const fault = domainFault(written)
        if (fault === undefined) return
        context.addIssue({
          code: 'custom',
          message: fault.message,
          params: { allowed: fault.allowed },
        })
      })
      .describe(
        'The domain of the cookie: this host and every name below it share one sign-in. Domains must not overlap. An IP address and a bare `localhost` stand for that one host alone.',
      ),
    portal_url: webUrl()
      .optional()
      .describe(
        "Where people of this domain sign in: an `https` address inside the domain (`http` for localhost names). Authelia's `authelia_url`. Without it, a request that is not signed in is refused unless the proxy names a portal.",
      ),
    default_redirection_url: webUrl()
      .optional()
      .describe('Where a sign-in leads that came from nowhere; inside the domain.'),
    name: cookieName().optional().describe('As `session.name`, for this domain.'),
    same_site: sameSite().optional().describe('As `session.same_site`, for this domain.'),
    expiration: lifetime().optional().describe('As `session.expiration`, for this domain.'),
    inactivity: inactivity().optional().describe('As `session.inactivity`, for this domain.'),
    remember_me: remembering().optional().describe('As `session.remember_me`, for this domain.'),
  })
  .superRefine((entry, context) => {
    const domain = canonicalDomain(entry.domain)
    for (const key of ['portal_url', 'default_redirection_url'] as const) {
      const written = entry[key]
      const message = written === undefined ? undefined : urlFault(written, domain, key)
      if (message === undefined) continue
      context.addIssue({
        code: 'custom',
        path: [key],
        message,
        params: { allowed: `https://${key === 'portal_url' ? 'auth.' : ''}${domain}` },
      })
    }
    const { portal_url: portal, default_redirection_url: fallback } = entry
    if (portal !== undefined && fallback !== undefined && samePage(portal, fallback)) {
      context.addIssue({
        code: 'custom',
        path: ['default_redirection_url'],
        message: 'is the portal itself',
        params: { allowed: 'the address of an app' },
      })
    }
  })

function urlFault(written: string, domain: string, key: string): string | undefined {
  const url = new URL(written)
  const host = browserHost(url)
  if (host === undefined) return 'has no host that can be used'
  if (!covers(domain, host.name)) return `is not inside the cookie domain ${domain}`
  if (url.protocol !== 'https:' && !isLoopback(host.name)) {
    return 'is not https: browsers do not send the cookie there'
  }
  if (key === 'portal_url' && (url.search !== '' || url.hash !== ''))
    return 'has a query or a fragment'
  return undefined
}

function samePage(a: string, b: string): boolean {
  const page = (text: string) => new URL(text).href.replace(/\/$/, '')
  return page(a) === page(b)
}

const session = z
  .strictObject({
    name: cookieName()
      .default('vestibule_session')
      .describe('The name of the session cookie. A `__Host-` prefix needs host-only domains.'),
    same_site: sameSite()
      .prefault('lax')
      .describe(
        '`lax`, `strict` or `none`: whether the cookie goes along when another site links here. `none` is for apps that are framed by other sites.',
      ),
    expiration: lifetime()
      .prefault('1h')
      .describe('A session ends this long after signing in, used or not.'),
    inactivity: inactivity()
      .prefault('5m')
      .describe('A session ends when it was not used for this long. 0 turns the limit off.'),
    remember_me: remembering()
      .prefault('1M')
      .describe(
        'How long a session lives when "keep me signed in" was ticked; it has no inactivity limit then. -1 takes the box away.',
      ),
    secret: oneOrMany(secret())
      .refine((secrets) => secrets.length > 0, {
        error: 'is an empty list',
        params: { allowed: 'a secret, or a list of secrets' },
      })
      .optional()
      .describe(
        'Seals sessions where they are stored. A list changes the secret without ending sessions: the first one seals, all of them open. Without it, one is made and kept in the data directory.',
      ),
    cache_size: z
      .int()
      .min(100)
      .max(10_000_000)
      .default(250_000)
      .describe(
        'How many sessions are kept in memory at the most, about 700 bytes each; what is not used goes first. More than twice as many as are in use at once spares reading them again.',
      ),
    cookies: z
      .array(cookie)
      .min(1)
      .describe('The domains that Vestibule guards, each with its own sign-in.'),
  })
  .superRefine(({ name, cookies }, context) => {
    const seen: string[] = []
    for (const [index, entry] of cookies.entries()) {
      const domain = canonicalDomain(entry.domain)
      const other = seen.find((one) => covers(one, domain) || covers(domain, one))
      if (other !== undefined) {
        context.addIssue({
          code: 'custom',
          path: ['cookies', index, 'domain'],
          message:
            other === domain ? 'stands here twice' : `overlaps with the cookie domain ${other}`,
          params: { allowed: 'domains of which none lies inside another' },
        })
      }
      seen.push(domain)
      if (isHostOnly(domain) || !/^__host-/i.test(entry.name ?? name)) continue
      context.addIssue({
        code: 'custom',
        path: entry.name === undefined ? ['name'] : ['cookies', index, 'name'],
        message: `cannot be used for ${domain}: browsers refuse a __Host- cookie that has a Domain`,
        params: { allowed: 'a name without a prefix, or with __Secure-' },
      })
    }
  })

export type SessionConfig = z.infer<typeof session>

function check(
  {
    session: { cookies, secret: secrets = [] },
    'session.redis': redis,
  }: { readonly session: SessionConfig } & SlicesOf<typeof redisManifest>,
  report: ConfigReport,
): void {
  for (const [index, { domain, portal_url }] of cookies.entries()) {
    if (domain.startsWith('.')) {
      report.warn(['session', 'cookies', index, 'domain'], 'the dot in front has no effect')
    }
    if (portal_url === undefined) {
      report.warn(
        ['session', 'cookies', index],
        `${canonicalDomain(domain)} has no portal_url: who is not signed in gets an error there, unless the proxy names a portal`,
      )
    }
  }
  if (redis !== undefined && secrets.length === 0) {
    report.fault(
      ['session', 'secret'],
      'is missing: with session.redis every instance needs the same one',
      'a secret (vestibule crypto rand), or a list of secrets',
    )
  }
  if (secrets.some((one) => one.reveal().length < GOOD_SECRET)) {
    report.warn(
      ['session', 'secret'],
      `a secret of fewer than ${GOOD_SECRET} characters can be guessed by whoever copies the database`,
    )
  }
}

export default defineManifest({
  config: { session },
  reads: [redisManifest],
  check,
  migrations: {
    '0001_sessions': {
      embedded: true,
      up: async (db) => {
        const { sql } = await import('kysely')
        // What stands here in clear says nothing: hashes, random names and a time (stores/index.ts).
        await db.schema
          .createTable('sessions')
          .addColumn('key', 'text', (column) => column.primaryKey())
          .addColumn('id', 'text', (column) => column.notNull().unique())
          .addColumn('owner', 'text', (column) => column.notNull())
          .addColumn('sealed', 'blob', (column) => column.notNull())
          .addColumn('expires_at', 'integer', (column) => column.notNull())
          .modifyEnd(sql`strict, without rowid`)
          .execute()
        await db.schema.createIndex('sessions_by_owner').on('sessions').column('owner').execute()
        await db.schema
          .createIndex('sessions_by_expiry')
          .on('sessions')
          .column('expires_at')
          .execute()
      },
    },
    '0005_once': {
      embedded: true,
      up: async (db) => {
        const { sql } = await import('kysely')
        // Beside the sessions, and like them: what stands here in clear says nothing (once/index.ts).
        await db.schema
          .createTable('once')
          .addColumn('key', 'text', (column) => column.primaryKey())
          .addColumn('sealed', 'blob', (column) => column.notNull())
          .addColumn('expires_at', 'integer', (column) => column.notNull())
          .modifyEnd(sql`strict, without rowid`)
          .execute()
        await db.schema.createIndex('once_by_expiry').on('once').column('expires_at').execute()
      },
    },
  },
})
