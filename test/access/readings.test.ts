import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isCanonical, MAX_READINGS, readPath, roomFor } from '../../src/features/access/readings.ts'
import { paths } from './arbitraries.ts'

function readingsOf(path: string): readonly string[] {
  const readings = readPath(path)
  return 'refusal' in readings ? [`refused: ${readings.refusal}`] : readings.paths
}

test('a path that browsers and proxies leave alone is canonical', () => {
  for (const path of [
    '/',
    '/a',
    '/a/',
    '/a/b.js',
    '/.well-known/x',
    '/...',
    '/a../b',
    "/~j/(x),'!*@&=+$:_-",
  ])
    assert.ok(isCanonical(path), path)
})

test('whatever can be read in two ways is not canonical', () => {
  for (const path of [
    ...[
      '//',
      '/a//b',
      '/./a',
      '/a/.',
      '/a/..',
      '/..',
      '/.',
      '/a/../b',
      '/a\\b',
      '/a;b',
      '/a#b',
      '/a?b',
    ],
    ...['/%41', '/%2e', '/%', '/é', '/\x7f', '/ ', '', 'a', '*', '/\0', '/a\nb'],
  ])
    assert.ok(!isCanonical(path), JSON.stringify(path))
})

test('a path is decoded once, and what means nothing special is one reading', () => {
  const one: readonly [string, string][] = [
    ['', '/'],
    ['/a%20b', '/a b'],
    ['/%41%7e', '/A~'],
    ['/caf%C3%A9', '/café'],
    ['/caf\xc3\xa9', '/café'],
    ['/caf\xc3%a9', '/café'],
    ['/%F0%9F%98%80', '/😀'],
    ['/100%25', '/100%25'],
    ['/.%2egit', '/..git'],
    ['/a%2e', '/a.'],
  ]
  for (const [path, reading] of one) {
    if (path === '/100%25') assert.deepEqual(readingsOf(path), ['/100%25', '/100%'])
    else assert.deepEqual(readingsOf(path), [reading], path)
  }
})

test('overlong UTF-8 is what it encodes, other bad bytes are U+FFFD, one each', () => {
  assert.ok(readingsOf('/a%c0%af..%e0%80%afb').includes('/b'))
  assert.ok(readingsOf('/x/%c0%ae%c0%ae/b').includes('/b'))
  assert.ok(readingsOf('/x/%f8%80%80%80%ae./b').includes('/b'))
  assert.ok(readingsOf('/x/%fc%80%80%80%80%ae./b').includes('/b'))
  assert.deepEqual(readingsOf('/%ff%fe%80'), ['/\ufffd\ufffd\ufffd'])
  assert.deepEqual(readingsOf('/%e2%82'), ['/\ufffd\ufffd'])
  assert.deepEqual(readingsOf('/%ed%a0%80'), ['/\ufffd\ufffd\ufffd'])
  assert.deepEqual(readingsOf('/%f4%90%80%80'), ['/\ufffd\ufffd\ufffd\ufffd'])
  assert.deepEqual(readingsOf('/\xff'), ['/\ufffd'])
})

test('control characters are refused, however deep or long they are encoded', () => {
  for (const path of [
    '/%00',
    '/a%0d%0ab',
    '/%7f',
    '/%c2%85',
    '/%2500',
    '/%25250a',
    '/%c0%80',
    '/%e0%80%8a',
    '/\0',
  ])
    assert.deepEqual(readingsOf(path), ['refused: control'], JSON.stringify(path))
  // C2 80..9F are controls, C2 A0 and above are not
  assert.deepEqual(readingsOf('/%c2%a0'), ['/\u00a0'])
})

test('a percent sign without two hex digits is refused as sent, and stands for itself once decoded', () => {
  for (const path of ['/%', '/%4', '/%zz', '/%u0041', '/a%2', '/%%35'])
    assert.deepEqual(readingsOf(path), ['refused: malformed'], path)
  assert.ok(readingsOf('/100%25zz').includes('/100%zz'))
})

test('what is still encoded after four rounds is refused, however the digits are spelt', () => {
  assert.ok(readingsOf('/%252525252e').includes('refused: rounds'))
  assert.ok(readingsOf('/%25%32%35%32%35%32%35%32e').includes('refused: rounds'))
  assert.ok(readingsOf(`/%${'25'.repeat(8000)}`).includes('refused: rounds'))
  assert.ok(readingsOf('/%2525252e').includes('/.') || readingsOf('/%2525252e').includes('/'))
})

