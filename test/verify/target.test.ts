import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseTarget } from '../../src/features/access/target.ts'
import { authRequest } from '../../src/features/verify/dialects/auth-request.ts'
import { forwardAuth } from '../../src/features/verify/dialects/forward-auth.ts'
import { verify } from '../../src/features/verify/dialects/verify.ts'
import { readFields } from '../../src/features/verify/fields.ts'
import { acceptsJson, isNavigation } from '../../src/features/verify/navigation.ts'
import { signInUrl } from '../../src/features/verify/portal-url.ts'

const ADDRESS = '192.0.2.1'
const LINE = { method: 'GET', tail: '', target: '/verify' }
const read = (url: string, method = 'GET') => parseTarget(url, method, ADDRESS)

test('a target is split character for character, nothing decoded or cleaned', () => {
  const cases: readonly [string, string, string | undefined][] = [
    ['https://app.example.com', '', undefined],
    ['https://app.example.com/', '/', undefined],
    ['https://app.example.com?x=1', '', 'x=1'],
    ['https://app.example.com/a/../b/%2e%2e/%2F?q=a%20b&q=c', '/a/../b/%2e%2e/%2F', 'q=a%20b&q=c'],
    ['https://app.example.com//admin/x', '//admin/x', undefined],
    ['https://app.example.com/a?b?c', '/a', 'b?c'],
    ['https://app.example.com/a#/b', '/a#/b', undefined],
    ['https://app.example.com/a?', '/a', ''],
  ]
  for (const [url, path, query] of cases) {
    const asked = read(url)
    assert.ok('target' in asked, url)
    assert.equal(asked.target.path, path, url)
    assert.equal(asked.target.query, query, url)
    assert.equal(asked.url, url)
    assert.equal(asked.target.host, 'app.example.com')
  }
})

test('raw bytes above 0x7f reach the rules percent-encoded', () => {
  const asked = read('https://app.example.com/b\xc3\xbccher')
  assert.ok('target' in asked)
  assert.equal(asked.target.path, '/b%C3%BCcher')
})

const MALFORMED: readonly [string, string?][] = [
  [''],
  ['/'],
  ['app.example.com/'],
  ['//app.example.com/'],
  ['http://%zz'],
  ['http://app.example.com/'],
  ['ws://app.example.com/'],
  ['ftp://app.example.com/'],
  ['https:/app.example.com/'],
  ['https:app.example.com/'],
  ['https:///app.example.com/'],
  ['https://user@app.example.com/'],
  ['https://good@evil/'],
  ['https://app.example.com\\@evil.test/'],
  ['https://app.example.com, https://evil.test/'],
  // Were judged as app.example.com, and reached whatever the proxy makes of such a name.
  ['https://app\xad.example.com/'],
  ['https://\xaapp.example.com/'],
  ['https://b\xc3\xbccher.example.com/'],
  ['https://0x7f.1/'],
  ['https://0300.0.2.10/'],
  ['https://3221225994/'],
  ['https://192.0.522/'],
  ['https://app.example.com/a b'],
  ['https://app.example.com/\u0000'],
  ['https://app.example.com/\t'],
  ['https://app.example.com/\u007f'],
  [`https://app.example.com/${'a'.repeat(16_384)}`],
  ['https://app.example.com/', 'get'],
  ['https://app.example.com/', 'CONNECT'],
  ['https://app.example.com/', 'TRACE'],
  ['https://app.example.com/', ''],
  ['https://app.example.com/', 'GET '],
  ['https://app.example.com/', 'GET, POST'],
  ['https://app.example.com/', 'G\u0000T'],
]
for (const [url, method] of MALFORMED) {
  test(`malformed: ${JSON.stringify(url).slice(0, 60)} ${method ?? ''} (advisory 4)`, () =>
    assert.ok('malformed' in read(url, method)))
}
test('plain http and ws are for this machine only', () => {
  for (const host of ['localhost', 'app.vestibule.localhost:8080', '127.0.0.1', '[::1]'])
    for (const scheme of ['http', 'ws', 'https', 'wss'])
      assert.ok('target' in read(`${scheme}://${host}/`), host)
})
test('an 8 KiB address is still decided', () => {
  assert.ok('target' in read(`https://app.example.com/${'a'.repeat(8192)}`))
})
test('reading a target never throws and never changes what was sent (property)', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.string({ maxLength: 8 }),
      (tail, method) => {
        const url = `https://app.example.com${tail}`
        const asked = read(url, method)
        if ('malformed' in asked) return
        assert.equal(asked.url, url)
        assert.match(asked.target.method, /^[A-Z]+$/)
      },
    ),
    { numRuns: 3000 },
  )
})

