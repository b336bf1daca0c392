/** The requests of the drill of proxies: first every known trick, then mixtures made from the seed and a number alone. */
import { BITS } from './corpus-headers.ts'
import {
  AUTHORITIES,
  HOST_LINES,
  LINES,
  METHODS,
  ODD_FORMS,
  ODD_PATHS,
  UPGRADES,
} from './proxy-corpus.ts'
import { COOKIE, host } from './proxy-world.ts'
import { type Random, randomOf } from './random.ts'

/** One connection of a client. Texts hold one character a byte. */
export type ProxyQuestion = {
  readonly index: number
  /** Sent once the first answer is there, if the connection is still open: what a tunnel would carry. */
  readonly inner: string
} & (
  | { readonly kind: 'http1'; readonly bytes: string }
  | { readonly kind: 'http2'; readonly headers: Readonly<Record<string, string>> }
)

type Draft =
  | { readonly kind: 'http1'; readonly bytes: string; readonly inner?: string }
  | {
      readonly kind: 'http2'
      readonly headers: Readonly<Record<string, string>>
      readonly inner?: string
    }

const [APP, PUBLIC] = [host('app'), host('public')]
/** What a client wants to have served without being asked about. */
export const INNER = [
  'GET /admin/inner HTTP/1.1',
  `Host: ${APP}`,
  'Remote-User: mallory',
  'Remote-Groups: admins',
  'Connection: close',
  '\r\n',
].join('\r\n')

/** @param sessions values of live cookies; the first is of somebody who may not do everything */
export function createProxyQuestions(seed: number, sessions: readonly string[]) {
  const [john = ''] = sessions
  const visitors = [[`Cookie: ${COOKIE}=${john}`], []]
  const http1 = fixedHttp1(visitors)
  const http2 = fixedHttp2(visitors)
  return {
    /** So many are the same for every seed. */
    fixed: { http1: http1.length, http2: http2.length },
    http1: (index: number): ProxyQuestion => ({
      index,
      ...withInner(http1[index] ?? mixed(randomOf(seed, index), sessions)),
    }),
    http2: (index: number): ProxyQuestion => ({
      index,
      ...withInner(http2[index] ?? mixedHttp2(randomOf(seed, index), sessions)),
    }),
  }
}

const withInner = <T extends Draft>(draft: T): T & { readonly inner: string } => ({
  ...draft,
  inner: draft.inner ?? '',
})

const hostLines = (hosts: readonly string[]): readonly string[] =>
  hosts.map((name) => `Host: ${name}`)

function request(
  line: string,
  lines: readonly string[],
  { body = '', inner = '' }: { readonly body?: string; readonly inner?: string } = {},
): Draft {
  return { kind: 'http1', bytes: `${[line, ...lines].join('\r\n')}\r\n\r\n${body}`, inner }
}

function fixedHttp1(visitors: readonly (readonly string[])[]): readonly Draft[] {
  const get = (target: string, lines: readonly string[]) => request(`GET ${target} HTTP/1.1`, lines)
  return visitors.flatMap((who) => {
    const mine = [`Host: ${APP}`, ...who]
    const open = [`Host: ${PUBLIC}`, ...who]
    return [
      ...AUTHORITIES.flatMap((target) =>
        [mine, open].flatMap((lines) => [
          request(`CONNECT ${target} HTTP/1.1`, lines, { inner: INNER }),
          request(`CONNECT ${target} HTTP/1.1`, lines, { body: INNER }),
        ]),
      ),
      ...['/', '/open/a', '*', `http://${APP}/open/a`].map((target) =>
        request(`TRACE ${target} HTTP/1.1`, mine),
      ),
      ...ODD_FORMS.flatMap((target) => [get(target, mine), get(target, open)]),
      ...['*', '*/a', `http://${APP}/*`].map((target) =>
        request(`OPTIONS ${target} HTTP/1.1`, mine),
      ),
      ...ODD_PATHS.map((target) => get(target, mine)),
      ...METHODS.flatMap((method) =>
        ['/read', '/admin', '/open/a'].map((target) =>
          request(`${method} ${target} HTTP/1.1`, [...mine, 'Content-Length: 0']),
        ),
      ),
      ...HOST_LINES.flatMap((hosts) =>
        ['/x', '/open/a', `http://${APP}/admin`].map((target) =>
          get(target, [...hostLines(hosts), ...who]),
        ),
      ),
      ...UPGRADES.flatMap((upgrade) =>
        ['/x', '/open/a', '/admin'].map((target) =>
          request(`GET ${target} HTTP/1.1`, [...mine, ...upgrade], { inner: INNER }),
        ),
      ),
      ...['HTTP/1.0', 'HTTP/0.9', 'HTTP/2.0', 'HTTP/1.2', 'HTTP/1.1 ', ''].map((version) =>
        request(`GET /x ${version}`, mine, { inner: INNER }),
      ),
      ...['GET  /x HTTP/1.1', 'GET\t/x HTTP/1.1', 'GET /x  HTTP/1.1', ' GET /x HTTP/1.1'].map(
        (line) => request(line, mine),
      ),
      request('GET /open/a HTTP/1.1', mine, { body: INNER }),
      request('POST /x HTTP/1.1', [...mine, 'Content-Length: 4', 'Content-Length: 0'], {
        body: INNER,
      }),
      request('POST /x HTTP/1.1', [...mine, 'Content-Length: 4', 'Transfer-Encoding: chunked'], {
        body: `0\r\n\r\n${INNER}`,
      }),
    ]
  })
}

