import { CLIENT } from './openid-client.ts'
import { JWK, JWS_ASYMMETRIC } from './openid-keys.ts'
import { REQUIRED, type Section } from './table.ts'

const LIFESPANS: Section = {
  access_token: ['duration', undefined, 'How long an access token is valid.'],
  refresh_token: ['duration', undefined, 'How long a refresh token is valid.'],
  id_token: ['duration', undefined, 'How long an ID token is valid.'],
  authorize_code: [
    'duration',
    undefined,
    'How long an application has to redeem an authorization code.',
  ],
}
const DEVICE_CODE: Section = {
  device_code: ['duration', undefined, 'How long a person has to enter the code of a device.'],
}

export const OPENID_CONNECT: Section = {
  identity_providers: { '': 'Other ways to tell an application who is there.' },
  'identity_providers.oidc': {
    '': 'Signs people in to applications that speak OpenID Connect 1.0.',
    hmac_secret: ['secret', undefined, 'Makes and checks opaque tokens.'],
    'jwks[]': { '': 'The keys that tokens are signed with.', ...JWK },
    enable_client_debug_messages: ['flag', false, 'Tells applications why their request failed.'],
    minimum_parameter_entropy: [
      { from: -1 },
      8,
      'How many characters `state` and `nonce` have at least; -1 turns the check off.',
    ],
    enforce_pkce: [
      ['public_clients_only', 'never', 'always'],
      'public_clients_only',
      'Who must send a PKCE challenge (RFC 7636).',
    ],
    enable_pkce_plain_challenge: ['flag', false, 'Lets PKCE challenges be `plain`, not hashed.'],
    enable_jwt_access_token_stateless_introspection: [
      'flag',
      false,
      'Answers for access tokens that are JWTs from the token alone.',
    ],
    discovery_signed_response_alg: [
      ['none', ...JWS_ASYMMETRIC],
      'none',
      'How the discovery document is signed.',
    ],
    discovery_signed_response_key_id: [
      'text',
      undefined,
      'The key that signs the discovery document.',
    ],
    require_pushed_authorization_requests: [
      'flag',
      false,
      'Every application must push its requests first (RFC 9126).',
    ],
    cors: {
      endpoints: [
        {
          list: [
            'authorization',
            'device-authorization',
            'pushed-authorization-request',
            'token',
            'introspection',
            'revocation',
            'userinfo',
          ],
        },
        undefined,
        'Endpoints that scripts of other origins may call.',
      ],
      allowed_origins: [{ list: 'origin' }, undefined, 'Those origins.'],
      allowed_origins_from_client_redirect_uris: [
        'flag',
        false,
        'The origins of all redirect addresses are among them.',
      ],
    },
    'clients[]': CLIENT,
    'authorization_policies.*': {
      '': 'Who may sign in to a client, by a name for `clients[].authorization_policy`.',
      default_policy: [
        ['one_factor', 'two_factor', 'deny'],
        'two_factor',
        'What holds where no rule matches.',
      ],
      'rules[]': {
        policy: [['one_factor', 'two_factor', 'deny'], undefined, 'What the rule demands.'],
        subject: [
          { either: ['subject', { list: { oneOrMany: 'subject' } }] },
          undefined,
          'Who: `user:…`, `group:…`. Any of a list; of a list within it, all.',
        ],
        networks: [
          { oneOrMany: 'name' },
          undefined,
          'Where from: addresses, CIDR, names under `definitions.network`.',
        ],
      },
    },
    lifespans: {
      access_token: ['duration', '1h', 'How long an access token is valid.'],
      refresh_token: ['duration', '90m', 'How long a refresh token is valid.'],
      id_token: ['duration', '1h', 'How long an ID token is valid.'],
      authorize_code: [
        'duration',
        '1m',
        'How long an application has to redeem an authorization code.',
      ],
      device_code: ['duration', '10m', 'How long a person has to enter the code of a device.'],
      jwt_secured_authorization: [
        'duration',
        undefined,
        'How long an authorization response that is a JWT is valid.',
      ],
      'custom.*': {
        '': 'Other lifespans, by a name for `clients[].lifespan`.',
        ...LIFESPANS,
        ...DEVICE_CODE,
        'grants.{authorize_code,device_code,implicit,client_credentials,refresh_token,jwt_bearer}':
          { '': 'For tokens from this kind of grant.', ...LIFESPANS },
      },
    },
    'claims_policies.*': {
      '': 'What tokens say of a person, by a name for `clients[].claims_policy`.',
      id_token: [{ list: 'name' }, undefined, 'Claims that ID tokens carry besides the usual.'],
      access_token: [
        { list: 'name' },
        undefined,
        'Claims that access tokens carry besides the usual.',
      ],
      id_token_audience_mode: [
        ['specification', 'experimental-merged'],
        'specification',
        'Whether the audience of an ID token is the client alone, or what was asked for too.',
      ],
      'custom_claims.*': {
        name: ['text', undefined, "The claim's name in the token. Without it: the key above."],
        attribute: ['text', undefined, 'The attribute of the person that it holds.'],
      },
    },
    'scopes.*': {
      '': 'Scopes of your own.',
      claims: [{ list: 'name' }, undefined, 'The claims that the scope opens.'],
    },
  },
  'definitions.user_attributes.*': {
    '': 'Attributes that are computed from others.',
    expression: ['name', REQUIRED, 'How it is computed (Common Expression Language).'],
  },
}