test('the tricks that fooled others are seen through', () => {
  const cases: readonly [path: string, reading: string][] = [
    // 19, 41: dot segments, double slashes, encoded or not
    ['/public/./../admin', '/admin'],
    ['/public/..%2fadmin', '/admin'],
    ['/public/%2e%2e/admin', '/admin'],
    ['/public/%2E%2E%2Fadmin', '/admin'],
    ['//admin', '/admin'],
    ['/%2fadmin', '/admin'],
    ['/.//admin', '/admin'],
    // 9: fragments
    ['/admin#/public/', '/admin'],
    ['/admin%23/public', '/admin'],
    // 20: characters with a meaning
    ['/admin%3fx', '/admin'],
    ['/admin%3bx', '/admin'],
    ['/public/..%5cadmin', '/admin'],
    ['/public\\..\\admin', '/admin'],
    ['/admin;jsessionid=1', '/admin'],
    ['/public/..;/admin', '/admin'],
    ['/public/..;x=/admin', '/admin'],
    // 19: encoded twice and more
    ['/public/%252e%252e/admin', '/admin'],
    ['/public/..%255cadmin', '/admin'],
    ['/public/%25252e./admin', '/admin'],
    ['/public/../admin/%252e%252e/public', '/admin/../public'],
    // 43: no host is seen in a path
    ['//public/admin', '/public/admin'],
    // parameters cut before decoding, as servlet containers do
    ['/public/..;x%2fpublic/admin', '/admin'],
    // cleaned before decoding, as proxies do with the path as sent
    ['/public/x%2fpublic/../../admin', '/admin'],
    ['/public/x%2fpublic/%2e%2e/%2e%2e/admin', '/admin'],
    // an empty segment that `..` takes, as WHATWG has it
    ['/public/../admin//../public', '/admin/public'],
    // a fragment cut before decoding
    ['/public%23/../admin#x', '/admin'],
    // a segment with an encoded slash, as routers see it
    ['/api/a%2fb/secret', '/api/a%2Fb/secret'],
    // both ends of a last dot segment
    ['/admin/x/..', '/admin'],
    ['/admin/x/..', '/admin/'],
  ]
  for (const [path, reading] of cases)
    assert.ok(readingsOf(path).includes(reading), `${path}: ${readingsOf(path).join('  ')}`)
})

const decodeRound = (path: string): string => {
  // Ours is lenient where this is not; the property below asks only what both can decode
  return path.replace(/(?:%[0-9A-Fa-f]{2})+/g, (run) => decodeURIComponent(run))
}

test('after each round of decoding, with \\ as it is and as /, with and without parameters and fragment, uncleaned and cleaned: all of it is asked', () => {
  const clean = (path: string): string => {
    const kept: string[] = []
    for (const segment of path.split('/')) {
      if (segment === '..') kept.pop()
      else if (segment !== '.' && segment !== '') kept.push(segment)
    }
    return `/${kept.join('/')}${path.endsWith('/') && kept.length > 0 ? '/' : ''}`
  }
  let asked = 0
  fc.assert(
    fc.property(paths, (path) => {
      const readings = readPath(path)
      if ('refusal' in readings || !/^[\x21-\x7e]*$/.test(path)) return
      const seen = new Set(readings.paths)
      let round = path === '' ? '/' : path
      for (let i = 0; i < 4; i++) {
        try {
          round = decodeRound(round)
        } catch {
          return
        }
        for (const slashed of [round, round.replaceAll('\\', '/')])
          for (const bare of [slashed, slashed.replace(/;[^/]*/g, '')])
            for (const cut of [bare, bare.replace(/#.*/s, '')])
              for (const reading of [cut, clean(cut)]) {
                asked++
                assert.ok(seen.has(reading), `${reading} is no reading of ${path}`)
              }
      }
    }),
    { numRuns: 4000 },
  )
  assert.ok(asked > 10_000)
})

test('an overlong dot is a dot and a name: dot segments around it go in both orders', () => {
  // Found by chance: a server that removes dot segments before it decodes opens /public/.
  const found = readingsOf('/public/%c0%ae/../')
  for (const reading of ['/public/', '/', '/public/./../'])
    assert.ok(found.includes(reading), reading)
})

test('what a URL parser makes of a path is one of its readings', () => {
  fc.assert(
    fc.property(paths, (path) => {
      const readings = readPath(path)
      if ('refusal' in readings || !/^[\x21-\x7e]*$/.test(path)) return
      const { pathname } = new URL(`http://host${path}`)
      let decoded: string
      try {
        decoded = decodeURIComponent(pathname.replace(/\/+/g, '/'))
      } catch {
        return
      }
      assert.ok(readings.paths.includes(decoded), `${decoded} is no reading of ${path}`)
    }),
    { numRuns: 4000 },
  )
})

test('hostile paths of any length have a bounded number of readings, and of bounded length', () => {
  const units = [
    '%2525',
    ';',
    '/',
    '\\',
    '../',
    'a/../',
    '%3f',
    '#',
    'a;b\\c/../%252e//',
    '%c0%af',
    '\xff',
    '%25252541',
  ]
  for (const unit of units) {
    for (const length of [50, 500, 5000, 16_000]) {
      const path = `/${unit.repeat(length / unit.length)}`
      const readings = readPath(path)
      if ('refusal' in readings) continue
      assert.ok(readings.paths.length <= MAX_READINGS)
      assert.ok(readings.paths.join('').length <= roomFor(length))
    }
  }
  assert.deepEqual(readPath(`/${'a;b\\c/../%252e//%23'.repeat(500)}`), { refusal: 'readings' })
})
