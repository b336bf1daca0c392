import { z } from 'zod'
import { defineManifest } from '../../../../kernel/feature.ts'
import { duration, scalarMeta } from '../../../../kernel/scalars.ts'
import { metadata } from './metadata/settings.ts'

const AAGUID = /^[0-9A-Fa-f]{8}(-?[0-9A-Fa-f]{4}){3}-?[0-9A-Fa-f]{12}$/

/** The id of a model of authenticators; read as the library writes it: small letters, with dashes. */
const aaguid = () =>
  z
    .string()
    .refine((value) => AAGUID.test(value), {
      error: 'is no AAGUID',
      abort: true,
      params: { allowed: '00000000-0000-0000-0000-000000000000' },
    })
    .transform((value) =>
      value
        .toLowerCase()
        .replaceAll('-', '')
        .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
    )
    .register(scalarMeta, { form: 'aaguid', pattern: AAGUID.source })

const wish = () => z.enum(['discouraged', 'preferred', 'required'])

const Filtering = z
  .strictObject({
    prohibit_backup_eligibility: z
      .boolean()
      .default(false)
      .describe('Refuses new keys that can be copied to another device or to a cloud.'),
    permitted_aaguids: z
      .array(aaguid())
      .default([])
      .describe('Models of keys that may be registered. Empty: all of them.'),
    prohibited_aaguids: z
      .array(aaguid())
      .default([])
      .describe('Models of keys that may not be registered.'),
  })
  .prefault({})
  .describe(
    'Which keys may be registered, by what a key says of itself. A browser tells the model only where ' +
      '`attestation_conveyance_preference` asks for it.',
  )

const SelectionCriteria = z
  .strictObject({
    attachment: z
      .enum(['platform', 'cross-platform', ''])
      .optional()
      .describe('Built into the device, or carried along. Without it, or empty: either.'),
    discoverability: wish()
      .default('preferred')
      .describe('Whether a new key remembers whose it is. Only such a key is a passkey.'),
    user_verification: wish()
      .default('preferred')
      .describe(
        'Whether a key asks for its PIN or a finger. `required` refuses a key that did not, at registration and at sign-in.',
      ),
  })
  .prefault({})
  .describe('What keys must be like.')

const webauthn = z
  .strictObject({
    disable: z.boolean().default(false).describe('Keys and passkeys are not offered.'),
    enable_passkey_login: z
      .boolean()
      .default(false)
      .describe('Lets users sign in with a passkey in place of their password.'),
    passkey_counts_as_two_factor: z
      .boolean()
      .default(false)
      .describe(
        'A passkey that asked for its PIN or a finger counts as two factors. Without it, a sign-in with a passkey is one ' +
          'factor, and where the rules ask for two the password is the other.',
      ),
    experimental_enable_passkey_uv_two_factors: z
      .boolean()
      .default(false)
      .describe("Authelia's name of `passkey_counts_as_two_factor`; one of the two is enough."),
    display_name: z
      .string()
      .min(1)
      .max(64)
      .default('Vestibule')
      .describe('The name that the browser and the key show for this portal.'),
    attestation_conveyance_preference: z
      .enum(['none', 'indirect', 'direct'])
      .default('indirect')
      .describe('Whether the browser is asked for the model of a new key.'),
    timeout: duration()
      .prefault('60s')
      .describe('How long users have to touch a key. 0 is the default, as in Authelia.'),
    filtering: Filtering,
    selection_criteria: SelectionCriteria,
    metadata,
  })
  .prefault({})
  .describe(
    'Security keys and passkeys. A key works at the portal at which it was registered: its domain is the host name of ' +
      '`session.cookies[].portal_url`.',
  )

export type WebauthnConfig = z.infer<typeof webauthn>

export default defineManifest({
  config: { webauthn },
  paths: ['/api'],
  check({ webauthn: given }, report) {
    const { filtering, attestation_conveyance_preference: conveyance, metadata } = given
    if (metadata.enabled && metadata.path === '')
      report.warn(
        ['webauthn', 'metadata'],
        'no security key can be added: path has to name the file of https://mds3.fidoalliance.org/, which is not downloaded',
      )
    if (metadata.enabled && conveyance !== 'direct')
      report.warn(
        ['webauthn', 'metadata'],
        'attestation_conveyance_preference is not direct: browsers may hide the model of a key, and then it is refused',
      )
    const filters = filtering.permitted_aaguids.length + filtering.prohibited_aaguids.length
    if (filters > 0 && conveyance === 'none')
      report.warn(
        ['webauthn', 'filtering'],
        'attestation_conveyance_preference is none: browsers may hide the model of a key, and then permitted_aaguids refuses ' +
          'it and prohibited_aaguids lets it pass',
      )
    if (filtering.permitted_aaguids.length > 0 && filtering.prohibited_aaguids.length > 0)
      report.warn(
        ['webauthn', 'filtering', 'prohibited_aaguids'],
        'is given together with permitted_aaguids: a key that is not on that list is refused anyway',
      )
  },
  migrations: {
    '0016_webauthn': {
      up: async (db, { table, text, integer, bytes }) => {
        // What a key calls its user: random, another one for each portal, so that keys do not link the user's accounts.
        await table(db, 'webauthn_users')
          .addColumn('handle', text, (column) => column.primaryKey())
          .addColumn('user_name', text, (column) => column.notNull())
          .addColumn('rpid', text, (column) => column.notNull())
          .execute()
        await db.schema
          .createIndex('webauthn_users_by_user')
          .unique()
          .on('webauthn_users')
          .columns(['user_name', 'rpid'])
          .execute()
        await table(db, 'webauthn_credentials')
          .addColumn('id', text, (column) => column.primaryKey())
          .addColumn('user_name', text, (column) => column.notNull())
          .addColumn('rpid', text, (column) => column.notNull())
          .addColumn('kid', text, (column) => column.notNull())
          .addColumn('description', text, (column) => column.notNull())
          .addColumn('description_key', text, (column) => column.notNull())
          .addColumn('public_key', bytes, (column) => column.notNull())
          .addColumn('attestation_type', text, (column) => column.notNull())
          .addColumn('aaguid', text, (column) => column.notNull())
          .addColumn('attachment', text, (column) => column.notNull())
          .addColumn('transports', text, (column) => column.notNull())
          .addColumn('sign_count', integer, (column) => column.notNull())
          .addColumn('clone_warning', integer, (column) => column.notNull())
          .addColumn('discoverable', integer, (column) => column.notNull())
          .addColumn('verified', integer, (column) => column.notNull())
          .addColumn('backup_eligible', integer, (column) => column.notNull())
          .addColumn('backup_state', integer, (column) => column.notNull())
          .addColumn('created_at', integer, (column) => column.notNull())
          .addColumn('last_used_at', integer)
          .execute()
        // No two users share a key (Web Authentication Level 3, §7.1 step 26).
        for (const [name, columns] of [
          ['kid', ['kid']],
          ['description', ['user_name', 'description_key']],
        ] as const)
          await db.schema
            .createIndex(`webauthn_credentials_by_${name}`)
            .unique()
            .on('webauthn_credentials')
            .columns([...columns])
            .execute()
      },
    },
  },
  sealed: [
    { table: 'webauthn_credentials', column: 'public_key', key: ['user_name', 'rpid', 'kid'] },
  ],
})
