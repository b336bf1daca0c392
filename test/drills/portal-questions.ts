/** What the fuzz drill of the portal asks: pages, forms and the JSON API, well formed first and then spoiled. */
import { METHODS } from 'node:http'
import { PASSWORD } from '../support/server.ts'
import { BITS } from './corpus-headers.ts'
import { HOSTS, PLAIN_PATHS, words } from './corpus-target.ts'
import { change, type Draft, damage, type Header, write } from './mutations.ts'
import { type Random, randomOf } from './random.ts'
import type { Cookie } from './scene.ts'
import { DOMAINS, PEOPLE } from './world.ts'

export interface PortalQuestion {
  readonly index: number
  readonly bytes: string
}

const PORTALS = words(`
  auth.example.com auth.example.com auth.example.com auth.bare.test login.corp.test:8443
  auth.vestibule.localhost:9091 192.0.2.10 AUTH.example.com auth.example.com. example.com
  evil.test auth.example.com:99999 localhost
`)
const USUAL_PATHS = words(`
  / / / / /logout /forbidden /api/state /api/firstfactor /api/firstfactor /api/logout
  /api/checks/safe-redirection /api/health /static/portal.css /settings /api/user/sessions
`)
const FORM_PATHS = words(`
  / / / /logout /api/firstfactor /api/firstfactor /api/firstfactor /api/logout
  /api/checks/safe-redirection
`)
const ODD_PATHS = words(`
  /api/health/ready /static/../main.ts /static/%2e%2e%2fmain.ts /api/firstfactor/ /API/firstfactor
  //api/state /api//state /api/nothing /.well-known/nothing /favicon.ico /api/user/sessions/x
  /api/user/history /api/admin/bans /settings/sessions /metrics /%00 /%zz /api/%2e%2e/ * /?rd /;x
`)
/** Where somebody would like to be sent. */
const TARGETS: readonly string[] = [
  ...HOSTS.flatMap((host) => PLAIN_PATHS.slice(0, 3).map((path) => `https://${host}${path}`)),
  ...words(`
    https://evil.test/ //evil.test/ /\\evil.test https:evil.test https:///evil.test javascript:alert(1)
    data:text/html,x https://example.com@evil.test/ https://evil.test#.example.com/ /logout
    https://evil.test\\.example.com/ https://app.example.com\\@evil.test/ http://app.example.com/
    wss://app.example.com/ ftp://app.example.com/ https://app.example.com:99999/ https://[::1]/
    https://example.com.evil.test/ https://evilexample.com/ https://app.example.com./x
  `),
  'https://app.example.com/\r\nSet-Cookie: a=b',
  'https://app.example.com/ x',
  'https://app.example.com/\tx',
  '',
]
const NAMES = [...PEOPLE.map(({ name }) => name), 'nobody', 'JOHN', ' john', '', '\0', '__proto__']
const PASSWORDS = [PASSWORD, PASSWORD, PASSWORD, 'wrong', '', ' ', 'p'.repeat(1024), '\0']
/** What a parser may take long for. */
const MANY_NAMES = Array.from({ length: 9000 }, (_, i) => `n${i}`).join('&')
const MANY_BLANKS = `1${' '.repeat(20_000)},10.1.2.3`
const SITES = ['same-origin', 'same-origin', 'same-origin', 'same-site', 'cross-site', 'none', 'x']

/** @returns the question of an index; any can be made again without those before it */
export function createPortalQuestions(seed: number, cookies: readonly Cookie[]) {
  return (index: number): PortalQuestion => {
    const random = randomOf(seed, index)
    const drafts = draftOf(random, cookies)
    change(drafts, random)
    let bytes = write(drafts)
    if (random.chance(0.15)) bytes = damage(bytes, write(draftOf(random, cookies)), random)
    return { index, bytes }
  }
}

