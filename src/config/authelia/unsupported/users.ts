import type { Row, Section } from './table.ts'
import { tlsTo } from './tls.ts'

/** What a directory's entries are asked for, in words. */
const ATTRIBUTES: Readonly<Record<string, string>> = {
  distinguished_name: 'the distinguished name',
  username: 'the name that people sign in with',
  display_name: 'the name that is shown',
  family_name: 'the family name',
  given_name: 'the given name',
  middle_name: 'the middle name',
  nickname: 'the nickname',
  gender: 'the gender',
  birthdate: 'the date of birth',
  website: 'the address of the own website',
  profile: 'the address of the profile page',
  picture: 'the address of the picture',
  zoneinfo: 'the time zone',
  locale: 'the language and region',
  phone_number: 'the telephone number',
  phone_extension: 'the telephone extension',
  street_address: 'street and number',
  locality: 'the city',
  region: 'the state or province',
  postal_code: 'the postal code',
  country: 'the country',
  mail: 'the mail address',
  member_of: 'the groups of a person',
  group_name: 'the name of a group',
}

const attributes = (): Section =>
  Object.fromEntries(
    Object.entries(ATTRIBUTES).map(([key, words]): [string, Row] => [
      key,
      ['text', undefined, `Which attribute holds ${words}.`],
    ]),
  )

export const USERS: Section = {
  authentication_backend: {
    password_reset: {
      '': 'Forgotten passwords.',
      disable: ['flag', false, 'A forgotten password cannot be reset.'],
      custom_url: ['url', undefined, 'Where the link leads, in place of our own page.'],
    },
    password_change: {
      disable: ['flag', false, 'Users cannot change their password.'],
    },
    ldap: {
      '': 'Users in a directory.',
      address: [
        { address: ['ldap', 'ldaps', 'ldapi'], path: true },
        undefined,
        'The directory: `ldaps://directory.example.com`.',
      ],
      implementation: [
        ['custom', 'activedirectory', 'rfc2307bis', 'freeipa', 'lldap', 'glauth'],
        'custom',
        'Whose defaults the filters and attributes have.',
      ],
      timeout: ['duration', '5s', 'How long the directory may take; 20s for `custom`.'],
      start_tls: ['flag', false, 'Turns to TLS after connecting.'],
      tls: tlsTo('the directory'),
      pooling: {
        '': 'Connections that are kept open.',
        enable: ['flag', false, 'Keeps connections open.'],
        count: [{ from: 1 }, 5, 'How many.'],
        retries: [{ from: 0 }, 2, 'How often a lost one is opened again.'],
        timeout: ['duration', undefined, 'How long to wait for a free one.'],
      },
      base_dn: ['text', undefined, 'Where in the directory everything is.'],
      additional_users_dn: ['text', undefined, 'Where below `base_dn` people are.'],
      users_filter: ['text', undefined, 'Finds a person by the name that was typed.'],
      additional_groups_dn: ['text', undefined, 'Where below `base_dn` groups are.'],
      groups_filter: ['text', undefined, 'Finds the groups of a person.'],
      group_search_mode: [
        ['filter', 'memberof'],
        'filter',
        'Whether groups are searched for, or read from the entry of the person.',
      ],
      attributes: {
        ...attributes(),
        'extra.*': {
          '': 'Other attributes.',
          name: ['text', undefined, 'Its name here. Without it: the one it has there.'],
          multi_valued: ['flag', false, 'Holds a list of values.'],
          value_type: [['string', 'integer', 'boolean'], undefined, 'What a value is.'],
        },
      },
      permit_referrals: ['flag', false, 'Follows the directory to other servers.'],
      permit_unauthenticated_bind: ['flag', false, 'Signs in to the directory without a password.'],
      allow_plaintext: ['flag', false, 'Speaks to a directory without TLS.'],
      user: ['text', undefined, 'The entry that Vestibule signs in with.'],
      password: ['secret', undefined, 'Its password.'],
    },
  },
  password_policy: {
    '': 'What new passwords must be like.',
    standard: {
      '': 'By length and kinds of characters.',
      enabled: ['flag', false, 'This policy holds.'],
      min_length: [{ from: 0 }, 8, 'The shortest password, in bytes.'],
      max_length: [{ from: 0 }, 0, 'The longest password, in bytes; 0 is no limit.'],
      require_uppercase: ['flag', false, 'A capital letter must be in it.'],
      require_lowercase: ['flag', false, 'A small letter must be in it.'],
      require_number: ['flag', false, 'A digit must be in it.'],
      require_special: ['flag', false, 'Something that is neither letter nor digit must be in it.'],
    },
    zxcvbn: {
      '': 'By how hard a password is to guess.',
      enabled: ['flag', false, 'This policy holds.'],
      min_score: [{ from: 0, to: 4 }, 3, 'The least score, 0 to 4.'],
    },
  },
}
