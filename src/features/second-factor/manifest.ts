import { z } from 'zod'
import { defineManifest } from '../../kernel/feature.ts'
import { duration, scalarMeta } from '../../kernel/scalars.ts'
import storage from '../../storage/manifest.ts'
import redis from '../../storage/redis/manifest.ts'
import access from '../access/manifest.ts'
import en from './messages/en.json' with { type: 'json' }
import webauthn from './methods/webauthn/manifest.ts'
import { migrations } from './tables.ts'

const algorithm = () =>
  z
    .string()
    .toUpperCase()
    .pipe(z.enum(['SHA1', 'SHA256', 'SHA512']))
const digits = () => z.literal([6, 8])
/** Shorter ones leave no time to type. */
const period = () => z.int().min(15).max(3600)

const totp = z
  .strictObject({
    disable: z.boolean().default(false).describe('They are not offered, and none is accepted.'),
    issuer: z
      .string()
      .min(1)
      .max(64)
      .regex(/^[^:]*$/)
      .default('Vestibule')
      .describe('The name that the app shows.'),
    algorithm: algorithm()
      .default('SHA1')
      .describe('The hash of new ones. Many apps know SHA1 only.'),
    digits: digits().default(6).describe('How many digits the codes of new ones have.'),
    period: period().default(30).describe('How many seconds a code of new ones lasts.'),
    skew: z
      .int()
      .min(0)
      .max(10)
      .register(scalarMeta, { zero: 'accepts the current code alone' })
      .default(1)
      .describe('How many codes before and after the current one are accepted.'),
    secret_size: z
      .int()
      .min(20)
      .max(128)
      .default(32)
      .describe('How many bytes the secret of a new one has.'),
    allowed_algorithms: z
      .array(algorithm())
      .max(3)
      .default(['SHA1'])
      .describe('The hashes that users may choose, besides `algorithm`.'),
    allowed_digits: z
      .array(digits())
      .max(2)
      .default([6])
      .describe('The numbers of digits that users may choose, besides `digits`.'),
    allowed_periods: z
      .array(period())
      .max(16)
      .default([30])
      .describe('The periods that users may choose, besides `period`.'),
    disable_reuse_security_policy: z
      .boolean()
      .default(false)
      .describe('A code may be used more than once. The start warns of it.'),
  })
  .describe('One-time codes of an authenticator app (TOTP, RFC 6238).')

export type TotpSettings = z.infer<typeof totp>

/** 90 days, after which the browser's cookie is over. */
const MAX_TRUST = 90 * 86_400_000

const secondFactor = z
  .strictObject({
    enrolment: z
      .enum(['open', 'invited'])
      .default('open')
      .describe(
        'Who may enrol the first second factor: `open` is every user, by showing the password again; `invited` are those whom the operator has let (`vestibule users invite-factor`). With `open`, a stolen password is enough to enrol a factor for a user who has none.',
      ),
    trusted_device: z
      .strictObject({
        duration: duration()
          .refine((ms) => ms <= MAX_TRUST, {
            error: 'is longer than a browser stays a known device',
            params: { allowed: 'a duration of at most 90 days' },
          })
          .register(scalarMeta, { zero: 'lets no browser be trusted' })
          .prefault(0)
          .describe(
            'How long a browser in which a user has shown a second factor may be trusted, where the user asks for it: a sign-in with the password counts as two factors there. Settings ask for a factor all the same.',
          ),
      })
      .prefault({})
      .describe('Browsers that need no second factor for a while.'),
  })
  .describe('Second factors of any kind.')

const elevatedSession = z
  .strictObject({
    code_lifespan: duration()
      .refine((ms) => ms >= 30_000 && ms <= 86_400_000, {
        error: 'is no sensible time',
        params: { allowed: '30 seconds to 1 day' },
      })
      .prefault('5m')
      .describe('How long a code that was mailed is valid.'),
    characters: z
      .int()
      .min(6)
      .max(20)
      .default(8)
      .describe('How many characters a mailed code has.'),
    elevation_lifespan: duration()
      .refine((ms) => ms >= 10_000, {
        error: 'leaves no time to change anything',
        params: { allowed: 'a duration of at least 10 seconds' },
      })
      .prefault('10m')
      .describe('How long a user may change factors and the password after showing who they are.'),
    require_second_factor: z
      .boolean()
      .default(false)
      .describe(
        "Authelia's. Here a user who has a second factor always has to be signed in with it, whatever is set.",
      ),
    skip_second_factor: z
      .boolean()
      .default(false)
      .describe('A session with two factors may change them at any time.'),
  })
  .describe('What is asked for before a user may change a factor or the password.')

export type SecondFactorSettings = z.infer<typeof secondFactor>
export type ElevatedSessionSettings = z.infer<typeof elevatedSession>

/** A rule that asks for two factors lets no user through where none can be enrolled: the operator should know. */
const OWN_FACTORS =
  'is for several instances, which need storage.postgres as well: without it each has second factors of its own, and a user who has one at another instance may enrol a first one here'
const LOCKED = 'two_factor lets no user through: every second factor is switched off'

export default defineManifest({
  paths: ['/api', '/second-factor', '/revoke'],
  config: {
    totp: totp.prefault({}),
    default_2fa_method: z
      .enum(['totp', 'webauthn', 'mobile_push', ''])
      .optional()
      .describe('The second factor that is offered first to a user who has not chosen one.'),
    second_factor: secondFactor.prefault({}),
    'identity_validation.elevated_session': elevatedSession.prefault({}),
  },
  reads: [access, webauthn, storage, redis],
  check(config, report) {
    const { totp, webauthn, access_control: control, default_2fa_method: method } = config
    if (method === 'mobile_push')
      report.warn(['default_2fa_method'], 'mobile_push is not supported: another is offered first')
    if (totp.disable_reuse_security_policy)
      report.warn(
        ['totp', 'disable_reuse_security_policy'],
        'a code that was seen while it was typed can be used again until it is over',
      )
    const locked = totp.disable && webauthn.disable
    if (locked && control.default_policy === 'two_factor')
      report.warn(['access_control', 'default_policy'], `where no rule matches, ${LOCKED}`)
    for (const [index, { policy }] of control.rules.entries())
      if (locked && policy === 'two_factor')
        report.warn(['access_control', 'rules', index, 'policy'], LOCKED)
    const asked =
      control.default_policy === 'two_factor' ||
      control.rules.some(({ policy }) => policy === 'two_factor')
    const isShared = config.storage.postgres !== undefined
    if (asked && !locked && !isShared && config['session.redis'] !== undefined)
      report.warn(['session', 'redis'], OWN_FACTORS)
  },
  migrations,
  messages: { en },
  sealed: [
    { table: 'totp', column: 'secret', key: ['user_name'] },
    { table: 'recovery_code_sets', column: 'hash_key', key: ['user_name'] },
  ],
})
