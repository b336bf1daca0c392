import { isAddress } from '../../../kernel/host.ts'
import { headersOf } from '../headers.ts'
import {
  certificateName,
  hostsOf,
  type PrintSnippet,
  type ProxySetup,
  portalsOf,
  servedDomains,
  splitListen,
  verifyPattern,
} from '../setup.ts'
import { luaCookies, luaFolding, luaNames } from './lua.ts'

/** Headers of the client that the question is about. Envoy passes on nothing that isn't listed. */
const PASSED_ON = [
  'accept',
  'accept-language',
  'authorization',
  'cookie',
  'proxy-authorization',
  'sec-fetch-mode',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-requested-with',
]

/** Envoy has written these anew, or taken a client's away, before its filters run. */
const SAID_BEFORE = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-client-cert']

/** Envoy 1.30 and newer, as a whole static configuration: ext_authz over HTTP, and Lua for what it doesn't do. */
export const envoy: PrintSnippet = (setup) => {
  const { listen, appUpstream, verifyUpstream } = setup
  const portals = portalsOf(setup)
  const { address = '0.0.0.0', port } = splitListen(listen)
  const text = `# Vestibule in front of one app, for Envoy 1.30 and newer: envoy -c envoy.yaml.

static_resources:
  listeners:
    - name: apps
      address: { socket_address: { address: ${yaml(address)}, port_value: ${port} } }
      filter_chains:
        - ${certificate(setup)}filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": ${TYPE}.filters.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: apps
                # Envoy is the edge: it says itself where a client comes from, and how.
                use_remote_address: true
                # A websocket, and no other upgrade (h2c): that would be a tunnel, and what goes through it is not checked.
                upgrade_configs: [{ upgrade_type: websocket }]
                # What is asked about is what is sent on: no http://... in place of a path.
                http_protocol_options: { allow_absolute_url: false }
                http_filters:
                  # 1. What only Vestibule may say does not come from a client.
                  - name: vestibule.client
                    typed_config:
                      "@type": ${TYPE}.filters.http.lua.v3.Lua
                      default_source_code:
                        inline_string: |
${lines(clientLua(setup), 26)}
                  # 2. The question. Only a 200 opens; any other answer (the way to the portal, 401, 403) goes to the client as
                  #    it is, and without an answer it is 503.
                  - name: vestibule.question
                    typed_config:
                      "@type": ${TYPE}.filters.http.ext_authz.v3.ExtAuthz
                      transport_api_version: V3
                      failure_mode_allow: false
                      status_on_error: { code: ServiceUnavailable }
                      allowed_headers:
                        patterns:
${PASSED_ON.map((name) => `                          - { exact: ${name}, ignore_case: true }`).join('\n')}
                      http_service:
                        server_uri: { uri: "http://vestibule", cluster: vestibule, timeout: 10s }
                        # With the slash at the end, whatever the path of the request begins with.
                        path_prefix: /api/authz/ext-authz/
                        authorization_response:
                          allowed_upstream_headers:
                            patterns:
${headersOf(setup)
  .map(
    (name) =>
      `                              - { exact: ${yaml(name.toLowerCase())}, ignore_case: true }`,
  )
  .join('\n')}
                  # 3. The app never sees the session cookie.
                  - name: vestibule.cookies
                    typed_config:
                      "@type": ${TYPE}.filters.http.lua.v3.Lua
                      default_source_code:
                        inline_string: |
${lines(cookieLua(setup), 26)}
                  - name: envoy.filters.http.router
                    typed_config:
                      "@type": ${TYPE}.filters.http.router.v3.Router
                route_config:
                  virtual_hosts:
                    # Your app. Every virtual host is behind the question, unless it says otherwise as the portal does.
                    - name: app
                      domains: [${domains(hostsOf(setup))}]
                      routes:
                        - match: { prefix: / }
                          route: { cluster: app, timeout: 0s }
${portals.length === 0 ? '' : portal(setup, portals)}  clusters:
${cluster('app', appUpstream)}${cluster('vestibule', verifyUpstream)}`
  return [{ name: 'envoy.yaml', text }]
}

const TYPE = 'type.googleapis.com/envoy.extensions'

