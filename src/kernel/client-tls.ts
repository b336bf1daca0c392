/** TLS of connections that we open: the keys that Authelia has for it, and what they mean to Node. */
import type { ConnectionOptions, SecureVersion } from 'node:tls'
import { z } from 'zod'
import { scalarMeta } from './scalars.ts'
import { Secret } from './secret.ts'

const VERSIONS = {
  'TLS1.0': 'TLSv1',
  'TLS 1.0': 'TLSv1',
  'TLS1.1': 'TLSv1.1',
  'TLS 1.1': 'TLSv1.1',
  'TLS1.2': 'TLSv1.2',
  'TLS 1.2': 'TLSv1.2',
  'TLS1.3': 'TLSv1.3',
  'TLS 1.3': 'TLSv1.3',
} as const satisfies Readonly<Record<string, SecureVersion>>
type Version = keyof typeof VERSIONS
const version = () => z.enum(Object.keys(VERSIONS) as [Version, ...Version[]]) // keys of the table above, and there are some

const HOSTNAME = /^(\[?[0-9A-Fa-f:.]+\]?|[A-Za-z0-9._-]{1,253})?$/
const KEY = /-----BEGIN [A-Z ]*KEY-----/
const CERTIFICATE = /-----BEGIN CERTIFICATE-----/

/**
 * The section `tls` of a connection to `peer`.
 * @param least the default of `minimum_version`; without one it is Node's, TLS 1.2 too
 */
export const clientTls = (peer: string, least?: Version) =>
  z
    .object({
      minimum_version: (least === undefined
        ? version().optional()
        : version().default(least)
      ).describe('The oldest version of TLS that is spoken.'),
      maximum_version: version().optional().describe('The newest version of TLS that is spoken.'),
      skip_verify: z
        .boolean()
        .default(false)
        .describe(
          'Trusts any server that answers: an attacker on the network can read the traffic.',
        ),
      server_name: z
        .string()
        .refine((value) => HOSTNAME.test(value), {
          error: 'is no name of a host',
          params: { allowed: 'db.example.com, 192.168.1.8' },
        })
        .register(scalarMeta, { form: 'hostname', pattern: HOSTNAME.source })
        .optional()
        .describe('The name that the certificate must have, when it is not that of the address.'),
      private_key: z
        .string()
        .refine((value) => KEY.test(value), {
          error: 'is no private key',
          params: { allowed: 'a key in PEM (-----BEGIN PRIVATE KEY-----)' },
        })
        .transform((value) => new Secret(value))
        .register(scalarMeta, { form: 'private key', pattern: KEY.source, secret: true })
        .optional()
        .describe('Our private key, where a certificate is asked of us. PEM.'),
      certificate_chain: z
        .string()
        .refine((value) => CERTIFICATE.test(value), {
          error: 'is no certificate',
          params: { allowed: 'certificates in PEM (-----BEGIN CERTIFICATE-----)' },
        })
        .register(scalarMeta, { form: 'certificates', pattern: CERTIFICATE.source, secret: true })
        .optional()
        .describe('Our certificates, our own first. PEM.'),
    })
    .refine((tls) => (tls.private_key === undefined) === (tls.certificate_chain === undefined), {
      error: 'needs both private_key and certificate_chain, or neither',
    })
    .superRefine(checkVersions)
    .superRefine(checkPair)
    .describe(`TLS to ${peer}. Without this section the connection is not encrypted.`)

/** Node's own least version, where none is given. */
const LEAST: SecureVersion = 'TLSv1.2'
const ORDER: readonly SecureVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']

interface Versions {
  readonly minimum_version?: Version | undefined
  readonly maximum_version?: Version | undefined
}

function checkVersions(tls: Versions, context: z.RefinementCtx): void {
  const { minimum_version: least, maximum_version: most } = tls
  if (most === undefined) return
  const from = least === undefined ? LEAST : VERSIONS[least]
  if (ORDER.indexOf(VERSIONS[most]) >= ORDER.indexOf(from)) return
  context.addIssue({
    code: 'custom',
    path: ['maximum_version'],
    message:
      least === undefined
        ? `is older than TLS1.2, the oldest version that is spoken without minimum_version`
        : `is older than minimum_version, ${least}: no version is left`,
  })
}

interface KeyPair {
  readonly private_key?: Secret | undefined
  readonly certificate_chain?: string | undefined
}

/** Reads both as the connection will, so that a cut-off one is said at the start. */
function checkPair(tls: KeyPair, context: z.RefinementCtx): void {
  // Loaded here: most configurations have neither.
  const crypto = process.getBuiltinModule('node:crypto')
  const refuse = (key: keyof KeyPair, message: string) =>
    context.addIssue({ code: 'custom', path: [key], message })
  const key =
    tls.private_key && attempt(() => crypto.createPrivateKey(tls.private_key?.reveal() ?? ''))
  const blocks = tls.certificate_chain?.match(BLOCK) ?? []
  const chain = blocks.map((block) => attempt(() => new crypto.X509Certificate(block)))
  const [own] = chain
  if (tls.private_key !== undefined && key === undefined)
    refuse('private_key', 'is a private key that cannot be read: damaged, or encrypted')
  if (tls.certificate_chain !== undefined && (own === undefined || chain.includes(undefined)))
    refuse('certificate_chain', 'holds a certificate that cannot be read')
  else if (own !== undefined && key !== undefined && !own.checkPrivateKey(key))
    refuse('certificate_chain', 'begins with a certificate of another key than private_key')
}

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g

/** What it makes; undefined when it throws, as OpenSSL does for what it cannot read. */
function attempt<T>(make: () => T): T | undefined {
  try {
    return make()
  } catch {
    return undefined
  }
}

export type ClientTls = z.infer<ReturnType<typeof clientTls>>

/**
 * @param trusted certificates that are trusted, all of them; undefined: Node's
 * @param host whose certificate it has to be, where `server_name` does not say
 */
export function clientTlsOptions(
  tls: ClientTls,
  trusted: readonly string[] | undefined,
  host: string,
): ConnectionOptions {
  const name = (tls.server_name || host).replace(/^\[(.*)\]$/, '$1')
  return {
    ...(tls.minimum_version !== undefined && { minVersion: VERSIONS[tls.minimum_version] }),
    ...(tls.maximum_version !== undefined && { maxVersion: VERSIONS[tls.maximum_version] }),
    rejectUnauthorized: !tls.skip_verify,
    // An address is no name for SNI (RFC 6066 §3), but the certificate is compared with it.
    ...(/^[\d.]+$|:/.test(name) ? { host: name } : { servername: name, host: name }),
    ...(tls.private_key !== undefined && { key: tls.private_key.reveal() }),
    ...(tls.certificate_chain !== undefined && { cert: tls.certificate_chain }),
    ...(trusted !== undefined && { ca: [...trusted] }),
  }
}
