/**
 * Keys that may stand in a configuration although nothing reads them yet, and keys that must not.
 *
 * Names by the path they live under: `[]` is an item of a list, `*` a free key, `**` anything below, `{a,b}` one of
 * several. A key that a feature declares is that feature's, whether it is named here or not: nothing has to be
 * removed when something gets built.
 */

/** Authelia's tree, whole: 455 keys. */
export const AUTHELIA_KEYS: Readonly<Record<string, string>> = {
  '': 'theme certificates_directory default_2fa_method default_redirection_url',
  log: 'level format file_path keep_stdout',
  'identity_providers.oidc': `
    hmac_secret enable_client_debug_messages minimum_parameter_entropy enforce_pkce
    enable_pkce_plain_challenge enable_jwt_access_token_stateless_introspection
    discovery_signed_response_alg discovery_signed_response_key_id
    require_pushed_authorization_requests issuer_certificate_chain issuer_private_key
  `,
  'identity_providers.oidc.jwks[]': 'key_id use algorithm key certificate_chain',
  'identity_providers.oidc.cors': `
    endpoints allowed_origins allowed_origins_from_client_redirect_uris
  `,
  'identity_providers.oidc.clients[]': `
    client_id client_name client_secret sector_identifier_uri public redirect_uris request_uris
    audience scopes grant_types response_types response_modes authorization_policy lifespan
    claims_policy requested_audience_mode consent_mode pre_configured_consent_duration
    require_pushed_authorization_requests require_pkce pkce_challenge_method
    authorization_signed_response_alg authorization_signed_response_key_id
    authorization_encrypted_response_alg authorization_encrypted_response_enc
    authorization_encrypted_response_key_id id_token_signed_response_alg
    id_token_signed_response_key_id id_token_encrypted_response_alg
    id_token_encrypted_response_enc id_token_encrypted_response_key_id
    access_token_signed_response_alg access_token_signed_response_key_id
    access_token_encrypted_response_alg access_token_encrypted_response_enc
    access_token_encrypted_response_key_id userinfo_signed_response_alg
    userinfo_signed_response_key_id userinfo_encrypted_response_alg
    userinfo_encrypted_response_enc userinfo_encrypted_response_key_id
    introspection_signed_response_alg introspection_signed_response_key_id
    introspection_encrypted_response_alg introspection_encrypted_response_enc
    introspection_encrypted_response_key_id request_object_signing_alg
    request_object_encryption_alg request_object_encryption_enc token_endpoint_auth_method
    token_endpoint_auth_signing_alg revocation_endpoint_auth_method
    revocation_endpoint_auth_signing_alg introspection_endpoint_auth_method
    introspection_endpoint_auth_signing_alg pushed_authorization_request_endpoint_auth_method
    pushed_authorization_request_endpoint_auth_signing_alg allow_multiple_auth_methods jwks_uri
  `,
  'identity_providers.oidc.clients[].jwks[]': 'key_id use algorithm key certificate_chain',
  'identity_providers.oidc.authorization_policies.*': 'default_policy',
  'identity_providers.oidc.authorization_policies.*.rules[]': 'policy subject networks',
  'identity_providers.oidc.lifespans': `
    access_token refresh_token id_token authorize_code device_code jwt_secured_authorization
  `,
  'identity_providers.oidc.lifespans.custom.*': `
    access_token refresh_token id_token authorize_code device_code
  `,
  'identity_providers.oidc.lifespans.custom.*.grants.{authorize_code,device_code,implicit,client_credentials,refresh_token,jwt_bearer}': `
    access_token refresh_token id_token authorize_code
  `,
  'identity_providers.oidc.claims_policies.*': 'id_token access_token id_token_audience_mode',
  'identity_providers.oidc.claims_policies.*.custom_claims.*': 'name attribute',
  'identity_providers.oidc.scopes.*': 'claims',
  'authentication_backend.password_reset': 'disable custom_url',
  'authentication_backend.password_change': 'disable',
  authentication_backend: 'refresh_interval',
  'authentication_backend.file': 'path watch',
  'authentication_backend.file.password': `
    algorithm iterations memory parallelism key_length salt_length
  `,
  'authentication_backend.file.password.argon2': `
    variant iterations memory parallelism key_length salt_length
  `,
  'authentication_backend.file.password.{sha2crypt,pbkdf2}': 'variant iterations salt_length',
  'authentication_backend.file.password.bcrypt': 'variant cost',
  'authentication_backend.file.password.scrypt': `
    variant iterations block_size parallelism key_length salt_length
  `,
  'authentication_backend.file.search': 'email case_insensitive',
  'authentication_backend.file.extra_attributes.*': 'multi_valued value_type',
  'authentication_backend.ldap': `
    address implementation timeout start_tls base_dn additional_users_dn users_filter
    additional_groups_dn groups_filter group_search_mode permit_referrals
    permit_unauthenticated_bind user password
  `,
  'authentication_backend.ldap.tls': `
    minimum_version maximum_version skip_verify server_name private_key certificate_chain
  `,
  'authentication_backend.ldap.pooling': 'enable count retries timeout',
  'authentication_backend.ldap.attributes': `
    distinguished_name username display_name family_name given_name middle_name nickname gender
    birthdate website profile picture zoneinfo locale phone_number phone_extension street_address
    locality region postal_code country mail member_of group_name
  `,
  'authentication_backend.ldap.attributes.extra.*': 'name multi_valued value_type',
  session: 'name same_site expiration inactivity remember_me secret domain',
  'session.cookies[]': `
    name same_site expiration inactivity remember_me domain authelia_url default_redirection_url
  `,
  'session.redis': `
    host port timeout max_retries username password database_index maximum_active_connections
    minimum_idle_connections
  `,
  'session.redis.tls': `
    minimum_version maximum_version skip_verify server_name private_key certificate_chain
  `,
  'session.redis.high_availability': `
    sentinel_name sentinel_username sentinel_password route_by_latency route_randomly
  `,
  'session.redis.high_availability.nodes[]': 'host port',
  totp: `
    disable issuer algorithm digits period skew secret_size allowed_algorithms allowed_digits
    allowed_periods disable_reuse_security_policy
  `,
  duo_api: 'disable hostname integration_key secret_key enable_self_enrollment',
  access_control: 'default_policy',
  'access_control.networks[]': 'name networks',
  'access_control.rules[]': 'domain domain_regex policy subject networks resources methods query',
  ntp: 'address version max_desync disable_startup_check disable_failure',
  regulation: 'modes max_retries find_time ban_time',
  'storage.local': 'path',
  'storage.mysql': 'address database username password timeout',
  'storage.mysql.tls': `
    minimum_version maximum_version skip_verify server_name private_key certificate_chain
  `,
  'storage.postgres': 'address database username password timeout schema',
  'storage.postgres.tls': `
    minimum_version maximum_version skip_verify server_name private_key certificate_chain
  `,
  'storage.postgres.servers[]': 'address',
  'storage.postgres.servers[].tls': `
    minimum_version maximum_version skip_verify server_name private_key certificate_chain
  `,
  'storage.postgres.ssl': 'mode root_certificate certificate key',
  storage: 'encryption_key',
  notifier: 'disable_startup_check template_path',
  'notifier.filesystem': 'filename',
  'notifier.smtp': `
    address timeout username password identifier sender subject startup_check_address
    disable_require_tls disable_html_emails disable_starttls host port
  `,
  'notifier.smtp.tls': `
    minimum_version maximum_version skip_verify server_name private_key certificate_chain
  `,
  server: 'address asset_path disable_healthcheck',
  'server.tls': 'certificate key client_certificates',
  'server.headers': 'csp_template',
  'server.endpoints': 'enable_pprof enable_expvars',
  'server.endpoints.rate_limits.{reset_password_start,reset_password_finish,second_factor_totp,second_factor_duo,session_elevation_start,session_elevation_finish,openid_connect_token,openid_connect_pushed_authorization_request,openid_connect_userinfo,openid_connect_introspection,openid_connect_revocation}': `
    enable
  `,
  'server.endpoints.rate_limits.{reset_password_start,reset_password_finish,second_factor_totp,second_factor_duo,session_elevation_start,session_elevation_finish,openid_connect_token,openid_connect_pushed_authorization_request,openid_connect_userinfo,openid_connect_introspection,openid_connect_revocation}.buckets[]': `
    period requests
  `,
  'server.endpoints.authz.*': 'implementation',
  'server.endpoints.authz.*.authn_strategies[]': 'name schemes scheme_basic_cache_lifespan',
  'server.buffers': 'read write',
  'server.timeouts': 'read write idle',
  'telemetry.metrics': 'enabled address',
  'telemetry.metrics.buffers': 'read write',
  'telemetry.metrics.timeouts': 'read write idle',
  webauthn: `
    disable enable_passkey_login experimental_enable_passkey_uv_two_factors
    experimental_enable_passkey_upgrade display_name attestation_conveyance_preference timeout
  `,
  'webauthn.filtering': 'prohibit_backup_eligibility permitted_aaguids prohibited_aaguids',
  'webauthn.selection_criteria': 'attachment discoverability user_verification',
  'webauthn.metadata': `
    enabled cache_policy validate_trust_anchor validate_entry validate_entry_permit_zero_aaguid
    validate_status validate_status_permitted validate_status_prohibited
  `,
  'password_policy.standard': `
    enabled min_length max_length require_uppercase require_lowercase require_number
    require_special
  `,
  'password_policy.zxcvbn': 'enabled min_score',
  privacy_policy: 'enabled require_user_acceptance policy_url',
  'identity_validation.reset_password': 'jwt_lifespan jwt_algorithm jwt_secret',
  'identity_validation.elevated_session': `
    code_lifespan elevation_lifespan characters require_second_factor skip_second_factor
  `,
  'definitions.network': '*',
  'definitions.user_attributes.*': 'expression',
}