const fields = (headers: Record<string, string> | string[]) =>
  readFields(Array.isArray(headers) ? headers : Object.entries(headers).flat())

test('an alias of a header that is read is noticed in every spelling (advisories 7, 16, 17)', () => {
  for (const name of [
    'X_Forwarded_Host',
    'x.forwarded.host',
    'X-Forwarded_Proto',
    'X_ORIGINAL_URL',
    'X.Original-Method',
    'x_forwarded_for',
    'Sec_Fetch_Mode',
  ])
    assert.equal(fields({ [name]: 'x' }).alias, name)
  for (const name of [
    'X-Forwarded-Port',
    'Forwarded',
    'Remote_User',
    'Cookies',
    'X-Forwarded-Hosts',
  ])
    assert.equal(fields({ [name]: 'x' }).alias, undefined, name)
})
test('header names are read in any case', () => {
  assert.equal(fields({ 'x-ORIGINAL-url': 'u' }).originalUrl, 'u')
})

const FORWARDED = {
  'X-Forwarded-Proto': 'https',
  'X-Forwarded-Host': 'app.example.com',
  'X-Forwarded-Uri': '/a?b',
  'X-Forwarded-Method': 'GET',
}
const ORIGINAL = { 'X-Original-URL': 'https://app.example.com/a?b', 'X-Original-Method': 'GET' }

test('forward-auth wants each of its four headers exactly once (advisories 21, 42)', () => {
  const whole = Object.entries(FORWARDED).flat()
  assert.ok('target' in forwardAuth.read(fields(whole), ADDRESS, LINE))
  for (const [name, value] of Object.entries(FORWARDED)) {
    const without = Object.entries(FORWARDED)
      .filter(([other]) => other !== name)
      .flat()
    assert.ok('malformed' in forwardAuth.read(fields(without), ADDRESS, LINE), `without ${name}`)
    assert.ok(
      'malformed' in forwardAuth.read(fields([...whole, name, value]), ADDRESS, LINE),
      `twice ${name}`,
    )
    const list = { ...FORWARDED, [name]: `${value}, ${value}` }
    assert.ok('malformed' in forwardAuth.read(fields(list), ADDRESS, LINE), `a list in ${name}`)
  }
})
test('a forwarded host is made of ASCII too', () => {
  const host = fields({ ...FORWARDED, 'X-Forwarded-Host': 'app\xad.example.com' })
  assert.ok('malformed' in forwardAuth.read(host, ADDRESS, LINE))
})
test('an empty forwarded URI is the root; one that begins with neither / nor ? is malformed', () => {
  for (const uri of ['', '/', '?x=1'])
    assert.ok(
      'target' in forwardAuth.read(fields({ ...FORWARDED, 'X-Forwarded-Uri': uri }), ADDRESS, LINE),
      uri,
    )
  for (const uri of ['a', '@evil.test/', '.evil.test/', ':1/', '\\', '#'])
    assert.ok(
      'malformed' in
        forwardAuth.read(fields({ ...FORWARDED, 'X-Forwarded-Uri': uri }), ADDRESS, LINE),
      uri,
    )
})
test('auth-request wants the URL and the method exactly once', () => {
  const whole = Object.entries(ORIGINAL).flat()
  assert.ok('target' in authRequest.read(fields(whole), ADDRESS, LINE))
  for (const [name, value] of Object.entries(ORIGINAL)) {
    assert.ok('malformed' in authRequest.read(fields([...whole, name, value]), ADDRESS, LINE), name)
    assert.ok(
      'malformed' in authRequest.read(fields({ ...ORIGINAL, [name]: '' }), ADDRESS, LINE),
      name,
    )
  }
})
test('on /verify both families must say the same, or nothing is believed', () => {
  const ask = (more: Record<string, string>) =>
    verify.read(fields({ ...ORIGINAL, ...more }), ADDRESS, LINE)
  assert.ok('target' in ask({}))
  assert.ok('target' in ask(FORWARDED))
  assert.ok('target' in ask({ ...FORWARDED, 'X-Forwarded-Host': 'APP.example.com:443' }))
  assert.ok(
    'target' in ask({ 'X-Forwarded-Host': '', 'X-Forwarded-Uri': '', 'X-Forwarded-Method': '' }),
  )
  assert.ok('malformed' in ask({ 'X-Forwarded-Host': 'evil.test' }))
  // Another host to whoever routes by its bytes.
  assert.ok('malformed' in ask({ 'X-Forwarded-Host': 'app\xad.example.com' }))
  assert.ok('malformed' in ask({ 'X-Forwarded-Uri': '/public' }))
  assert.ok('malformed' in ask({ 'X-Forwarded-Method': 'OPTIONS' }))
  assert.ok('target' in verify.read(fields(FORWARDED), ADDRESS, LINE))
  // A blank one behind it made the first one as good as absent, and the other family was believed unseen.
  for (const urls of [
    [ORIGINAL['X-Original-URL'], ''],
    ['', ORIGINAL['X-Original-URL']],
    ['', ''],
  ]) {
    const twice = [...urls.flatMap((url) => ['X-Original-URL', url]), 'X-Original-Method', 'GET']
    const both = [...Object.entries(FORWARDED).flat(), ...twice]
    assert.ok('malformed' in verify.read(fields(both), ADDRESS, LINE), String(urls))
  }
  assert.ok('malformed' in verify.read(fields({}), ADDRESS, LINE))
})

