-- Asks Vestibule whether a request may pass. Belongs to haproxy.cfg, as /etc/haproxy/vestibule.lua.

local ENDPOINT = "http://127.0.0.1:9091/api/authz/forward-auth"
local IDENTITY = { "Remote-User", "Remote-Groups", "Remote-Name", "Remote-Email" }
local SESSION_COOKIES = { "vestibule_session" }

-- Headers of the client that the question is about. Everything else stays here.
local PASSED_ON = {
  "accept", "accept-language", "authorization", "cookie", "proxy-authorization", "sec-fetch-mode", "x-requested-with",
}
-- Headers of an answer that belong to its connection.
local HOP = { connection = true, ["content-length"] = true, ["keep-alive"] = true, ["transfer-encoding"] = true }

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
  return core.httpclient():get({ url = ENDPOINT, headers = asked, timeout = 10000 })
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
