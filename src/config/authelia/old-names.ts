/** Names that keys had in older versions of Authelia, and the names they have today. `[]` is an item of a list. */

import type { Form } from './unsupported/forms.ts'

const CLIENTS = 'identity_providers.oidc.clients[]'
const LIFESPANS = 'identity_providers.oidc.lifespans'

/** Keys that only moved: from where they were to where they are. */
export const MOVED: Readonly<Record<string, string>> = {
  logs_level: 'log.level',
  logs_file: 'log.file_path',
  logs_file_path: 'log.file_path',
  log_level: 'log.level',
  log_format: 'log.format',
  log_file_path: 'log.file_path',
  tls_key: 'server.tls.key',
  tls_cert: 'server.tls.certificate',
  'server.read_buffer_size': 'server.buffers.read',
  'server.write_buffer_size': 'server.buffers.write',
  'server.enable_pprof': 'server.endpoints.enable_pprof',
  'server.enable_expvars': 'server.endpoints.enable_expvars',
  'authentication_backend.disable_reset_password': 'authentication_backend.password_reset.disable',
  'session.remember_me_duration': 'session.remember_me',
  'webauthn.user_verification': 'webauthn.selection_criteria.user_verification',
  'notifier.smtp.disable_verify_cert': 'notifier.smtp.tls.skip_verify',
  'identity_providers.oidc.access_token_lifespan': `${LIFESPANS}.access_token`,
  'identity_providers.oidc.authorize_code_lifespan': `${LIFESPANS}.authorize_code`,
  'identity_providers.oidc.id_token_lifespan': `${LIFESPANS}.id_token`,
  'identity_providers.oidc.refresh_token_lifespan': `${LIFESPANS}.refresh_token`,
  [`${CLIENTS}.id`]: `${CLIENTS}.client_id`,
  [`${CLIENTS}.description`]: `${CLIENTS}.client_name`,
  [`${CLIENTS}.secret`]: `${CLIENTS}.client_secret`,
  [`${CLIENTS}.sector_identifier`]: `${CLIENTS}.sector_identifier_uri`,
  [`${CLIENTS}.userinfo_signing_algorithm`]: `${CLIENTS}.userinfo_signed_response_alg`,
}

const SSL_MODES = ['disable', 'verify-ca', 'require', 'verify-full']

/** Keys that became a part of another: of which, and what they held. */
export const DISSOLVED: Readonly<Record<string, readonly [now: string, form: Form]>> = {
  host: ['server.address', 'text'],
  port: ['server.address', 'number'],
  'server.host': ['server.address', 'text'],
  'server.port': ['server.address', 'number'],
  'server.path': ['server.address', 'text'],
  'notifier.smtp.host': ['notifier.smtp.address', 'text'],
  'notifier.smtp.port': ['notifier.smtp.address', 'number'],
  'session.domain': ['session.cookies', 'text'],
  default_redirection_url: ['session.cookies', 'url'],
  'storage.postgres.host': ['storage.postgres.address', 'text'],
  'storage.postgres.port': ['storage.postgres.address', 'number'],
  'storage.postgres.sslmode': ['storage.postgres.tls', SSL_MODES],
  'storage.postgres.ssl.mode': ['storage.postgres.tls', SSL_MODES],
  'storage.postgres.ssl.root_certificate': ['storage.postgres.tls', 'text'],
  'storage.postgres.ssl.certificate': ['storage.postgres.tls', 'text'],
  'storage.postgres.ssl.key': ['storage.postgres.tls', 'text'],
  'identity_providers.oidc.issuer_private_key': ['identity_providers.oidc.jwks', 'private key'],
  'identity_providers.oidc.issuer_certificate_chain': [
    'identity_providers.oidc.jwks',
    'certificates',
  ],
}

/** A list that became a map: its keys are in the table of keys without effect. */
export const NETWORKS = { from: 'access_control.networks', to: 'definitions.network' } as const

/** Not old, only Authelia's: nothing is said about them. */
export const ALSO: Readonly<Record<string, string>> = {
  'session.cookies[].authelia_url': 'session.cookies[].portal_url',
}