const NAVIGATION: readonly [Record<string, string>, boolean][] = [
  [{ Accept: 'text/html' }, true],
  [{ Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }, true],
  [{ Accept: '*/*' }, true],
  [{ Accept: 'application/json, text/html;q=0.9' }, true],
  [{ Accept: 'application/json, */*' }, false],
  [{ Accept: 'application/json' }, false],
  [{ Accept: '' }, false],
  [{}, false],
  [{ Accept: 'text/html', 'X-Requested-With': 'xmlhttprequest' }, false],
  [{ Accept: 'text/html', 'Sec-Fetch-Mode': 'navigate' }, true],
  [{ Accept: 'text/html', 'Sec-Fetch-Mode': 'cors' }, false],
  [{ Accept: '*/*', 'Sec-Fetch-Mode': 'no-cors' }, false],
  [{ Accept: 'text/htmlx' }, false],
]
for (const [headers, expected] of NAVIGATION) {
  test(`${JSON.stringify(headers)} is ${expected ? 'a' : 'no'} navigation (requirement 28)`, () =>
    assert.equal(isNavigation(fields(headers)), expected))
}
test('application/json in Accept is noticed', () => {
  assert.equal(acceptsJson(fields({ Accept: 'text/html, application/json;q=0.5' })), true)
  assert.equal(acceptsJson(fields({ Accept: 'application/jsonx' })), false)
})

test('Location carries the target as sent: keys sorted, bytes encoded like a form', () => {
  const portal = new URL('https://auth.example.com')
  assert.equal(
    signInUrl(
      portal,
      'https://app.example.com/x?a=b c&d=é'.replace(' ', '%20').replace('é', '\xc3\xa9'),
      'GET',
    ),
    'https://auth.example.com/?rd=https%3A%2F%2Fapp.example.com%2Fx%3Fa%3Db%2520c%26d%3D%C3%A9&rm=GET',
  )
  assert.equal(
    signInUrl(
      new URL('https://auth.example.com:8080/login?z=1&lang=de&rd=old'),
      'https://app.example.com/',
      'POST',
    ),
    'https://auth.example.com:8080/login?lang=de&rd=https%3A%2F%2Fapp.example.com%2F&rm=POST&z=1',
  )
})
