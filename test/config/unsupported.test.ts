import assert from 'node:assert/strict'
import test from 'node:test'
import { z } from 'zod'
import { house, load, SOUND } from './house.ts'

const OIDC = 'identity_providers: {oidc: {jwks: [{}], '

/** What is written below a sound first line → what the terminal says, `c.yml:2:` left out. */
const WRONG: readonly (readonly [name: string, text: string, fault: string])[] = [
  [
    'a text for a flag',
    'totp: {disable: "yes"}',
    '8 totp.disable: found "yes"; allowed: true, false',
  ],
  ['a number of no size', 'totp: {digits: 7}', '8 totp.digits: found 7; allowed: 6, 8'],
  [
    'a number that is too small',
    'totp: {period: 5}',
    '8 totp.period: found 5; allowed: at least 15',
  ],
  ['a broken number', 'totp: {skew: 0.5}', '8 totp.skew: found 0.5; allowed: a whole number'],
  [
    'a word that is none',
    'totp: {algorithm: MD5}',
    '8 totp.algorithm: found "MD5"; allowed: SHA1, SHA256, SHA512',
  ],
  [
    'a word in a list',
    'totp: {allowed_digits: [6, 7]}',
    '28 totp.allowed_digits[1]: found 7; allowed: 6, 8',
  ],
  [
    'a list for a text',
    'theme: [dark]',
    '1 theme: found a list; allowed: auto, light, dark, grey, oled',
  ],
  ['a text for a map', 'webauthn: off', '1 webauthn: found a text; allowed: a map'],
  [
    'a map for a list of maps',
    `${OIDC}clients: {client_id: a}}}`,
    '41 identity_providers.oidc.clients: found a map; allowed: a list',
  ],
  [
    'a text in a list of maps',
    `${OIDC}clients: [a]}}`,
    '51 identity_providers.oidc.clients[0]: found a text; allowed: a map',
  ],
  [
    'a time that is none',
    'ntp: {max_desync: 2 fortnights}',
    '7 ntp.max_desync: is not a duration; found "2 fortnights"; allowed: a number of seconds, or a number with a unit (1h, 5 minutes, 30d)',
  ],
  [
    'a period that is too short',
    'server: {endpoints: {rate_limits: {second_factor_totp: {buckets: [{period: 5s, requests: 1}]}}}}',
    '68 server.endpoints.rate_limits.second_factor_totp.buckets[0].period: is too short; found "5s"; allowed: at least 10 seconds',
  ],
  [
    'an address of another kind',
    'ntp: {address: "tcp://time.example.com:123"}',
    '7 ntp.address: is not an address; found "tcp://time.example.com:123"; allowed: udp://host:port, udp4://host:port, udp6://host:port',
  ],
  [
    'a mail server that is a web server',
    'notifier: {smtp: {address: "https://mail.example.com"}}',
    '19 notifier.smtp.address: is not an address; found "https://mail.example.com"; allowed: smtp://host:port, submission://host:port, submissions://host:port',
  ],
  [
    'a listener that is none',
    'telemetry: {metrics: {address: "udp://:9959"}}',
    '23 telemetry.metrics.address: is not an address to listen on; found "udp://:9959"; allowed: tcp://host:port/path, tcp4://…, tcp6://…, unix:///path/to/socket',
  ],
  [
    'a web address that is none',
    'privacy_policy: {policy_url: /privacy}',
    '18 privacy_policy.policy_url: is not a web address; found "/privacy"; allowed: https://auth.example.com',
  ],
  [
    'a host with a scheme',
    'duo_api: {hostname: "https://api.example.com"}',
    '11 duo_api.hostname: is no name of a host; found "https://api.example.com"; allowed: mail.example.com, 192.168.1.8',
  ],
  [
    'a sender who is none',
    'notifier: {smtp: {sender: "Sign-in"}}',
    '19 notifier.smtp.sender: is no mail address; found "Sign-in"; allowed: signin@example.com, Sign-in <signin@example.com>',
  ],
  [
    'an authenticator that is none',
    'webauthn: {filtering: {permitted_aaguids: [yubikey]}}',
    '44 webauthn.filtering.permitted_aaguids[0]: is no AAGUID; found "yubikey"; allowed: 00000000-0000-0000-0000-000000000000',
  ],
  [
    'a subject without its kind',
    `${OIDC}authorization_policies: {p: {rules: [{subject: [[john]]}]}}}}`,
    "90 identity_providers.oidc.authorization_policies.p.rules[0].subject[0][0]: names neither a user, a group nor a client; found \"john\"; allowed: 'user:john', 'group:admins', 'oauth2:client:grafana'",
  ],
  [
    'a client without a name',
    `${OIDC}clients: [{public: true}]}}`,
    '51 identity_providers.oidc.clients[0].client_id: is missing; allowed: a text',
  ],
  [
    'a name below a free key',
    `${OIDC}lifespans: {custom: {short: {grants: {implicit: {id_token: soon}}}}}}}`,
    '90 identity_providers.oidc.lifespans.custom.short.grants.implicit.id_token: is not a duration; found a text; allowed: a number of seconds, or a number with a unit (1h, 5 minutes, 30d)',
  ],
]

