/**
 * What a key that no feature reads yet may hold, as data. Most of these keys stand in no file: a schema is made for those
 * that do.
 */
import { z } from 'zod'
import {
  duration,
  durationOrOff,
  listenAddress,
  networkText,
  scalarMeta,
  secret,
  webUrl,
} from '../../../kernel/scalars.ts'

export type Form =
  | FormName
  /** One of these. */
  | readonly (string | number)[]
  /** A whole number. */
  | { readonly from?: number; readonly to?: number }
  /** One of these words, in capitals or not. */
  | { readonly anyCase: readonly string[] }
  /** `scheme://host:port`; the scheme may be left out, and so may the host or the port. */
  | { readonly address: readonly string[]; readonly path?: true }
  | { readonly list: Form }
  | { readonly oneOrMany: Form }
  | { readonly either: readonly Form[] }

interface TextForm {
  readonly pattern: RegExp
  /** Follows the path: `session.name: is no …`. */
  readonly error: string
  readonly allowed: string
  readonly secret?: true
}

/** Texts of a form of their own. Lenient: what is passed over must not stop a start for a matter of taste. */
const TEXTS = {
  uri: {
    pattern: /^[A-Za-z][A-Za-z0-9+.-]*:\S+$/,
    error: 'is no address with a scheme',
    allowed: 'https://app.example.com/callback, com.example.app:/callback',
  },
  origin: {
    pattern: /^(\*|https?:\/\/[^/\s]+\/?)$/,
    error: 'is no origin',
    allowed: 'https://app.example.com, *',
  },
  hostname: {
    pattern: /^(\[?[0-9A-Fa-f:.]+\]?|[A-Za-z0-9._-]{1,253})$/,
    error: 'is no name of a host',
    allowed: 'mail.example.com, 192.168.1.8',
  },
  mailbox: {
    pattern: /^([^<>\r\n]*<)?[^\s<>@]+@[^\s<>@]+>?$/,
    error: 'is no mail address',
    allowed: 'signin@example.com, Sign-in <signin@example.com>',
  },
  certificates: {
    pattern: /-----BEGIN CERTIFICATE-----/,
    error: 'is no certificate',
    allowed: 'certificates in PEM (-----BEGIN CERTIFICATE-----)',
    // No secret, but a file is where it comes from.
    secret: true,
  },
  'private key': {
    pattern: /-----BEGIN [A-Z ]*KEY-----/,
    error: 'is no private key',
    allowed: 'a key in PEM (-----BEGIN PRIVATE KEY-----)',
    secret: true,
  },
  'public key': {
    pattern: /-----BEGIN ([A-Z ]*PUBLIC KEY|CERTIFICATE)-----/,
    error: 'is no public key',
    allowed: 'a key in PEM (-----BEGIN PUBLIC KEY-----)',
  },
  aaguid: {
    pattern: /^[0-9A-Fa-f]{8}(-?[0-9A-Fa-f]{4}){3}-?[0-9A-Fa-f]{12}$/,
    error: 'is no AAGUID',
    allowed: '00000000-0000-0000-0000-000000000000',
  },
  subject: {
    pattern: /^(user|group|oauth2:client):./,
    error: 'names neither a user, a group nor a client',
    allowed: "'user:john', 'group:admins', 'oauth2:client:grafana'",
  },
} as const satisfies Readonly<Record<string, TextForm>>

/** The forms that the rest of the configuration has too, and the plainest. */
const PLAIN = {
  flag: z.boolean,
  text: z.string,
  name: () => z.string().min(1),
  'short name': () => z.string().min(1).max(100),
  number: z.int,
  duration,
  'duration, or -1': durationOrOff,
  url: webUrl,
  secret,
  network: networkText,
  'listen address': listenAddress,
  /** Authelia's least period of a rate limit. */
  period: () =>
    duration().refine((ms) => ms >= 10_000, {
      error: 'is too short',
      params: { allowed: 'at least 10 seconds' },
    }),
} as const satisfies Readonly<Record<string, () => z.ZodType>>

export type FormName = keyof typeof TEXTS | keyof typeof PLAIN

const made = new Map<Form, z.ZodType>()

/** The schema of a form; the same one every time. */
export function schemaOf(form: Form): z.ZodType {
  const known = made.get(form)
  if (known !== undefined) return known
  const schema = makeSchema(form)
  made.set(form, schema)
  return schema
}

function makeSchema(form: Form): z.ZodType {
  if (typeof form === 'string')
    return form in PLAIN ? PLAIN[form as keyof typeof PLAIN]() : text(form) // just looked up
  if (isWords(form)) return z.literal([...form])
  if ('list' in form) return z.array(schemaOf(form.list))
  if ('oneOrMany' in form)
    return z.union([schemaOf(form.oneOrMany), z.array(schemaOf(form.oneOrMany))])
  if ('either' in form) return z.union(form.either.map(schemaOf))
  if ('anyCase' in form) return z.string().toUpperCase().pipe(z.enum(form.anyCase))
  if ('address' in form) return address(form.address, form.path)
  const { from = Number.MIN_SAFE_INTEGER, to = Number.MAX_SAFE_INTEGER } = form
  return z.int().min(from).max(to)
}

const isWords = (form: Form): form is readonly (string | number)[] => Array.isArray(form)

function text(name: FormName): z.ZodType {
  const { pattern, error, allowed, ...more }: TextForm = TEXTS[name as keyof typeof TEXTS] // it is in none but this table
  return z
    .string()
    .refine((value) => pattern.test(value), { error, params: { allowed } })
    .register(scalarMeta, { form: name, pattern: pattern.source, ...more })
}

function address(schemes: readonly string[], path = false): z.ZodType {
  const rest = path ? '(/\\S*)?' : '/?'
  const source = `^((${schemes.join('|')})://)?(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9._-]*)(:\\d{1,5})?${rest}$`
  const pattern = new RegExp(source)
  return z
    .string()
    .refine((value) => value.length <= 500 && pattern.test(value), {
      error: 'is not an address',
      params: { allowed: schemes.map((scheme) => `${scheme}://host:port`).join(', ') },
    })
    .register(scalarMeta, { form: 'address', pattern: source })
}

/** Whether an empty text means "not set", as it does to Authelia: whatever is a text, whatever its form. */
export function takesText(form: Form): boolean {
  if (typeof form === 'string') return !NO_TEXT.has(form)
  if (isWords(form)) return form.some((word) => typeof word === 'string')
  if ('either' in form) return form.either.some(takesText)
  return (
    'address' in form || 'anyCase' in form || ('oneOrMany' in form && takesText(form.oneOrMany))
  )
}
const NO_TEXT: ReadonlySet<FormName> = new Set(['flag', 'number'])
