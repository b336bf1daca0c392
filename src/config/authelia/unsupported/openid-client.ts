import { JWE_ALGORITHMS, JWE_ENCODINGS, JWS, JWS_ASYMMETRIC, PUBLIC_JWK } from './openid-keys.ts'
import { REQUIRED, type Row, type Section } from './table.ts'

const AUTH_METHODS = [
  'none',
  'client_secret_post',
  'client_secret_basic',
  'private_key_jwt',
  'client_secret_jwt',
]

/** What is answered, and whether it is signed by default. */
const ANSWERS = [
  ['authorization', 'authorization response', JWS, 'RS256'],
  ['id_token', 'ID token', JWS, 'RS256'],
  ['access_token', 'access token', ['none', ...JWS], 'none'],
  ['userinfo', 'userinfo answer', ['none', ...JWS], 'none'],
  ['introspection', 'introspection answer', ['none', ...JWS], 'none'],
] as const

const answers = (): Section =>
  Object.fromEntries(
    ANSWERS.flatMap(([key, noun, algorithms, signed]): [string, Row][] => [
      [`${key}_signed_response_alg`, [algorithms, signed, `How the ${noun} is signed.`]],
      [`${key}_signed_response_key_id`, ['text', undefined, `The key that signs the ${noun}.`]],
      [
        `${key}_encrypted_response_alg`,
        [JWE_ALGORITHMS, 'none', `How the key that encrypts the ${noun} is agreed on.`],
      ],
      [
        `${key}_encrypted_response_enc`,
        [JWE_ENCODINGS, 'A128CBC-HS256', `How the ${noun} is encrypted.`],
      ],
      [
        `${key}_encrypted_response_key_id`,
        ['text', undefined, `The client's key that the ${noun} is encrypted for.`],
      ],
    ]),
  )

const ENDPOINTS = ['token', 'revocation', 'introspection', 'pushed_authorization_request']

const authentication = (): Section =>
  Object.fromEntries(
    ENDPOINTS.flatMap((endpoint): [string, Row][] => {
      const noun = `${endpoint.replaceAll('_', ' ')} endpoint`
      return [
        [
          `${endpoint}_endpoint_auth_method`,
          [AUTH_METHODS, 'client_secret_basic', `How the client proves itself at the ${noun}.`],
        ],
        [
          `${endpoint}_endpoint_auth_signing_alg`,
          [JWS, undefined, `How a JWT that proves it at the ${noun} is signed.`],
        ],
      ]
    }),
  )

export const CLIENT: Section = {
  '': 'The applications.',
  client_id: ['name', REQUIRED, "The application's identifier."],
  client_name: ['text', undefined, 'What people read when they are asked for consent.'],
  client_secret: ['secret', undefined, "A digest of the application's secret."],
  sector_identifier_uri: [
    'url',
    undefined,
    'Gives all applications of one sector the same pairwise identifier of a person.',
  ],
  public: ['flag', false, 'The application cannot keep a secret.'],
  redirect_uris: [{ oneOrMany: 'uri' }, undefined, 'Where answers may be sent to.'],
  request_uris: [{ oneOrMany: 'uri' }, undefined, 'Where request objects may be fetched from.'],
  audience: [{ list: 'name' }, undefined, 'Audiences that it may ask tokens for.'],
  scopes: [{ list: 'name' }, ['openid', 'groups', 'profile', 'email'], 'Scopes it may ask for.'],
  grant_types: [
    {
      list: [
        'authorization_code',
        'implicit',
        'refresh_token',
        'client_credentials',
        'urn:ietf:params:oauth:grant-type:device_code',
      ],
    },
    ['authorization_code'],
    'The ways in which it may get tokens.',
  ],
  response_types: [
    {
      list: [
        'code',
        'id_token token',
        'id_token',
        'token',
        'code token',
        'code id_token',
        'code id_token token',
      ],
    },
    ['code'],
    'What it may ask the authorization endpoint for.',
  ],
  response_modes: [
    {
      list: ['form_post', 'form_post.jwt', 'query', 'query.jwt', 'fragment', 'fragment.jwt', 'jwt'],
    },
    undefined,
    'How answers may travel. Without it: what suits the response types.',
  ],
  authorization_policy: [
    'name',
    'two_factor',
    '`one_factor`, `two_factor`, or a name under `authorization_policies`.',
  ],
  lifespan: ['text', undefined, 'A name under `lifespans.custom`.'],
  claims_policy: ['text', undefined, 'A name under `claims_policies`.'],
  requested_audience_mode: [
    ['explicit', 'implicit'],
    'explicit',
    'Whether a request without an audience means none, or all that are allowed.',
  ],
  consent_mode: [
    ['auto', 'explicit', 'implicit', 'pre-configured'],
    'auto',
    'Whether people are asked every time, never, or once for a while.',
  ],
  pre_configured_consent_duration: ['duration', '1w', 'How long a consent is remembered.'],
  require_pushed_authorization_requests: [
    'flag',
    false,
    'It must push its requests first (RFC 9126).',
  ],
  require_pkce: ['flag', false, 'It must send a PKCE challenge (RFC 7636).'],
  pkce_challenge_method: [['plain', 'S256'], undefined, 'The method the challenge must have.'],
  ...answers(),
  request_object_signing_alg: [
    ['none', ...JWS_ASYMMETRIC],
    undefined,
    'How its request objects must be signed.',
  ],
  request_object_encryption_alg: [
    JWE_ALGORITHMS,
    'none',
    'How the key that encrypts its request objects is agreed on.',
  ],
  request_object_encryption_enc: [
    JWE_ENCODINGS,
    'A128CBC-HS256',
    'How its request objects are encrypted.',
  ],
  ...authentication(),
  allow_multiple_auth_methods: ['flag', false, 'It may prove itself in several ways at once.'],
  jwks_uri: ['url', undefined, 'Where its public keys are.'],
  'jwks[]': { '': 'Its public keys.', ...PUBLIC_JWK },
}