for (const [name, text, fault] of WRONG) {
  test(`a value without effect is checked like any other: ${name}`, async (t) => {
    const { text: said } = await load(t, { 'c.yml': `${SOUND}${text}\n` })
    assert.equal(said, `c.yml:2:${fault}`)
  })
}

test('a secret without effect is not repeated either', async (t) => {
  const { text } = await load(t, {
    'c.yml': `${SOUND}identity_providers:
  oidc:
    hmac_secret: {a: 1234567}
    jwks: [{key: hunter2}]
duo_api: {secret_key: [hunter2], integration_key: [1234567]}
`,
  })
  assert.doesNotMatch(text, /hunter2|1234567/)
  assert.deepEqual(text.split('\n'), [
    'c.yml:4:5 identity_providers.oidc.hmac_secret: found a map; allowed: a text',
    'c.yml:5:13 identity_providers.oidc.jwks[0].key: is no private key; found a text; allowed: a key in PEM (-----BEGIN PRIVATE KEY-----)',
    'c.yml:6:11 duo_api.secret_key: found a list; allowed: a text',
    'c.yml:6:34 duo_api.integration_key: found a list; allowed: a text',
  ])
})

test('forms that people have are accepted', async (t) => {
  const { text } = await load(t, {
    'c.yml': `${SOUND}ntp: {address: "time.example.com:123", max_desync: 3}
telemetry: {metrics: {address: "tcp://0.0.0.0:9959/metrics"}}
notifier:
  smtp:
    address: submissions://[2001:db8::25]:465
    sender: '"Sign-in, please" <signin@example.com>'
    tls: {minimum_version: TLS 1.2, certificate_chain: "-----BEGIN CERTIFICATE-----\\nMA=="}
webauthn: {filtering: {prohibited_aaguids: [FA2B99DC-9E39-4257-8F92-4A30D23C4118]}}
server: {endpoints: {rate_limits: {reset_password_start: {buckets: [{period: 10s, requests: 5}]}}}}
identity_providers:
  oidc:
    jwks: [{key_id: a, key: "-----BEGIN RSA PRIVATE KEY-----\\nMA=="}]
    cors: {allowed_origins: ['*', 'https://app.example.com']}
    clients:
      - client_id: a
        redirect_uris: com.example.app:/callback
        scopes: [openid, of_my_own]
    authorization_policies:
      a: {rules: [{subject: 'group:admins'}, {subject: ['user:a', ['user:b', 'group:c']]}]}
jwt: {session_length: 86400}
`,
  })
  assert.equal(text, '')
})

test('an empty text is no value, as in the templates that people start from', async (t) => {
  const { text, warnings } = await load(t, {
    'c.yml': `${SOUND}theme: ''
default_2fa_method: ""
duo_api: {hostname: '', integration_key: '', secret_key: ''}
notifier: {smtp: {address: '', sender: '', tls: {certificate_chain: ''}}, filesystem: {}}
`,
  })
  assert.equal(text, '')
  assert.deepEqual(warnings, [])
  const wrong = await load(t, { 'c.yml': `${SOUND}totp: {disable: '', digits: ''}\n` })
  assert.deepEqual(wrong.text.split('\n'), [
    'c.yml:2:8 totp.disable: found ""; allowed: true, false',
    'c.yml:2:21 totp.digits: found ""; allowed: 6, 8',
  ])
})

