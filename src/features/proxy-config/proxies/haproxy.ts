import { foldedPattern, headersOf, OVERRIDES } from '../headers.ts'
import {
  hostsOf,
  type PrintSnippet,
  type ProxySetup,
  portalsOf,
  splitListen,
  verifyPattern,
} from '../setup.ts'
import { luaCookies, luaNames, luaText } from './lua.ts'

/** One pattern deletes them all. */
const FORWARDED = /^X-Forwarded-/

/**
 * HAProxy 2.6 and newer, with a small Lua file of our own: HAProxy cannot ask by itself. An app is a line of a map and a
 * backend: all hosts of the frontend are asked about, so no app can be without the question.
 */
export const haproxy: PrintSnippet = (setup) => {
  const unix = /^unix:(.*)$/.exec(setup.verifyUpstream)?.[1]
  return [
    { name: 'haproxy.cfg', text: shared(setup, unix) },
    { name: 'vestibule-apps.map', text: map(setup) },
    { name: 'apps.cfg', text: apps(setup) },
    { name: 'vestibule.lua', text: lua(setup, unix) },
  ]
}

function shared(setup: ProxySetup, unix: string | undefined): string {
  const { verifyUpstream, listen, tls } = setup
  const portals = portalsOf(setup)
  const { address = '', port } = splitListen(listen)
  const removed = [
    ...[...headersOf(setup), ...OVERRIDES.filter((header) => !FORWARDED.test(header))].map(
      foldedPattern,
    ),
    '^x[^a-z0-9]forwarded[^a-z0-9]',
  ]
  return `# Vestibule, for HAProxy 2.6 and newer: what all apps share. A whole haproxy.cfg; the other three files belong beside it, in
# /etc/haproxy. apps.cfg is read behind it: haproxy -f /etc/haproxy/haproxy.cfg -f /etc/haproxy/apps.cfg (Debian: EXTRAOPTS in
# /etc/default/haproxy), or its backends stand at the end of this file.

global
    lua-load-per-thread /etc/haproxy/vestibule.lua
    # An address of 8 KiB, and the way to the portal that repeats it encoded, have to fit into one buffer.
    tune.bufsize 65536
    # Of it, this much is kept for what is added: a header that doesn't fit any more would be left out without a word.
    tune.maxrewrite 16384

defaults
    mode http
    timeout connect 3s
    timeout client 60s
    timeout http-request 10s
    timeout server 60s
    timeout tunnel 1h

frontend apps
    bind ${address}:${port}${tls ? ' ssl crt /etc/haproxy/certs/ alpn h2,http/1.1' : ''}

    # CONNECT opens a tunnel, and no request inside it is asked about. TRACE tells back what is added on the way to the app.
    http-request return status 405 if METH_CONNECT or METH_TRACE
    # HAProxy would send http://... and * on as they came, and ask about what it takes for the path. Over HTTP/2 it puts the
    # address together itself, and sends the path alone on for these two schemes.
    http-request return status 400 unless { path_beg / }
    http-request return status 400 unless { url_beg / } or { fc_http_major ge 2 } { url_beg http:// https:// }

    # The app, by the Host header, which is also what is asked about. A host that the map doesn't have is no app's.
    http-request set-var(txn.vestibule_app) req.fhdr(host),field(1,:),lower,map_str(/etc/haproxy/vestibule-apps.map)
    acl vestibule_app var(txn.vestibule_app) -m found
${
  portals.length === 0
    ? ''
    : `    # The portal, where people sign in. Only proxies ask the verify endpoints.
    acl vestibule_portal req.fhdr(host),field(1,:),lower -m str ${portals.join(' ')}
    acl vestibule_verify path,url_dec -m reg ^${verifyPattern(setup)}(/|$)
    http-request return status 404 if vestibule_portal vestibule_verify
`
}    http-request return status 421 unless vestibule_app${portals.length === 0 ? '' : ' or vestibule_portal'}

    # A websocket keeps its upgrade. Any other (h2c) would be a tunnel, and what goes through it is not checked.
    http-request del-header upgrade unless { req.fhdr(upgrade) -i websocket }

    # What only Vestibule may say, in every spelling that an app could take for it: PHP and its kin read Remote_User,
    # Remote.User and Remote!User as Remote-User. The others could tell an app of another path, method or place than what was
    # asked about.
${removed.map((pattern) => `    http-request del-header ${pattern} -m reg`).join('\n')}

    # Whatever a client has said about where it comes from, this is what is true.
    http-request set-header X-Forwarded-For %[src]
    http-request set-header X-Forwarded-Host %[req.fhdr(host)]
    http-request set-header X-Forwarded-Proto ${tls ? 'https' : '%[ssl_fc,iif(https,http)]'}

    # The question (vestibule.lua). Only a 2xx sets the variable; if the Lua fails in any way, no request passes.
    http-request lua.vestibule if vestibule_app
    http-request deny deny_status 503 if vestibule_app !{ var(txn.vestibule_passed) -m bool }

    # A backend that is not there: 503.
${portals.length === 0 ? '' : '    use_backend vestibule if vestibule_portal\n'}    use_backend %[var(txn.vestibule_app)] if vestibule_app
${
  portals.length === 0
    ? ''
    : `
backend vestibule
    server vestibule ${unix === undefined ? verifyUpstream : `unix@${unix}`}
`
}`
}

