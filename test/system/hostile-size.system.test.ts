/**
 * Requirement 37: what a stranger sends in one request holds nobody up, however it is cut into names, cookies, headers or
 * letters. Each hostile request is compared with a plain one of the same bytes, by the CPU of the server's main thread: a
 * ratio holds on any machine.
 */
import assert from 'node:assert/strict'
import { before, suite, test } from 'node:test'
import { suiteCleanup } from '../support/cleanup.ts'
import { cpuOf } from '../support/cpu.ts'
import { type RequestOptions, type RunningServer, startServer } from '../support/server.ts'
import { CHEAP, usersYaml } from '../support/users.ts'

interface Case {
  readonly about: string
  /** Makes the request of a text of `size` bytes. */
  readonly ask: (text: string) => RequestOptions & { readonly path: string }
  readonly size: number
  /** Cut into as many parts as there is room for. */
  readonly hostile: (size: number) => string
}

const PORTAL = { Host: 'auth.example.com' }
const SAME = { 'Sec-Fetch-Site': 'same-origin' }
const FORM = { ...PORTAL, ...SAME, 'Content-Type': 'application/x-www-form-urlencoded' }
const JSON_TYPE = { ...PORTAL, ...SAME, 'Content-Type': 'application/json' }
const NAVIGATES = { Accept: 'text/html' }
const ASKS = {
  Host: 'vestibule',
  'X-Original-Method': 'GET',
  'X-Original-URL': 'https://app.example.com/',
  Accept: 'text/html',
}

/** `a0&a1&…`, cut off at the size. */
const parts =
  (make: (i: number) => string, between: string) =>
  (size: number): string => {
    const made: string[] = []
    for (let length = 0, i = 0; length < size; i++) {
      const part = make(i)
      made.push(part)
      length += part.length + between.length
    }
    return made.join(between).slice(0, size)
  }
const names = parts((i) => `n${i.toString(36)}`, '&')
const escaped = parts((i) => `%6e${i.toString(36)}=%20`, '&')
const KB = 1000

const CASES: readonly Case[] = [
  ...[
    '/',
    '/logout',
    '/forbidden',
    '/nothing',
    '/api/state',
    '/settings',
    '/settings/history',
  ].flatMap((path) =>
    [names, escaped, parts(() => 'a', '&'), parts(() => '', '&'), parts(() => 'rd=', '&')].map(
      (hostile, i): Case => ({
        about: `a query of many names at ${path} (${i})`,
        ask: (text) => ({ path: `${path}?${text}`, headers: { ...PORTAL, ...NAVIGATES } }),
        size: 50 * KB,
        hostile,
      }),
    ),
  ),
  ...['/logout'].flatMap((path) =>
    [names, escaped, parts(() => '', '&'), parts(() => 'rd=', '&')].map(
      (hostile, i): Case => ({
        about: `a form of many names at ${path} (${i})`,
        ask: (body) => ({ path, method: 'POST', headers: FORM, body }),
        size: 60 * KB,
        hostile,
      }),
    ),
  ),
  ...['/api/logout'].flatMap((path) =>
    [
      (size: number) => `{${parts((i) => `"n${i.toString(36)}":0`, ',')(size - 20)},"z":0}`,
      (size: number) => '['.repeat(size / 2) + ']'.repeat(size / 2),
      (size: number) => `${'{"a":'.repeat(size / 6)}0${'}'.repeat(size / 6)}`,
      (size: number) => `[${parts(() => '0', ',')(size - 2)}]`,
    ].map(
      (hostile, i): Case => ({
        about: `JSON of many parts at ${path} (${i})`,
        ask: (body) => ({
          path,
          method: 'POST',
          headers: JSON_TYPE,
          body: body.startsWith('x') ? JSON.stringify(body) : body,
        }),
        size: 60 * KB,
        hostile,
      }),
    ),
  ),
  ...['/verify', '/api/verify', '/api/authz/auth-request', '/api/authz/ext-authz/x'].flatMap(
    (path) =>
      [names, escaped, parts(() => 'authelia_url=', '&')].map(
        (hostile, i): Case => ({
          about: `a query of many names at ${path} (${i})`,
          ask: (text) => ({ path: `${path}?${text}`, headers: ASKS }),
          size: 15 * KB,
          hostile,
        }),
      ),
  ),
  ...[names, escaped, parts(() => '%', '&')].map(
    (hostile, i): Case => ({
      about: `the query of a target that rules look into (${i})`,
      ask: (text) => ({
        path: '/verify',
        headers: { ...ASKS, 'X-Original-URL': `https://query.example.com/?${text}` },
      }),
      size: 15 * KB,
      hostile,
    }),
  ),
  ...['/verify', '/', '/nothing'].flatMap((path) =>
    (
      [
        ['Cookie', parts((i) => `n${i.toString(36)}=x`, '; ')],
        ['Cookie', parts(() => 'vestibule_session=x', ';')],
        ['Cookie', parts((i) => `__Host-vestibule_hub_${`${i}`.padStart(8, 'x')}=x`, ';')],
        ['Cookie', (size: number) => `__Host-vestibule_hub_${parts(() => '', ';')(size - 21)}`],
        ['Accept', parts(() => '', ',')],
        ['Accept', parts(() => 'a/b', ',')],
        ['Accept', (size: number) => `a${' '.repeat(size - 2)}b`],
        ['X-Forwarded-For', parts(() => '10.0.0.1', ',')],
        ['X-Forwarded-For', parts(() => '', ',')],
        ['X-Forwarded-For', (size: number) => `1${' '.repeat(size - 10)},10.0.0.1`],
        ['Accept-Language', parts(() => 'de;q=0.5', ',')],
        ['Authorization', (size: number) => `Basic ${' '.repeat(size - 10)}x`],
        ['Content-Type', (size: number) => `a${' '.repeat(size - 2)}b`],
        ['Content-Type', parts(() => ';a=b', ';')],
      ] as const
    ).map(
      ([name, hostile], i): Case => ({
        about: `${name} of many parts at ${path} (${i})`,
        ask: (text) => ({
          path,
          ...(name === 'Content-Type' && { method: 'POST' }),
          headers: { ...(path === '/verify' ? ASKS : { ...PORTAL, ...NAVIGATES }), [name]: text },
        }),
        size: 50 * KB,
        hostile,
      }),
    ),
  ),
  ...[
    parts(() => '/', 'a'),
    parts(() => ':a', '/'),
    parts(() => ':a(b)', '-'),
    parts(() => '(', ''),
    parts(() => '*', ''),
    parts(() => '%41', '/'),
    parts(() => ';', ''),
  ].map(
    (hostile, i): Case => ({
      about: `a path of many parts (${i})`,
      ask: (text) => ({ path: `/${text}`, headers: { ...PORTAL, ...NAVIGATES } }),
      size: 50 * KB,
      hostile,
    }),
  ),
]

