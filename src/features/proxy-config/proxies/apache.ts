import {
  certificateName,
  type PrintSnippet,
  type ProxyDomain,
  type ProxySetup,
  servedDomains,
  splitListen,
  verifyPattern,
} from '../setup.ts'
import { luaCookies, luaFolding, luaNames, luaText } from './lua.ts'

/**
 * Apache httpd 2.4.49 and newer. It has nothing like nginx's auth_request: the question is asked by a hook of mod_lua,
 * over a socket of Debian's lua-socket.
 */
export const apache: PrintSnippet = (setup) => {
  return [
    { name: 'vestibule.conf', text: shared(setup) },
    {
      name: 'app.conf',
      text: `# Your apps, behind Vestibule: goes to /etc/apache2/sites-available/. A further app: a copy with its own name and address.
${setup.domains.map((domain) => app(setup, domain)).join('')}`,
    },
    {
      name: 'vestibule.lua',
      text: hook(setup),
    },
  ]
}

/** The Lua of the hook. Most of it is one text, which is read as it is printed: it stays in one piece. */
function hook(setup: ProxySetup): string {
  const { verifyUpstream } = setup
  return `-- Asks Vestibule whether a request may pass. Belongs to vestibule.conf, as /etc/apache2/vestibule.lua.
-- It has the last word on headers too: what it leaves in headers_in is what the app sees.

${upstreamLines(verifyUpstream)}${luaNames(setup)}
-- Headers of the client that the question is about. Everything else stays here.
local PASSED_ON = {
  "Accept", "Accept-Language", "Authorization", "Cookie", "Proxy-Authorization", "Sec-Fetch-Mode", "X-Requested-With",
}
-- Headers of an answer that belong to its connection.
local HOP = { connection = true, ["content-length"] = true, ["keep-alive"] = true, ["transfer-encoding"] = true }
-- Bytes. The page of a 403 is the longest answer there is.
local LONGEST = 262144

${luaFolding()}
${luaCookies}
-- One question over a connection of its own. Returns nil when there was no complete answer.
local function question(lines)
  local connection = connect()
  if not connection then return nil end
  local sent = connection:send(table.concat(lines, "\\r\\n") .. "\\r\\n\\r\\n")
  local status_line = sent and connection:receive("*l")
  local answer = { headers = {}, body = "" }
  answer.status = status_line and tonumber(string.match(status_line, "^HTTP/1%.%d (%d%d%d)"))
  local ended = false
  while answer.status and not ended do
    local line = connection:receive("*l")
    if not line then break end
    local name, value = string.match(line, "^([^:%s]+):%s*(.-)%s*$")
    if name then answer.headers[string.lower(name)] = value end
    ended = line == ""
  end
  local length = ended and tonumber(answer.headers["content-length"])
  -- Vestibule always says how long its answer is.
  if length and length > 0 and length <= LONGEST then answer.body = connection:receive(length) end
  connection:close()
  if not length or length > LONGEST or not answer.body then return nil end
  return answer
end

local function question_about(r)
  local lines = {
    "GET /api/authz/forward-auth HTTP/1.1",
    "Host: vestibule",
    "Connection: close",
    "X-Forwarded-For: " .. r.useragent_ip,
    "X-Forwarded-Proto: " .. (r.is_https and "https" or "http"),
    "X-Forwarded-Host: " .. (r.headers_in["Host"] or ""),
    "X-Forwarded-Method: " .. r.method,
    -- The path and the query as they came, undecoded.
    "X-Forwarded-URI: " .. r.unparsed_uri,
  }
  for _, name in ipairs(PASSED_ON) do
    local value = r.headers_in[name]
    if value then lines[#lines + 1] = name .. ": " .. value end
  end
  for index, line in ipairs(lines) do lines[index] = string.gsub(line, "%c", "") end
  return lines
end

-- The way to the portal, 401 or 403, as Vestibule wrote it.
local function refuse(r, answer)
  r.status = answer.status
  for name, value in pairs(answer.headers) do
    if name == "content-type" then r.content_type = value
    elseif not HOP[name] then r.err_headers_out[name] = value end
  end
  r:puts(answer.body)
  return apache2.DONE
end

-- A websocket keeps its upgrade. Any other (h2c) would be a tunnel, and what goes through it is not checked; and mod_proxy drops
-- every header that a client names in Connection, those that were set here among them.
local function tidy_connection(r)
  local wanted = string.lower(r.headers_in["Connection"] or "")
  if string.lower(r.headers_in["Upgrade"] or "") == "websocket" then
    r.headers_in["Connection"] = "Upgrade"
    return
  end
  r.headers_in["Upgrade"] = nil
  r.headers_in["Connection"] = string.match(wanted, "close") or string.match(wanted, "keep%-alive")
end

function ask(r)
  -- CONNECT opens a tunnel, and no request inside it is asked about. TRACE tells back what is added on the way to the app.
  if r.method == "CONNECT" or r.method == "TRACE" then return 405 end
  local target = r.unparsed_uri
  -- http://another.host/ in the request line would be asked about as the host of the Host header.
  if string.sub(target, 1, 1) ~= "/" then return 400 end
  -- Of //a and of /x/..//a mod_proxy makes something else. Only what Vestibule was asked about is sent to the app.
  local mapped = r.filename or ""
  if string.find(mapped, "^proxy:") and string.sub(mapped, -#target) ~= target then return 400 end

  local answer = question(question_about(r))
  if not answer then return 503 end
  if answer.status < 200 or answer.status > 299 then return refuse(r, answer) end

  tidy_connection(r)
  -- mod_proxy says these anew. A client's own would stand in front of what it says.
  for name in pairs(r:headers_in_table()) do
    if is_forbidden(name) then r.headers_in[name] = nil end
  end
  r.headers_in["X-Forwarded-Proto"] = r.is_https and "https" or "http"
  -- Who it is: exactly one of each.
  for _, name in ipairs(IDENTITY) do
    local value = answer.headers[string.lower(name)]
    if value and value ~= "" then r.headers_in[name] = value end
  end
  r.headers_in["Cookie"] = r.headers_in["Cookie"] and without_session(r.headers_in["Cookie"])
  return apache2.OK
end
`
}