const map = (
  setup: ProxySetup,
): string => `# The hosts of your apps, in lower case, and the backend of each. A further app is a line here, and its backend in apps.cfg.
${hostsOf(setup)
  .map((host) => `${host} app\n`)
  .join('')}`

const apps = (
  setup: ProxySetup,
): string => `# Your apps. Read behind haproxy.cfg, which says what is asked before a request comes here.

backend app
    server app ${setup.appUpstream}
`

const lua = (
  setup: ProxySetup,
  unix: string | undefined,
): string => `-- Asks Vestibule whether a request may pass. Belongs to haproxy.cfg, as /etc/haproxy/vestibule.lua.

local ENDPOINT = ${luaText(unix === undefined ? `http://${setup.verifyUpstream}/api/authz/forward-auth` : 'http://127.0.0.1/api/authz/forward-auth')}
${unix === undefined ? '' : `local SOCKET = ${luaText(`unix@${unix}`)}\n`}${luaNames(setup)}
-- Headers of the client that the question is about. Everything else stays here.
local PASSED_ON = {
  "accept", "accept-language", "authorization", "cookie", "proxy-authorization", "sec-fetch-mode", "x-requested-with",
}
-- Headers of an answer that belong to its connection.
local HOP = { connection = true, ["content-length"] = true, ["keep-alive"] = true, ["transfer-encoding"] = true }

${luaCookies}
-- HAProxy counts the values of a header from 0.
local function list(values)
  local all = {}
  local i = 0
  while values and values[i] do
    all[#all + 1] = values[i]
    i = i + 1
  end
  return all
end

local function ask(txn, sent)
  local asked = {
    -- Set by haproxy.cfg, whatever the client sent.
    ["x-forwarded-for"] = list(sent["x-forwarded-for"]),
    ["x-forwarded-proto"] = list(sent["x-forwarded-proto"]),
    ["x-forwarded-host"] = list(sent["x-forwarded-host"]),
    ["x-forwarded-method"] = { txn.sf:method() },
    -- The path and the query as they came, undecoded.
    ["x-forwarded-uri"] = { txn.sf:pathq() },
  }
  -- HAProxy would add "Accept: */*" of its own, and take every script for a browser.
  for _, name in ipairs(PASSED_ON) do
    if sent[name] or name == "accept" then asked[name] = sent[name] and list(sent[name]) or { "" } end
  end
  return core.httpclient():get({ url = ENDPOINT, headers = asked, timeout = 10000${unix === undefined ? '' : ', dst = SOCKET'} })
end

local function refuse(txn, answer)
  local reply = txn:reply({ status = answer.status, reason = answer.reason })
  for name, values in pairs(answer.headers or {}) do
    if not HOP[name] then
      for _, value in ipairs(list(values)) do reply:add_header(name, value) end
    end
  end
  reply:set_body(answer.body or "")
  txn:done(reply)
end

core.register_action("vestibule", { "http-req" }, function(txn)
  local sent = txn.http:req_get_headers()
  local answer = ask(txn, sent)
  if not answer or not answer.status or answer.status < 200 or answer.status > 299 then
    -- The way to the portal, 401 or 403. Without an answer: haproxy.cfg closes the door.
    if answer and answer.status and answer.status >= 300 then refuse(txn, answer) end
    return
  end

  -- Who it is: exactly one of each.
  for _, name in ipairs(IDENTITY) do
    local value = list(answer.headers[string.lower(name)])[1]
    if value and value ~= "" then txn.http:req_set_header(name, value) end
  end
  local cookies = without_session(table.concat(list(sent["cookie"]), "; "))
  txn.http:req_del_header("cookie")
  if cookies then txn.http:req_set_header("cookie", cookies) end
  -- The last word, after everything else went well.
  txn:set_var("txn.vestibule_passed", true)
end)
`