const clientLua = (setup: ProxySetup): string => `${luaNames({ ...setup, cookieNames: [] }).replace(
  /^local SESSION_COOKIES.*\n/m,
  '',
)}
${luaFolding(SAID_BEFORE)}
function envoy_on_request(handle)
  local headers = handle:headers()
  -- CONNECT opens a tunnel, and no request inside it is asked about. TRACE tells back what is added on the way to the app.
  local method = headers:get(":method")
  if method == "CONNECT" or method == "TRACE" then
    handle:respond({ [":status"] = "405" }, "")
    return
  end
  local removed = {}
  for name in pairs(headers) do
    if is_forbidden(name) then removed[#removed + 1] = name end
  end
  for _, name in ipairs(removed) do headers:remove(name) end
  -- Envoy has put the address of the client at the end, behind what the client says.
  local address = string.match(headers:get("x-forwarded-for") or "", "([^,%s]+)%s*$")
  if address then headers:replace("x-forwarded-for", address) end
  headers:replace("x-forwarded-host", headers:get(":authority"))
end
`

const cookieLua = ({ cookieNames }: ProxySetup): string => `local SESSION_COOKIES = { ${cookieNames
  .map((name) => JSON.stringify(name))
  .join(', ')} }

${luaCookies}
function envoy_on_request(handle)
  local headers = handle:headers()
  local all = {}
  for index = 0, headers:getNumValues("cookie") - 1 do all[#all + 1] = headers:getAtIndex("cookie", index) end
  local cookies = without_session(table.concat(all, "; "))
  headers:remove("cookie")
  if cookies then headers:add("cookie", cookies) end
end
`

function portal(setup: ProxySetup, hosts: readonly string[]): string {
  const off = (filter: string, type: string) =>
    `                        ${filter}: { "@type": ${TYPE}.filters.http.${type}, disabled: true }`
  return `                    # The portal, where people sign in.
                    - name: portal
                      domains: [${domains(hosts)}]
                      typed_per_filter_config:
${off('vestibule.question', 'ext_authz.v3.ExtAuthzPerRoute')}
${off('vestibule.cookies', 'lua.v3.LuaPerRoute')}
                      routes:
                        # Only proxies ask these. The portal has no path with a % in it, so these are not spelled with one.
                        - match: { safe_regex: { regex: ${yaml(`${verifyPattern(setup)}(/.*)?|.*%.*`)} } }
                          direct_response: { status: 404 }
                        - match: { prefix: / }
                          route: { cluster: vestibule }
`
}

const domains = (hosts: readonly string[]): string =>
  hosts.flatMap((host) => [yaml(host), yaml(`${host}:*`)]).join(', ')

function cluster(name: string, upstream: string): string {
  const path = /^unix:(.*)$/.exec(upstream)?.[1]
  const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(upstream) ?? []
  const bare = host.replace(/^\[|\]$/g, '')
  const type = path !== undefined || isAddress(bare) ? 'STATIC' : 'STRICT_DNS'
  const address =
    path === undefined
      ? `{ socket_address: { address: ${yaml(bare)}, port_value: ${port} } }`
      : `{ pipe: { path: ${yaml(path)} } }`
  return `    - name: ${name}
      type: ${type}
      connect_timeout: 3s
      load_assignment:
        cluster_name: ${name}
        endpoints: [{ lb_endpoints: [{ endpoint: { address: ${address} } }] }]
`
}

/** Of several certificates Envoy takes the one for the name that a client asks for. */
const certificate = (setup: ProxySetup): string =>
  setup.tls
    ? `transport_socket:
            name: envoy.transport_sockets.tls
            typed_config:
              "@type": ${TYPE}.transport_sockets.tls.v3.DownstreamTlsContext
              common_tls_context:
                # Yours.
                tls_certificates:
${servedDomains(setup)
  .map((domain) => {
    const name = certificateName(setup, domain)
    return `                  - certificate_chain: { filename: /etc/ssl/certs/${name}.pem }
                    private_key: { filename: /etc/ssl/private/${name}.key }
`
  })
  .join('')}          `
    : ''

/** JSON is YAML. */
const yaml = (text: string): string => JSON.stringify(text)

const lines = (text: string, depth: number): string =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => (line === '' ? '' : ' '.repeat(depth) + line))
    .join('\n')