function draftOf(random: Random, cookies: readonly Cookie[]): Draft {
  const isWrite = random.chance(0.6)
  const path = random.pick(random.chance(0.15) ? ODD_PATHS : isWrite ? FORM_PATHS : USUAL_PATHS)
  const fields = fieldsOf(random)
  const { type, body } = isWrite ? bodyOf(fields, path, random) : { type: '', body: '' }
  const carried = new URLSearchParams(carriedOf(random)).toString()
  const query =
    isWrite && random.chance(0.8)
      ? ''
      : `?${carried}${random.chance(0.02) ? `&${MANY_NAMES.slice(0, 20_000)}` : ''}`
  const headers: Header[] = [['Host', random.pick(PORTALS)]]
  if (isWrite) headers.push(['Content-Length', String(body.length)])
  if (type !== '') headers.push(['Content-Type', type])
  if (random.chance(0.7)) headers.push(['Sec-Fetch-Site', random.pick(SITES)])
  if (random.chance(0.3))
    headers.push(['Origin', random.pick(['null', 'https://auth.example.com', 'https://evil.test'])])
  if (random.chance(0.5)) headers.push(['Cookie', cookieOf(random, cookies)])
  if (random.chance(0.6))
    headers.push(['Accept', random.pick(['text/html', 'application/json', '*/*'])])
  if (random.chance(0.4))
    headers.push(['Accept-Language', random.pick(['de, en;q=0.5', 'x'.repeat(500), ';;q=', '*'])])
  if (random.chance(0.2))
    headers.push(['X-Forwarded-For', random.pick(['10.1.2.3', 'x', ', ,', MANY_BLANKS])])
  const method = isWrite
    ? random.chance(0.9)
      ? 'POST'
      : random.pick(METHODS)
    : random.chance(0.9)
      ? 'GET'
      : random.pick(['HEAD', 'OPTIONS'])
  return { method, target: `${path}${query}`, version: 'HTTP/1.1', headers, body }
}

const carriedOf = (random: Random): Record<string, string> => ({
  ...(random.chance(0.7) && { rd: random.pick(TARGETS) }),
  ...(random.chance(0.4) && { rm: random.pick(['GET', 'POST', 'x', ''] as const) }),
  ...(random.chance(0.2) && { [random.pick(['failed', 'signed-in', 'signed-out', 'x'])]: '' }),
})

function fieldsOf(random: Random): Record<string, unknown> {
  return {
    username: random.pick(NAMES),
    password: random.pick(PASSWORDS),
    targetURL: random.pick(TARGETS),
    requestMethod: 'GET',
    keepMeLoggedIn: random.chance(0.5),
    uri: random.pick(TARGETS),
    ...(random.chance(0.1) && {
      [random.pick(['username', 'password', '__proto__'])]: odd(random),
    }),
  }
}

const odd = (random: Random): unknown => random.pick([null, 1, true, [], {}, ['john'], { $ne: '' }])

function bodyOf(fields: Record<string, unknown>, path: string, random: Random) {
  if (random.chance(0.05)) return { type: random.pick(['', 'text/plain', 'x']), body: odd2(random) }
  const isForm = path.startsWith('/api/') ? random.chance(0.1) : random.chance(0.9)
  const text = isForm
    ? String(new URLSearchParams({ ...carriedOf(random), ...texts(fields), remember: 'on' }))
    : JSON.stringify(fields)
  // One character a byte.
  const body = Buffer.from(text, 'utf8').toString('latin1')
  return { type: isForm ? 'application/x-www-form-urlencoded' : 'application/json', body }
}

const odd2 = (random: Random): string =>
  random.pick([
    MANY_NAMES,
    '',
    '{',
    '[]',
    '"',
    '\xff\xfe',
    'a=b',
    '{"a":'.repeat(2000),
    'a=&'.repeat(3000),
  ])

const texts = (fields: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, String(value)]))

/** What a sibling host sets for the domain, in front of the right one. */
const planted = (name: string, count: number): string =>
  Array.from({ length: count }, (_, i) => `${name}=${`${i}`.padStart(43, 'P')}`).join('; ')

function cookieOf(random: Random, cookies: readonly Cookie[]): string {
  const { value, domain } = random.pick(cookies)
  const name = DOMAINS.find((one) => one.domain === domain)?.cookie ?? 'vestibule_session'
  const own = `${name}=${value}`
  return random.pick([
    own,
    own,
    own,
    `a=b; ${own}`,
    `${own}; ${name}=x`,
    `${planted(name, random.pick([4, 5, 50, 800]))}; ${own}`,
    `${planted(`${name}_device`, random.pick([4, 5, 300]))}; ${own}`,
    `${own}${random.pick(BITS)}`,
  ])
}
