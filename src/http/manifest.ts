import { z } from 'zod'
import { contains, type Network, parseAddress, parseNetwork } from '../kernel/cidr.ts'
import {
  type ConfigPath,
  type ConfigReport,
  defineManifest,
  type StartPlace,
  type StartReport,
} from '../kernel/feature.ts'
import { duration, listenAddress, networkText, oneOrMany, scalarMeta } from '../kernel/scalars.ts'
import { brandingConfig, type DomainBrandingConfig } from './branding/config.ts'
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

const timeout = () => duration().register(scalarMeta, { zero: 'sets no limit' })

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
        .describe('Origins that may show the portal in a frame. None: no site may.'),
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
})

const trustedProxies = oneOrMany(z.union([z.literal('private'), networkText()]))
  .default(['127.0.0.0/8', '::1'])
  .describe(
    'Who may ask for a verdict, and whose X-Forwarded-For is believed: addresses, networks, or `private` for all ' +
      'private ranges. A list in place of the default, not in addition. A unix socket is always trusted.',
  )

/** Addresses that no proxy has, from the documentation ranges of RFC 5737 and RFC 3849. A network that holds one is too wide. */
const UNKNOWN_ADDRESSES = ['192.0.2.1', '2001:db8::1'].map((text) => parseAddress(text))

function openToAll(text: string, path: ConfigPath, report: ConfigReport): void {
  const trusted: Network | undefined = parseNetwork(text)
  if (trusted === undefined || trusted.prefix > 1) return
  if (UNKNOWN_ADDRESSES.some((address) => address !== undefined && contains(trusted, address)))
    report.warn(
      path,
      'trusts every client: each can claim any address, and networks in rules protect nothing',
    )
}

export { type DomainBrandingConfig, domainBrandingConfig } from './branding/config.ts'

/** Reads the files of a brand as the server will, and tells what is wrong with them. */
export async function lookAtBrand(
  branding: DomainBrandingConfig,
  path: ConfigPath,
  place: StartPlace,
  report: StartReport,
): Promise<void> {
  const { lookAtBranding } = await import('./branding/look.ts')
  lookAtBranding(branding, path, place, report)
}

export default defineManifest({
  // The last two are not served yet, and kept for what will be.
  paths: ['/static', '/favicon.ico', '/apple-touch-icon.png', '/metrics', '/.well-known'],
  config: {
    server: server.prefault({}).describe('The listener.'),
    trusted_proxies: trustedProxies,
    branding: brandingConfig.prefault({}),
  },
  check({ trusted_proxies: proxies }, report) {
    for (const [index, text] of proxies.entries())
      openToAll(text, ['trusted_proxies', index], report)
  },
  async look({ branding }, place, report) {
    await lookAtBrand(branding, ['branding'], place, report)
  },
  messages: { en },
})
