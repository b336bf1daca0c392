import type { Section } from './table.ts'

/** How an authenticator may stand in the FIDO metadata service. */
const STATUS = [
  'FIDO_NOT_CERTIFIED',
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
]
/** Old templates of Authelia have `sha1`. */
const HASHES = { anyCase: ['SHA1', 'SHA256', 'SHA512'] }
const WISHES = ['discouraged', 'preferred', 'required']
/** Shorter ones leave no time to type. */
const PERIOD = { from: 15 }

export const SECOND_FACTOR: Section = {
  default_2fa_method: [
    ['totp', 'webauthn', 'mobile_push'],
    undefined,
    'The second factor that is offered first.',
  ],
  totp: {
    '': 'One-time codes of an authenticator app.',
    disable: ['flag', false, 'They are not offered.'],
    issuer: ['text', 'Authelia', 'The name that the app shows.'],
    algorithm: [HASHES, 'SHA1', 'The hash of new ones. Many apps know SHA1 only.'],
    digits: [[6, 8], 6, 'How many digits new ones have.'],
    period: [PERIOD, 30, 'How many seconds a code lasts.'],
    skew: [{ from: 0 }, 1, 'How many codes before and after the current one are accepted.'],
    secret_size: [{ from: 20 }, 32, 'How many bytes the secret of a new one has.'],
    allowed_algorithms: [{ list: HASHES }, ['SHA1'], 'The hashes that people may choose.'],
    allowed_digits: [{ list: [6, 8] }, [6], 'The numbers of digits that people may choose.'],
    allowed_periods: [{ list: PERIOD }, [30], 'The periods that people may choose.'],
    disable_reuse_security_policy: ['flag', false, 'A code may be used twice.'],
  },
  webauthn: {
    '': 'Security keys and passkeys.',
    disable: ['flag', false, 'They are not offered.'],
    enable_passkey_login: ['flag', false, 'Lets people sign in with a passkey alone.'],
    experimental_enable_passkey_uv_two_factors: [
      'flag',
      false,
      'A passkey that checked its user counts as two factors.',
    ],
    experimental_enable_passkey_upgrade: ['flag', false, 'Makes passkeys of older security keys.'],
    passkey_counts_as_two_factor: [
      'flag',
      undefined,
      'A passkey that checked its user counts as two factors.',
    ],
    display_name: ['text', 'Authelia', 'The name that the browser shows.'],
    attestation_conveyance_preference: [
      ['none', 'indirect', 'direct'],
      'indirect',
      'Whether the maker of the key is asked for.',
    ],
    timeout: ['duration', '60s', 'How long a person has to touch the key.'],
    filtering: {
      prohibit_backup_eligibility: ['flag', false, 'Refuses keys that can be copied to a cloud.'],
      permitted_aaguids: [{ list: 'aaguid' }, undefined, 'Models of keys that are accepted.'],
      prohibited_aaguids: [{ list: 'aaguid' }, undefined, 'Models of keys that are refused.'],
    },
    selection_criteria: {
      '': 'What new keys must be like.',
      attachment: [
        ['platform', 'cross-platform'],
        undefined,
        'Built in, or carried along. Without it: either.',
      ],
      discoverability: [WISHES, 'preferred', 'Whether the key remembers whose it is.'],
      user_verification: [WISHES, 'preferred', 'Whether the key checks its user.'],
    },
    metadata: {
      '': 'What the FIDO alliance knows of a key.',
      enabled: ['flag', false, 'Asks for it.'],
      cache_policy: [['strict', 'relaxed'], 'strict', 'Whether an old answer will do.'],
      validate_trust_anchor: ['flag', true, 'The maker of the key must be known.'],
      validate_entry: ['flag', true, 'The model of the key must be known.'],
      validate_entry_permit_zero_aaguid: [
        'flag',
        false,
        'A key may keep its model to itself all the same.',
      ],
      validate_status: ['flag', true, 'Its status must be one of the permitted.'],
      validate_status_permitted: [
        { list: STATUS },
        undefined,
        'These. Without it: all but those below.',
      ],
      validate_status_prohibited: [
        { list: STATUS },
        [
          'ATTESTATION_KEY_COMPROMISE',
          'USER_VERIFICATION_BYPASS',
          'USER_KEY_REMOTE_COMPROMISE',
          'USER_KEY_PHYSICAL_COMPROMISE',
          'REVOKED',
        ],
        'And none of these.',
      ],
    },
  },
  duo_api: {
    '': 'Push messages by Duo.',
    disable: ['flag', false, 'They are not offered.'],
    hostname: ['hostname', undefined, "The host of Duo's API."],
    integration_key: ['secret', undefined, 'The integration key.'],
    secret_key: ['secret', undefined, 'The secret key.'],
    enable_self_enrollment: ['flag', false, 'People may enrol by themselves.'],
  },
  identity_validation: { '': 'How users prove who they are without a password.' },
  'identity_validation.reset_password': {
    '': 'The link in a mail that sets a new password.',
    jwt_lifespan: ['duration', '5m', 'How long it is valid.'],
    jwt_algorithm: [['HS256', 'HS384', 'HS512'], 'HS256', 'How it is signed.'],
    jwt_secret: ['secret', undefined, 'What it is signed with.'],
  },
}