/** Names that are ours and whose feature is to come. */
export const OUR_KEYS: Readonly<Record<string, string>> = {
  '': 'trusted_proxies data_directory failed_login_rate_limit reset_admin_password logout_url jwt_secret',
  jwt: 'cookie_name session_length refresh_time',
  auth: 'mode',
  'auth.proxy': 'permitted_headers secret separator default_role',
  'auth.proxy.header_map': '**',
  'auth.proxy.role_map': '**',
  admin: 'groups disable',
  identity_headers: 'user groups name email separator',
  branding: 'title accent',
  authentication_backend: 'rehash_on_login',
  'authentication_backend.hashing': 'concurrency queue',
  'authentication_backend.ldap': 'allow_plaintext',
  'server.headers': 'hsts frame_ancestors',
  'access_control.rules[]': 'title icon',
  'session.cookies[]': 'portal_url',
  'session.redis.cluster': '**',
  webauthn: 'passkey_counts_as_two_factor',
}

/**
 * Keys that nobody reads and that would be dangerous to pass over: what they ask for would silently not happen. A
 * start with one of them is refused, with the reason.
 */
export const REFUSED: Readonly<Record<string, string>> = {
  'authentication_backend.ldap':
    'users in a directory are not supported yet; keep them in a file (authentication_backend.file)',
  'session.redis':
    'sessions in Redis are not supported yet; without this key they are kept in the embedded database',
  'server.tls':
    'TLS is not supported yet, and without it this address would answer in plain text; end TLS at the proxy in front',
  'storage.postgres':
    'PostgreSQL is not supported yet; without this key the embedded database is used (storage.local)',
  'storage.mysql':
    'MySQL and MariaDB are not supported and will not be; use the embedded database (storage.local)',
}

/** The two lists above as patterns. */
export const unbuiltPatterns = (): string[] =>
  [AUTHELIA_KEYS, OUR_KEYS].flatMap((keys) =>
    Object.entries(keys).flatMap(([base, names]) =>
      names
        .trim()
        .split(/\s+/)
        .map((name) => (base === '' ? name : `${base}.${name}`)),
    ),
  )
