/**
 * Both ways into the verify walk answer every request with the same bytes: two servers of one configuration, one with the
 * short way and one without, are asked the requests of the fuzz drill, each from a session of its own. What may differ is
 * the time in `Date` and the id of a request.
 */
import assert from 'node:assert/strict'
import { before, suite, test } from 'node:test'
import { readQuestion, send } from '../drills/exchange.ts'
import { createQuestions, type Question } from '../drills/questions.ts'
import { rememberPatterns } from '../drills/reference.ts'
import { openScene, type Scene } from '../drills/scene.ts'
import { suiteCleanup } from '../support/cleanup.ts'

const SEED = 1
const SIZE = 3000
const AT_ONCE = 12

suite('both entrances', () => {
  const t = suiteCleanup()
  const scenes: Scene[] = []

  before(async () => {
    rememberPatterns()
    scenes.push(await openBehind('', t))
    scenes.push(await openBehind('router', t))
  })

  test('answer the requests of the fuzz drill with the same bytes', async () => {
    const [short, routed] = scenes
    assert.ok(short !== undefined && routed !== undefined)
    const ask = createQuestions(SEED, short.cookies)
    const statuses: Record<string, number> = {}
    let index = 0
    const lane = async () => {
      while (index < SIZE) {
        const at = index++
        const question = ask(at)
        const [one, other]: string[] = await Promise.all([
          exchange(short, question),
          exchange(routed, translate(question, short, routed)),
        ])
        assert.equal(
          alike(one ?? ''),
          alike(other ?? ''),
          `request ${at}: ${spell(question.bytes)}`,
        )
        for (const [, status = ''] of (one ?? '').matchAll(/^HTTP\/1\.1 (\d{3})/gm))
          statuses[status] = (statuses[status] ?? 0) + 1
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, lane))
    for (const status of ['200', '302', '400', '401', '403'])
      assert.ok((statuses[status] ?? 0) > 10, `${status}: ${JSON.stringify(statuses)}`)
  })

  test('answer pipelined requests in turn, and say the same to odd spellings of the endpoints', async () => {
    const [short, routed] = scenes
    assert.ok(short !== undefined && routed !== undefined)
    for (const make of ODD) {
      const [one, other]: string[] = await Promise.all([
        exchange(short, questionOf(make(cookieOf(short)))),
        exchange(routed, questionOf(make(cookieOf(routed)))),
      ])
      assert.match(one ?? '', /^HTTP\/1\.1 \d{3} /)
      assert.equal(alike(one ?? ''), alike(other ?? ''), spell(make('x')))
    }
  })
})

function openBehind(entrance: '' | 'router', t: ReturnType<typeof suiteCleanup>): Promise<Scene> {
  process.env['VERIFY_ENTRANCE'] = entrance
  return openScene({ after: (one) => t.after(one), run: async () => {} })
}

/** The same question with the cookies of the other server: both list the same people's in the same order. */
function translate(question: Question, { cookies }: Scene, to: Scene): Question {
  let { bytes } = question
  for (const [i, { value }] of cookies.entries())
    bytes = bytes.replaceAll(value, to.cookies[i]?.value ?? '')
  return { ...question, bytes }
}

const questionOf = (bytes: string): Question => ({ index: 0, peer: '127.0.0.1', bytes })

const cookieOf = ({ cookies }: Scene): string =>
  cookies.find(({ state, domain }) => state === 'live' && domain === 'example.com')?.value ?? ''

const ask = (target: string, cookie: string, more = '', method = 'GET', version = 'HTTP/1.1') =>
  `${method} ${target} ${version}\r\nHost: v\r\nX-Original-URL: https://app.example.com/\r\nX-Original-Method: GET\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: app.example.com\r\nX-Forwarded-Uri: /\r\nX-Forwarded-Method: GET\r\nCookie: vestibule_session=${cookie}\r\n${more}\r\n`

/** Spellings of targets, versions, bodies, expectations: each may be seen differently by the two. */
const ODD: readonly ((cookie: string) => string)[] = [
  (cookie) => ask('/verify', cookie).repeat(5),
  (cookie) =>
    ask('/verify', cookie) + ask('/verify', 'x') + ask('/verify', cookie) + ask('/nothing', cookie),
  ...[
    '/verify?',
    '/verify?a=b',
    '/verify#x',
    '/verify/',
    '/verify/x',
    '/verifyx',
    '/%76erify',
    '/VERIFY',
    '//verify',
    '/verify;x',
    '/x/../verify',
    'http://v/verify',
    '/api/authz/ext-authz',
    '/api/authz/ext-authz/%ff',
    '/api/authz/ext-authz/%zz',
    '/api/authz/ext-authz/%41',
    '/api/authz/ext-authz/x?%zz',
    '/api/authz/ext-authz/a#b',
    '/api/authz/ext-authz//x',
    '/api/authz/ext-authzx',
    '/api/verify/x/../y',
    '*',
  ].map((target) => (cookie: string) => ask(target, cookie)),
  ...['HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY', 'PATCH'].map(
    (method) => (cookie: string) => ask('/verify', cookie, '', method),
  ),
  // What announces no body, and a type of one: no parser may wait for it.
  ...['/', '/verify', '/api/firstfactor', '/nothing'].flatMap((target) =>
    ['application/json', 'application/x-www-form-urlencoded', 'text/plain'].flatMap((type) =>
      ['POST', 'PUT'].map(
        (method) => () =>
          `${method} ${target} HTTP/1.1\r\nHost: auth.example.com\r\nContent-Type: ${type}\r\n\r\n`,
      ),
    ),
  ),
  (cookie) => ask('/verify', cookie, '', 'GET', 'HTTP/1.0'),
  (cookie) => ask('/verify', cookie, 'Connection: keep-alive\r\n', 'GET', 'HTTP/1.0'),
  (cookie) => ask('/verify', cookie, 'Connection: close\r\n') + ask('/verify', cookie),
  (cookie) =>
    `${ask('/verify', cookie, 'Content-Length: 5\r\n', 'POST')}hello${ask('/verify', cookie)}`,
  (cookie) =>
    `${ask('/verify', cookie, 'Transfer-Encoding: chunked\r\n', 'POST')}5\r\nhello\r\n0\r\n\r\n${ask('/verify', cookie)}`,
  (cookie) => ask('/verify', cookie, 'Expect: 100-continue\r\n'),
  (cookie) => ask('/verify', cookie, 'Expect: something\r\n'),
  (cookie) => ask('/verify', cookie, 'Upgrade: websocket\r\nConnection: upgrade\r\n'),
  (cookie) => ask('/verify', cookie, 'Authorization: Basic eDp5\r\n'),
]

/** All that comes back over a connection of its own. */
async function exchange({ port, world }: Scene, question: Question): Promise<string> {
  const { text, hung } = await send(port, readQuestion(question, world))
  assert.ok(!hung, spell(question.bytes))
  return text
}

/** Without what may differ between two servers. An id changes the length of the page that shows it. */
function alike(answer: string): string {
  const text = answer
    .replace(/\r\nDate: [^\r]*/g, '')
    .replace(/[A-Za-z0-9_-]{8}-[0-9a-z]+(?=<\/)/g, 'ID')
    .replace(/("request_id":")[^"]*/g, '$1ID')
  return text.includes('ID') ? text.replace(/\r\nContent-Length: \d+/gi, '') : text
}

const spell = (bytes: string): string => JSON.stringify(bytes.slice(0, 2000))