function address({ listen }: ProxySetup): string {
  const { address: ip = '*', port } = splitListen(listen)
  return `${ip}:${port}`
}

/** What all apps share, the portals among it. */
function shared(setup: ProxySetup): string {
  return `# Vestibule, for Apache httpd 2.4.49 and newer: what all apps share. On Debian:
#   apt install lua-socket; a2enmod headers lua macro proxy proxy_http${setup.tls ? ' ssl' : ''}
# This file goes to /etc/apache2/conf-available/ (a2enconf vestibule), vestibule.lua to /etc/apache2/. Needs a
# "Listen ${setup.listen}".

# A Lua that was read once serves many requests.
LuaScope thread

# What an app takes, inside its VirtualHost: Use Vestibule http://127.0.0.1:3000/
<Macro Vestibule $vestibule_app>
${HOST_CHECK}${LIMITS}    # The app sees the path that was asked about, byte for byte.
    AllowEncodedSlashes NoDecode

    # The question. When the Lua fails, or isn't there, Apache says 500: closed. Never add "Satisfy Any" here.
    LuaHookAccessChecker /etc/apache2/vestibule.lua ask

    ProxyPreserveHost On
    ProxyPass / $vestibule_app nocanon upgrade=websocket
</Macro>

# A host that no VirtualHost names is no app's. Apache gives it to the first one of an address, so this one has to be the first.
# If you have such a one of your own, one without an app in it, leave this one out.
<VirtualHost ${address(setup)}>
    ServerName vestibule.invalid
${firstCertificate(setup)}${HOST_CHECK}${LIMITS}    Redirect 421 "/"
</VirtualHost>
${setup.domains.map((domain) => portal(setup, domain)).join('')}`
}

