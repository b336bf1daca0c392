import { z } from 'zod'
import { domainBrandingConfig, lookAtBrand } from '../../http/manifest.ts'
import { type ConfigReport, defineManifest, type SlicesOf } from '../../kernel/feature.ts'
import {
  duration,
  durationOrOff,
  oneOrMany,
  scalarMeta,
  secret,
  webUrl,
} from '../../kernel/scalars.ts'
import redisManifest from '../../storage/redis/manifest.ts'
import {
  canonicalDomain,
  covers,
  domainFault,
  isHostOnly,
  samePage,
  urlFault,
} from './domain-name.ts'

const SECOND = 1000
/** Past this, dates leave the range that cookies and JavaScript can say. */
const CENTURY = 100 * 365 * 86_400 * SECOND
/** Authelia demands as much of `storage.encryption_key`. */
const GOOD_SECRET = 20
/** RFC 6265 §4.1.1: a cookie's name is a token of RFC 2616. */
const COOKIE_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/

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
    branding: domainBrandingConfig
      .optional()
      .describe('As `branding`, for the pages of this domain; what is not said here is as there.'),
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
      `a secret of fewer than ${GOOD_SECRET} characters can be guessed from a copy of the database`,
    )
  }
}

export default defineManifest({
  config: { session },
  reads: [redisManifest],
  check,
  async look({ session: { cookies } }, place, report) {
    for (const [index, { branding }] of cookies.entries()) {
      if (branding === undefined) continue
      await lookAtBrand(branding, ['session', 'cookies', index, 'branding'], place, report)
    }
  },
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
    '0017_replaced_sessions': {
      embedded: true,
      up: async (db) => {
        const { sql } = await import('kysely')
        await db.schema
          .createTable('replaced_sessions')
          .addColumn('key', 'text', (column) => column.primaryKey())
          .addColumn('id', 'text', (column) => column.notNull().unique())
          .addColumn('owner', 'text', (column) => column.notNull())
          .addColumn('sealed', 'blob', (column) => column.notNull())
          .addColumn('expires_at', 'integer', (column) => column.notNull())
          .modifyEnd(sql`strict, without rowid`)
          .execute()
        await db.schema
          .createIndex('replaced_sessions_by_expiry')
          .on('replaced_sessions')
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
