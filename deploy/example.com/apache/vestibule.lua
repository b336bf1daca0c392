-- Asks Vestibule whether a request may pass. Belongs to vestibule.conf, as /etc/apache2/vestibule.lua.
-- It has the last word on headers too: what it leaves in headers_in is what the app sees.

-- Seconds: three to connect, ten for each piece of the answer.
local function connect()
  local connection = require("socket").tcp()
  connection:settimeout(3)
  local connected = connection:connect("127.0.0.1", 9091)
  if not connected then
    connection:close()
    return nil
  end
  connection:settimeout(10)
  return connection
end

local IDENTITY = { "Remote-User", "Remote-Groups", "Remote-Name", "Remote-Email" }
local SESSION_COOKIES = { "vestibule_session" }

-- Headers of the client that the question is about. Everything else stays here.
local PASSED_ON = {
  "Accept", "Accept-Language", "Authorization", "Cookie", "Proxy-Authorization", "Sec-Fetch-Mode", "X-Requested-With",
}
-- Headers of an answer that belong to its connection.
local HOP = { connection = true, ["content-length"] = true, ["keep-alive"] = true, ["transfer-encoding"] = true }
-- Bytes. The page of a 403 is the longest answer there is.
local LONGEST = 262144

-- What could tell an app of another path, method or place than what was asked about.
local OVERRIDES = { "X-Original-URL", "X-Rewrite-URL", "X-Original-URI", "X-Forwarded-Uri", "X-Forwarded-Prefix", "X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method", "X-Forwarded-Method", "X-Original-Method", "Forwarded", "X-Forwarded-Server", "X-Forwarded-Port", "X-Real-IP" }

-- PHP and its kin read Remote_User, Remote.User and Remote!User as Remote-User: to us they are one name.
local function folded(name)
  return (string.lower(name):gsub("[^a-z0-9]", "-"))
end

local FORBIDDEN = {}
for _, names in ipairs({ IDENTITY, OVERRIDES }) do
  for _, name in ipairs(names) do FORBIDDEN[folded(name)] = true end
end

-- Whatever begins with X-Forwarded is for proxies to say.
local function is_forbidden(name)
  local one = folded(name)
  return FORBIDDEN[one] or string.find(one, "^x%-forwarded%-")
end

-- The app never sees the session cookie; all others stay. Where something that looks like one is still left (a proxy may
-- have joined two headers with a comma), it sees no cookie at all: nil.
local function without_session(cookies)
  local kept = {}
  for pair in string.gmatch(cookies, "[^;]+") do
    local name = string.match(pair, "^%s*(.-)%s*=") or ""
    local is_session = false
    for _, session in ipairs(SESSION_COOKIES) do is_session = is_session or name == session end
    pair = string.match(pair, "^%s*(.-)%s*$")
    if not is_session and pair ~= "" then kept[#kept + 1] = pair end
  end
  local text = table.concat(kept, "; ")
  for _, session in ipairs(SESSION_COOKIES) do
    if string.find(text, "[,;%s]" .. session:gsub("%W", "%%%0") .. "%s*=") then return nil end
  end
  if text == "" then return nil end
  return text
end

-- One question over a connection of its own. Returns nil when there was no complete answer.
local function question(lines)
  local connection = connect()
  if not connection then return nil end
  local sent = connection:send(table.concat(lines, "\r\n") .. "\r\n\r\n")
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