function fixedHttp2(visitors: readonly (readonly string[])[]): readonly Draft[] {
  return visitors.flatMap((who) => {
    const cookie = who.map((line): [string, string] => ['cookie', line.slice('Cookie: '.length)])
    const ask = (headers: Readonly<Record<string, string>>, inner = ''): Draft => ({
      kind: 'http2',
      headers: { ...headers, ...Object.fromEntries(cookie) },
      inner,
    })
    const plain = { ':method': 'GET', ':scheme': 'http', ':authority': APP }
    return [
      ...[`${APP}:80`, `${PUBLIC}:80`, APP, 'app:80', `${APP}:80/admin`].map((authority) =>
        ask({ ':method': 'CONNECT', ':authority': authority }, INNER),
      ),
      ...['websocket', 'connect-udp', 'h2c'].flatMap((protocol) =>
        ['/x', '/admin', '/open/a'].map((path) =>
          ask({ ...plain, ':method': 'CONNECT', ':protocol': protocol, ':path': path }, INNER),
        ),
      ),
      ask({ ...plain, ':method': 'TRACE', ':path': '/open/a' }),
      ...[...ODD_FORMS, ...ODD_PATHS].map((path) => ask({ ...plain, ':path': path })),
      ...[PUBLIC, `${APP}.`, `${APP}:80`, `x@${APP}`, '', `${PUBLIC},${APP}`].map((authority) =>
        ask({ ...plain, ':authority': authority, ':path': '/x' }),
      ),
      ...[PUBLIC, APP, '', `${PUBLIC}:80`].flatMap((name) => [
        ask({ ...plain, ':path': '/x', host: name }),
        ask({ ...plain, ':authority': PUBLIC, ':path': '/x', host: name }),
        ask({ ':method': 'GET', ':scheme': 'http', ':path': '/x', host: name }),
      ]),
      ...['ftp', 'https', 'x', 'http://public.vestibule.localhost/?'].map((scheme) =>
        ask({ ...plain, ':scheme': scheme, ':path': '/x' }),
      ),
      ...METHODS.filter((method) => method !== 'CONNECT').map((method) =>
        ask({ ...plain, ':method': method, ':path': '/read' }),
      ),
    ]
  })
}

function mixed(random: Random, sessions: readonly string[]): Draft {
  const few = <T>(list: readonly T[], chance: number): T[] =>
    random.chance(chance) ? [random.pick(list), ...few(list, chance / 2)] : []
  const method = random.chance(0.6)
    ? 'GET'
    : random.pick(random.chance(0.3) ? ['CONNECT', 'TRACE', 'OPTIONS'] : METHODS)
  const hosts = random.chance(0.15)
    ? random.pick(HOST_LINES)
    : [random.chance(0.6) ? APP : host(random.pick(['public', 'admin', 'bank']))]
  const lines = few(LINES, 0.4)
  if (random.chance(0.1)) lines.push(...random.pick(UPGRADES))
  if (random.chance(0.6)) lines.push(`Cookie: ${COOKIE}=${random.pick(sessions)}`)
  const version = random.chance(0.95) ? 'HTTP/1.1' : random.pick(['HTTP/1.0', 'HTTP/2.0', ''])
  const target = targetOf(random)
  const line = damaged(random, `${method} ${target} ${version}`)
  const all = random.shuffle([...hostLines(hosts), ...lines])
  const isChunked = lines.includes('Transfer-Encoding: chunked')
  const body = isChunked ? '0\r\n\r\n' : lines.includes('Content-Length: 5') ? 'hello' : ''
  return request(line, all, { body, inner: random.chance(0.2) ? INNER : '' })
}

function targetOf(random: Random): string {
  if (random.chance(0.3)) return random.pick(ODD_FORMS)
  const path = random.pick(ODD_PATHS)
  if (random.chance(0.7)) return path
  const other = random.pick(ODD_PATHS)
  return random.chance(0.5)
    ? `${path}${other}`
    : `${random.pick(['http://', 'http:', 'HTTP://', ''])}${random.pick([APP, PUBLIC, '', 'x'])}${path}`
}

/** Bytes that parsers stumble over, somewhere in the request line; no line end, so that it stays one. */
function damaged(random: Random, line: string): string {
  if (random.chance(0.85)) return line
  const at = random.below(line.length)
  return `${line.slice(0, at)}${random.pick(BITS).replace(/[\r\n]/g, '')}${line.slice(at)}`
}

function mixedHttp2(random: Random, sessions: readonly string[]): Draft {
  const headers: Record<string, string> = {
    ':method': random.chance(0.6) ? 'GET' : random.pick(METHODS),
    ':scheme': 'http',
    ':authority': random.chance(0.7) ? APP : random.pick([PUBLIC, host('bank'), `${APP}:80`]),
    ':path': targetOf(random),
  }
  if (headers[':method'] === 'CONNECT') {
    delete headers[':path']
    delete headers[':scheme']
  }
  if (random.chance(0.2)) headers['host'] = random.pick([APP, PUBLIC])
  if (random.chance(0.6)) headers['cookie'] = `${COOKIE}=${random.pick(sessions)}`
  if (random.chance(0.2)) headers['remote-user'] = 'mallory'
  if (random.chance(0.1)) headers['x-forwarded-uri'] = '/open/a'
  return { kind: 'http2', headers, inner: random.chance(0.2) ? INNER : '' }
}
