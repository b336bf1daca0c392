import { headersOf, OVERRIDES } from '../headers.ts'
import type { ProxySetup } from '../setup.ts'

/** A text as a literal of Lua. */
export const luaText = (text: string): string =>
  `"${text.replace(/["\\]/g, '\\$&').replace(/[^\x20-\x7e]/g, (char) => `\\${char.charCodeAt(0)}`)}"`

export const luaList = (texts: readonly string[]): string =>
  `{ ${texts.map((text) => luaText(text)).join(', ')} }`

/** The names that the Lua below is about, but for `luaFolding`. */
export const luaNames = (
  setup: ProxySetup,
): string => `local IDENTITY = ${luaList(headersOf(setup))}
local SESSION_COOKIES = ${luaList(setup.cookieNames)}
`

/**
 * For Lua 5.1 and newer: which headers are not a client's to send.
 * @param said names that begin with X-Forwarded, in lower case, which the proxy has said itself before this is asked
 */
export const luaFolding = (
  said: readonly string[] = [],
): string => `-- What could tell an app of another path, method or place than what was asked about.
local OVERRIDES = ${luaList(OVERRIDES)}

-- PHP and its kin read Remote_User, Remote.User and Remote!User as Remote-User: to us they are one name.
local function folded(name)
  return (string.lower(name):gsub("[^a-z0-9]", "-"))
end

local FORBIDDEN = {}
for _, names in ipairs({ IDENTITY, OVERRIDES }) do
  for _, name in ipairs(names) do FORBIDDEN[folded(name)] = true end
end
${
  said.length === 0
    ? ''
    : `local SAID = { ${said.map((name) => `[${luaText(name)}] = true`).join(', ')} }
`
}
-- Whatever begins with X-Forwarded is for proxies to say.
local function is_forbidden(name)
  local one = folded(name)
  return FORBIDDEN[one] or string.find(one, "^x%-forwarded%-")${said.length === 0 ? '' : ' and not SAID[string.lower(name)]'}
end
`

/** For Lua 5.1 and newer: what is left of a Cookie header for the app. */
export const luaCookies = `-- The app never sees the session cookie; all others stay. Where something that looks like one is still left (a proxy may
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
`