/** As many headers as there is room for. */
const headersOf = (text: string): string[] =>
  Object.entries(ASKS)
    .flat()
    .concat(text.split('&').flatMap((name) => [name, '']))
const HEADER_CASES: readonly Case[] = ['/verify', '/', '/nothing'].flatMap((path) =>
  [names, parts(() => 'a', '&'), parts(() => 'accept', '&')].map(
    (hostile, i): Case => ({
      about: `a request of many headers at ${path} (${i})`,
      ask: (text) => ({ path, headers: headersOf(text) }),
      size: 30 * KB,
      hostile,
    }),
  ),
)

/** A plain text of as many bytes. */
const plain = (size: number): string => 'x'.repeat(size)
const ROUNDS = 7
/** What is too dear is so each time; what the machine made dear is not. */
const TRIES = 10
const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0
/** What was seen before: 7 to 9,000. */
const MOST = 6
/** Milliseconds: what is too little to be told from noise. */
const LITTLE = 0.5

suite('one request, however it is cut up', () => {
  const t = suiteCleanup()
  let server: RunningServer

  before(async () => {
    server = await startServer(t, {
      config: {
        ...CHEAP,
        session: {
          cookies: [
            { domain: 'example.com', portal_url: 'https://auth.example.com' },
            { domain: 'example.org', portal_url: 'https://auth.example.org' },
          ],
        },
        access_control: {
          default_policy: 'one_factor',
          rules: Array.from({ length: 10 }, (_, i) => ({
            domain: 'query.example.com',
            policy: 'bypass',
            query: [[{ operator: 'equal', key: `key${i}`, value: 'yes' }]],
          })),
        },
      },
      users: await usersYaml({ john: {} }),
    })
  })

  /** CPU of the main thread for one of these, in milliseconds. */
  const costOf = async (ask: ReturnType<Case['ask']>): Promise<number> => {
    const from = cpuOf(server.pid)
    await server.request(ask.path, ask)
    return cpuOf(server.pid) - from
  }

  /**
   * What both cost by turns: the median of some rounds each. What makes a round dearer (a busy machine, code that is not
   * compiled yet) then meets both of them.
   */
  const compare = async (ask: Case['ask'], hostile: string) => {
    const [usual, cost]: [number[], number[]] = [[], []]
    for (let round = 0; round < ROUNDS; round++) {
      usual.push(await costOf(ask(plain(hostile.length))))
      cost.push(await costOf(ask(hostile)))
    }
    return { usual: median(usual), cost: median(cost) }
  }

  for (const { about, ask, size, hostile } of [...CASES, ...HEADER_CASES]) {
    test(about, async () => {
      const text = hostile(size)
      const seen: string[] = []
      for (let tries = 0; tries < TRIES; tries++) {
        const { usual, cost } = await compare(ask, text)
        if (cost < MOST * Math.max(usual, LITTLE)) return
        seen.push(`${cost} ms, and ${usual} ms for plain bytes`)
      }
      assert.fail(seen.join('; '))
    })
  }
})
