import { REQUIRED, type Section } from './table.ts'

/** Limits by endpoint, and how many requests in which time they allow when nothing else is said. */
const LIMITS: Readonly<Record<string, string>> = {
  reset_password_start: '5/10m, 10/15m, 15/30m',
  reset_password_finish: '10/1m, 15/2m',
  second_factor_totp: '30/1m, 40/2m, 50/10m',
  second_factor_duo: '10/1m, 15/2m',
  session_elevation_start: '3, 5 and 15 in 1, 2 and 12 times `code_lifespan`',
  session_elevation_finish: '3, 5 and 15 in 1, 2 and 6 times `elevation_lifespan`',
  openid_connect_token: '30/1m, 40/2m, 50/10m, 100/1h',
  openid_connect_pushed_authorization_request: '30/1m, 40/2m, 50/10m, 100/1h',
  openid_connect_userinfo: '30/1m, 40/2m, 50/10m, 100/1h',
  openid_connect_introspection: '30/1m, 40/2m, 50/10m, 100/1h',
  openid_connect_revocation: '30/1m, 40/2m, 50/10m, 100/1h',
}

const limits = (): Section =>
  Object.fromEntries(
    Object.entries(LIMITS).map(([endpoint, standard]): [string, Section] => [
      endpoint,
      {
        enable: ['flag', true, 'Limits how often one client may ask.'],
        'buckets[]': {
          '': `The limits, all of which hold at once. Without it: ${standard}.`,
          period: ['period', undefined, 'A time of at least ten seconds.'],
          requests: [{ from: 1 }, undefined, 'How many requests it may have.'],
        },
      },
    ]),
  )

const READ_WRITE: Section = {
  read: ['number', 4096, 'Bytes for reading.'],
  write: ['number', 4096, 'Bytes for writing.'],
}

export const SERVER: Section = {
  theme: [['auto', 'light', 'dark', 'grey', 'oled'], 'light', 'The colours of the portal.'],
  server: {
    asset_path: ['text', undefined, 'A folder whose logo and texts replace those of the portal.'],
    tls: {
      '': 'TLS on our own address.',
      certificate: ['text', undefined, 'The file of our certificates.'],
      key: ['text', undefined, 'The file of our private key.'],
      client_certificates: [
        { list: 'name' },
        [],
        'Files of authorities: who has no certificate of theirs is not served.',
      ],
    },
    headers: {
      csp_template: ['text', undefined, 'The Content-Security-Policy of the portal.'],
    },
    endpoints: {
      enable_pprof: ['flag', false, 'Measurements for those who develop the server.'],
      enable_expvars: ['flag', false, 'Counters for those who develop the server.'],
      rate_limits: limits(),
    },
  },
  'access_control.networks[]': {
    name: ['name', REQUIRED, 'The name.'],
    networks: [{ oneOrMany: 'network' }, REQUIRED, 'The networks.'],
  },
  telemetry: { '': 'What can be measured.' },
  'telemetry.metrics': {
    '': 'Figures for Prometheus.',
    enabled: ['flag', false, 'Answers there.'],
    address: ['listen address', 'tcp://:9959/metrics', 'Where: a listener of its own.'],
    buffers: READ_WRITE,
    timeouts: {
      read: ['duration', undefined, 'How long a client may take to send its request.'],
      write: ['duration', undefined, 'How long an answer may take.'],
      idle: ['duration', undefined, 'How long a connection is kept open between two requests.'],
    },
  },
  ntp: {
    '': "Compares our clock with a time server's: codes and tokens depend on it.",
    address: [
      { address: ['udp', 'udp4', 'udp6'], path: true },
      'udp://time.cloudflare.com:123',
      'The time server.',
    ],
    version: [[3, 4], 4, 'The version of NTP.'],
    max_desync: ['duration', '3s', 'How far apart the clocks may be.'],
    disable_startup_check: ['flag', false, 'Does not compare them.'],
    disable_failure: ['flag', false, 'Starts all the same.'],
  },
  privacy_policy: {
    '': 'A link to what is done with personal data.',
    enabled: ['flag', false, 'Shows it on the portal.'],
    require_user_acceptance: ['flag', false, 'People must agree first.'],
    policy_url: ['url', undefined, 'Where it leads.'],
  },
}
