import { z } from 'zod'

/** FIDO Metadata Service v3.0, §3.1.4; the first is Authelia's name of the second. */
const STATUSES = [
  'FIDO_NOT_CERTIFIED',
  'NOT_FIDO_CERTIFIED',
  'FIDO_CERTIFIED',
  'USER_VERIFICATION_BYPASS',
  'ATTESTATION_KEY_COMPROMISE',
  'USER_KEY_REMOTE_COMPROMISE',
  'USER_KEY_PHYSICAL_COMPROMISE',
  'UPDATE_AVAILABLE',
  'REVOKED',
  'SELF_ASSERTION_SUBMITTED',
  'FIDO_CERTIFIED_L1',
  'FIDO_CERTIFIED_L1plus',
  'FIDO_CERTIFIED_L2',
  'FIDO_CERTIFIED_L2plus',
  'FIDO_CERTIFIED_L3',
  'FIDO_CERTIFIED_L3plus',
] as const

export const metadata = z
  .strictObject({
    enabled: z
      .boolean()
      .default(false)
      .describe('New keys are looked up in the file of `path`, and refused as the keys below say.'),
    path: z
      .string()
      .default('')
      .describe(
        'The metadata file of the FIDO Alliance, as https://mds3.fidoalliance.org/ has it. The server does not download it. ' +
          'It is read again after it has changed. Without it no key can be added.',
      ),
    trust_anchor: z
      .string()
      .default('')
      .describe(
        'A file with the certificates (PEM) to which those lead that signed the metadata. Empty: GlobalSign Root CA R3, ' +
          "the FIDO Alliance's.",
      ),
    signer: z
      .string()
      .min(1)
      .max(253)
      .default('mds.fidoalliance.org')
      .describe('The host name in the certificate that signed the metadata.'),
    cache_policy: z
      .enum(['strict', 'relaxed'])
      .default('strict')
      .describe(
        'What happens when the file is out of date: `strict` refuses new keys, `relaxed` takes them. The log warns of both.',
      ),
    validate_trust_anchor: z
      .boolean()
      .default(true)
      .describe(
        'A key has to prove its model: its maker has signed what it says. Passkeys of phones and password managers do not.',
      ),
    validate_entry: z.boolean().default(true).describe('The model has to be in the file.'),
    validate_entry_permit_zero_aaguid: z
      .boolean()
      .default(false)
      .describe('A key that does not tell its model is accepted all the same.'),
    validate_status: z
      .boolean()
      .default(true)
      .describe('The statuses of the model are looked at. Each that it has or had counts.'),
    validate_status_permitted: z
      .array(z.enum(STATUSES))
      .default([])
      .describe('A model needs one of these. Empty: it needs none.'),
    validate_status_prohibited: z
      .array(z.enum(STATUSES))
      .default([
        'ATTESTATION_KEY_COMPROMISE',
        'USER_VERIFICATION_BYPASS',
        'USER_KEY_REMOTE_COMPROMISE',
        'USER_KEY_PHYSICAL_COMPROMISE',
        'REVOKED',
      ])
      .describe('A model must have none of these.'),
  })
  .prefault({})
  .describe('What the FIDO Alliance knows of models of keys (MDS3). It counts when a key is added.')

export type MetadataConfig = z.infer<typeof metadata>