test('a variable without effect is read by the type of its key', async (t) => {
  const { text, warnings } = await load(
    t,
    { 'c.yml': SOUND },
    {
      env: {
        VESTIBULE_TOTP_DIGITS: '8',
        VESTIBULE_TOTP_ALLOWED_PERIODS: '30,60',
        VESTIBULE_WEBAUTHN_DISABLE: 'true',
        VESTIBULE_NOTIFIER_SMTP_PASSWORD: '12345',
      },
    },
  )
  assert.equal(text, '')
  assert.deepEqual(warnings, [
    'VESTIBULE_NOTIFIER_SMTP_PASSWORD notifier: has no effect yet',
    'VESTIBULE_TOTP_ALLOWED_PERIODS totp: has no effect yet',
    'VESTIBULE_WEBAUTHN_DISABLE webauthn: has no effect yet',
  ])
  const wrong = await load(
    t,
    { 'c.yml': SOUND },
    { env: { VESTIBULE_TOTP_DIGITS: '7', VESTIBULE_TOTP_DISABLE: 'no' } },
  )
  assert.deepEqual(wrong.text.split('\n'), [
    'VESTIBULE_TOTP_DIGITS totp.digits: found 7; allowed: 6, 8',
    'VESTIBULE_TOTP_DISABLE totp.disable: found "no"; allowed: true, false',
  ])
})

test('what keys without effect say against each other is a notice', async (t) => {
  const { text, warnings } = await load(t, {
    'c.yml': `${SOUND}notifier: {filesystem: {filename: /tmp/mail.txt}, smtp: {address: smtp://mail.example.com}}
password_policy: {standard: {enabled: true, min_length: 12, max_length: 10}, zxcvbn: {enabled: true}}
privacy_policy: {enabled: true}
webauthn:
  filtering:
    permitted_aaguids: [fa2b99dc-9e39-4257-8f92-4a30d23c4118]
    prohibited_aaguids: [fa2b99dc-9e39-4257-8f92-4a30d23c4118]
identity_providers:
  oidc:
    clients: [{client_id: a}, {client_id: b}, {client_id: a}]
`,
  })
  assert.equal(text, '')
  assert.deepEqual(
    warnings.filter((warning) => !warning.endsWith('has no effect yet')),
    [
      'c.yml:2:51 notifier.smtp: is given together with notifier.filesystem: only one of them will be used',
      'c.yml:3:61 password_policy.standard.max_length: is less than min_length: no password would do',
      'c.yml:3:87 password_policy.zxcvbn.enabled: and password_policy.standard.enabled are both true: only one policy can hold',
      'c.yml:4:18 privacy_policy.enabled: is true without privacy_policy.policy_url: there is nothing to show',
      'c.yml:8:5 webauthn.filtering.prohibited_aaguids: is given together with permitted_aaguids: who is not on that list is refused anyway',
      'c.yml:10:3 identity_providers.oidc: has clients and no jwks: tokens need a key to be signed with',
      'c.yml:11:48 identity_providers.oidc.clients[2].client_id: is that of identity_providers.oidc.clients[0] too',
    ],
  )
})

test("a key that a feature declares is that feature's, whatever a table says", async (t) => {
  const built = {
    ...house,
    clocks: {
      config: {
        ntp: z.strictObject({ version: z.int().max(5).default(5) }).prefault({}),
        'totp.digits': z.literal(7).default(7),
      },
    },
  }
  const texts = (text: string) => ({ 'c.yml': `${SOUND}${text}\n` })
  const { config, warnings } = await load(
    t,
    texts('ntp: {version: 2, max_desync: 10m}\ntotp: {digits: 7, period: 30}'),
    { features: built },
  )
  assert.deepEqual(config?.['ntp'], { version: 2 })
  assert.equal(config?.['totp.digits'], 7)
  assert.deepEqual(warnings, [
    'c.yml:2:19 ntp.max_desync: has no effect yet',
    'c.yml:3:19 totp.period: has no effect yet',
  ])
  const wrong = await load(t, texts('ntp: {version: 9}\ntotp: {digits: 6}'), {
    features: built,
  })
  assert.deepEqual(wrong.text.split('\n'), [
    'c.yml:2:7 ntp.version: found 9; allowed: at most 5',
    'c.yml:3:8 totp.digits: found 6; allowed: 7',
  ])
})

test('jwt_secret is not what it was', async (t) => {
  const { warnings } = await load(t, { 'c.yml': `${SOUND}jwt_secret: s\n` })
  assert.deepEqual(warnings, [
    "c.yml:2:1 jwt_secret: has no effect yet; Authelia's old jwt_secret is identity_validation.reset_password.jwt_secret today, and this is another secret",
  ])
})
