/** The scalar forms of the configuration, as Authelia writes them, for use in manifests. */
import { z } from 'zod'
import { parseListenAddress } from './address.ts'
import { parseNetwork } from './cidr.ts'
import { parseDuration } from './duration.ts'
import { Secret } from './secret.ts'

/** Metadata that the loader and the generated reference read from a leaf. */
export interface ScalarMeta {
  /** May also be given as `…_FILE`. */
  readonly secret?: true
  /** How the reference names the type. */
  readonly form?: string
  /** What a text of this form looks like, for JSON Schema: never narrower than what is accepted. ECMA-262. */
  readonly pattern?: string
  /** Part of a question: passed over when empty, it would ask less than was meant. An empty text is refused. */
  readonly criterion?: true
  /** The key is accepted and has no effect: the warning for a configuration that sets it, without the key's name. */
  readonly idle?: string
  /** What 0 means here, where Authelia takes its default for it; continues the sentence "is 0, which …". */
  readonly zero?: string
}
export const scalarMeta = z.registry<ScalarMeta>()

/**
 * A transform of a value that `parse` reads.
 * @param parse undefined: the value is refused
 * @param message continues the name of the key: `is not a duration`
 * @param allowed what would be accepted
 */
export const readBy =
  <V, T>(parse: (value: V) => T | undefined, message: string, allowed: string) =>
  (value: V, context: z.RefinementCtx<V>): T => {
    const read = parse(value)
    if (read !== undefined) return read
    context.issues.push({ code: 'custom', input: value, message, params: { allowed } })
    return z.NEVER
  }

/** `1h30m`, `2 weeks and 1 day`; which words are units is not said here. */
const SPANS = '(\\d+\\s*[A-Za-z]+(\\s+and)?\\s*)+'

const durationBy = (read: (ms: number) => number | undefined, allowed: string) =>
  z.union([z.string(), z.number()]).transform(
    readBy(
      (value) => {
        const ms = parseDuration(value)
        return ms === undefined ? undefined : read(ms)
      },
      'is not a duration',
      allowed,
    ),
  )

/** A duration in milliseconds: `1h`, `5 minutes`, or a whole number of seconds. */
export const duration = () =>
  durationBy(
    (ms) => (ms >= 0 ? ms : undefined),
    'a number of seconds, or a number with a unit (1h, 5 minutes, 30d)',
  ).register(scalarMeta, { form: 'duration', pattern: `^\\s*(\\d+|${SPANS})\\s*$` })

/** As `duration`, but `-1` and `0` mean "off" and read as 0. */
export const durationOrOff = () =>
  durationBy((ms) => Math.max(0, ms), 'a duration such as 1M, or -1 to turn it off').register(
    scalarMeta,
    { form: 'duration, or -1', pattern: `^\\s*(-1|\\d+|${SPANS})\\s*$` },
  )

export const listenAddress = () =>
  z
    .string()
    .transform(
      readBy(
        parseListenAddress,
        'is not an address to listen on',
        'tcp://host:port/path, tcp4://…, tcp6://…, unix:///path/to/socket',
      ),
    )
    .register(scalarMeta, { form: 'address', pattern: '^(tcp[46]?://|unix:///|(?!.*://))' })

/** An address or a CIDR, kept as text; read it with `parseNetwork`. */
export const networkText = () =>
  z
    .string()
    .refine((value) => parseNetwork(value) !== undefined, {
      error: 'is not an IP address or a network',
      params: { allowed: '192.168.1.8, 10.0.0.0/8, fd00::/8' },
    })
    .register(scalarMeta, { form: 'network', pattern: '^[0-9A-Fa-f.:]+(/\\d{1,3})?$' })

/** A path, absolute or relative to the working directory. `~` is refused: it is a shell that knows whose home is meant. */
export const filePath = () =>
  z.string().refine((value) => !/^~[^/]*(\/|$)/.test(value), {
    error: 'begins with ~, which only a shell reads as a home folder',
    params: { allowed: 'the whole path, such as /home/john/vestibule' },
  })

/** A secret text: printed as `[secret]` wherever it goes; may be given as `…_FILE`. */
export const secret = () =>
  z
    .string()
    .min(1)
    .transform((value) => new Secret(value))
    .register(scalarMeta, { secret: true, form: 'secret' })

/** One value or a list of them, always read as a list. */
export const oneOrMany = <S extends z.ZodType>(item: S) =>
  z.union([item.transform((value) => [value]), z.array(item)])

/** An absolute http or https URL without userinfo, query or fragment; kept as text. */
export const webUrl = () =>
  z
    .string()
    .refine(
      (value) => {
        const url = URL.parse(value)
        return (
          url !== null &&
          (url.protocol === 'https:' || url.protocol === 'http:') &&
          url.username === '' &&
          url.password === ''
        )
      },
      {
        error: 'is not a web address',
        // Checks of the map around it then need not ask again whether it is one.
        abort: true,
        params: { allowed: 'https://auth.example.com' },
      },
    )
    .register(scalarMeta, { form: 'url', pattern: '^\\s*[Hh][Tt][Tt][Pp][Ss]?:' })