const firstCertificate = (setup: ProxySetup): string =>
  servedDomains(setup)
    .slice(0, 1)
    .map((domain) => certificate(setup, domain))
    .join('')

/** Also where the one that refuses unknown hosts is left out. */
const HOST_CHECK = `    # What is asked about is the Host header: another host than these belongs to another app, also on the first of your hosts,
    # to which Apache would otherwise give it.
    StrictHostCheck ON
`
const LIMITS = `    TraceEnable off
    # Addresses of 8 KiB and more, and the cookies of many apps. Counts for all hosts of this address.
    LimitRequestLine 32768
    LimitRequestFieldSize 65536
`

function app(setup: ProxySetup, domain: ProxyDomain): string {
  const [first, ...others] = domain.hosts
  if (first === undefined) return ''
  return `
<VirtualHost ${address(setup)}>
    ServerName ${first}
${others.map((host) => `    ServerAlias ${host}\n`).join('')}${certificate(setup, domain)}    Use Vestibule http://${setup.appUpstream}/
</VirtualHost>
`
}

function certificate(setup: ProxySetup, domain: ProxyDomain): string {
  if (!setup.tls) return ''
  const name = certificateName(setup, domain)
  return `    SSLEngine on
    # Yours.
    SSLCertificateFile /etc/ssl/certs/${name}.pem
    SSLCertificateKeyFile /etc/ssl/private/${name}.key
`
}

/** Where the Lua connects to; three seconds to connect, ten for an answer. */
function upstreamLines(upstream: string): string {
  const path = /^unix:(.*)$/.exec(upstream)?.[1]
  const open =
    path === undefined
      ? `  local connection = require("socket").tcp()
  connection:settimeout(3)
  local connected = connection:connect(${hostAndPort(upstream)})`
      : `  local unix = require("socket.unix")
  -- Older lua-socket has one kind only, newer ones say which.
  local connection = type(unix) == "table" and unix.stream() or unix()
  connection:settimeout(3)
  local connected = connection:connect(${luaText(path)})`
  return `-- Seconds: three to connect, ten for each piece of the answer.
local function connect()
${open}
  if not connected then
    connection:close()
    return nil
  end
  connection:settimeout(10)
  return connection
end

`
}

function hostAndPort(upstream: string): string {
  const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(upstream) ?? []
  return `${luaText(host.replace(/^\[|\]$/g, ''))}, ${port}`
}

function portal(setup: ProxySetup, domain: ProxyDomain): string {
  if (domain.portalHost === undefined) return ''
  const path = /^unix:(.*)$/.exec(setup.verifyUpstream)?.[1]
  const target =
    path === undefined ? `http://${setup.verifyUpstream}/` : `unix:${path}|http://vestibule/`
  return `
# The portal, where people sign in.
<VirtualHost ${address(setup)}>
    ServerName ${domain.portalHost}
${certificate(setup, domain)}${HOST_CHECK}${LIMITS}    # Only proxies ask these, however the path is written: THE_REQUEST is the line as it came.
    <If "%{THE_REQUEST} !~ m#^[^ ]+ +/#">
        Redirect 400 "/"
    </If>
    <If "%{THE_REQUEST} =~ m#^[^ ]+ +${verifyPattern(setup)}([/?; ]|$)# || %{THE_REQUEST} =~ m#^[^ ]+ +[^? ]*%#">
        Redirect 404 "/"
    </If>
    ProxyPassMatch "^${verifyPattern(setup)}(?:/|$)" "!"
    # mod_proxy says them anew, behind what a client says.
    RequestHeader unset X-Forwarded-For
    RequestHeader unset X-Forwarded-Host
    RequestHeader set X-Forwarded-Proto expr=%{REQUEST_SCHEME}
    ProxyPreserveHost On
    ProxyPass / ${target} nocanon
</VirtualHost>
`
}
