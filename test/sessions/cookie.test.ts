import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { isWellFormed } from '../../src/features/sessions/cookie.ts'
import {
  type CookieDomain,
  cookieValues,
  createMemoryStore,
} from '../../src/features/sessions/index.ts'
import { fastest } from '../support/pace.ts'
import { HOUR, openHouse } from './house.ts'

const read = (header: string, name = 'sid'): string[] => {
  const values: string[] = []
  cookieValues(header, name, values)
  return values
}

suite('the values of a cookie', () => {
  const cases: readonly (readonly [header: string, values: readonly string[]])[] = [
    ['', []],
    ['sid', []],
    ['sid=', ['']],
    ['sid=a', ['a']],
    ['sid=a;', ['a']],
    ['sid=a; sid=b;sid=c', ['a', 'b', 'c']],
    ['x=1; sid=a; y=2', ['a']],
    // Names that only contain ours.
    ['xsid=a', []],
    ['sidx=a', []],
    ['x-sid=a; sid-x=b; sid=c', ['c']],
    ['SID=a', []],
    // Ours inside a value or behind something that is no separator.
    ['x=sid=a', []],
    ['x="; sid=a"; sid=b', ['a"', 'b']],
    ['x sid=a', []],
    ['x,sid=a', []],
    ['sid=sid=a', ['sid=a']],
    ['sid=a sid=b', ['a sid=b']],
    // Blanks around names and values do not count, others do.
    ['  \tsid \t= \ta b\t ;', ['a b']],
    ['sid\n=a', []],
    ['\nsid=a', []],
    [' ;;; sid=a', ['a']],
    // One pair of quotes goes.
    ['sid="a"', ['a']],
    ['sid= "a" ', ['a']],
    ['sid=""', ['']],
    ['sid="', ['"']],
    ['sid="a', ['"a']],
    ['sid=""a""', ['"a"']],
    // Nothing is decoded.
    ['sid=%61', ['%61']],
    // One more than may count, and no further.
    ['sid=1; sid=2; sid=3; sid=4; sid=5; sid=6', ['1', '2', '3', '4', '5']],
  ]
  for (const [header, values] of cases) {
    test(`${JSON.stringify(header)} holds ${JSON.stringify(values)}`, () => {
      assert.deepEqual(read(header), values)
    })
  }

  test('are what a plain reading of the header finds, whatever the header', () => {
    /** RFC 6265 §5.4 read backwards, without any care for speed. */
    const plainly = (header: string): string[] =>
      header
        .split(';')
        .map((pair) => /^[ \t]*([^=]*?)[ \t]*=[ \t]*(.*?)[ \t]*$/s.exec(pair))
        .filter((match) => match?.[1] === 'sid')
        .map((match) => match?.[2] ?? '')
        .map((value) => /^"(.*)"$/s.exec(value)?.[1] ?? value)
        .slice(0, 5)
    const piece = fc.constantFrom('sid', 's', 'id', 'si', '=', ';', ' ', '\t', '"', 'a', '\n', ',')
    const header = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(''))
    fc.assert(
      fc.property(header, (text) => assert.deepEqual(read(text), plainly(text))),
      { numRuns: 5000 },
    )
  })

  test('go on from an earlier header, and stop at the same number', () => {
    const values = ['1', '2', '3']
    cookieValues('sid=4; sid=5; sid=6', 'sid', values)
    assert.deepEqual(values, ['1', '2', '3', '4', '5'])
  })

  test('take time in proportion to the header, even where the name is everywhere', () => {
    const work = (count: number) => {
      const header = 'a'.repeat(count) + ' '.repeat(count)
      const start = performance.now()
      for (let i = 0; i < 20; i++) read(header, 'a')
      return performance.now() - start
    }
    work(16_384)
    // In turn, so that a busy moment finds both: one of each is left alone.
    const [parts, wholes]: [number[], number[]] = [[], []]
    for (let round = 0; round < 7; round++) {
      parts.push(work(16_384))
      wholes.push(work(16 * 16_384))
    }
    const [small, large] = [fastest(parts), fastest(wholes)]
    assert.ok(large < small * 80, `${small} ms for a part, ${large} ms for sixteen`)
  })
})

suite('a value that is looked up', () => {
  test('is 43 characters of base64url and nothing else', () => {
    assert.ok(isWellFormed('abcXYZ019-_'.padEnd(43, 'A')))
    for (const value of [
      '',
      'A'.repeat(42),
      'A'.repeat(44),
      `${'A'.repeat(42)}=`,
      `${'A'.repeat(42)}+`,
      `${'A'.repeat(42)}/`,
      `${'A'.repeat(42)}\0`,
      `${'A'.repeat(42)}é`,
      ` ${'A'.repeat(42)}`,
      `${'A'.repeat(42)}%`,
    ])
      assert.ok(!isWellFormed(value), JSON.stringify(value))
  })
})

suite('the session cookie', () => {
  const config = {
    cookies: [
      { domain: 'example.com' },
      { domain: '192.0.2.10', same_site: 'strict', name: 'box' },
      { domain: 'localhost', same_site: 'none' },
      { domain: 'home.localhost', expiration: '2h' },
    ],
  }
  const start = async (
    t: Parameters<typeof openHouse>[0],
    choose: (domains: readonly CookieDomain[]) => CookieDomain | undefined,
    remember = false,
  ) => {
    const house = openHouse(t, { store: createMemoryStore(), config })
    const domain = choose(house.sessions.domains)
    assert.ok(domain)
    const { cookie } = await house.sessions.start({
      domain,
      profile: house.users.add('alice'),
      factors: ['password'],
      remember,
      address: '198.51.100.7',
      userAgent: '',
      replaces: [],
    })
    const [pair = '', ...attributes] = cookie.split('; ')
    return { name: pair.split('=')[0], attributes, house, domain, cookie }
  }

  test('is out of reach of scripts, of plain http and of other sites', async (t) => {
    const { name, attributes } = await start(t, ([first]) => first)
    assert.equal(name, 'vestibule_session')
    assert.deepEqual(attributes, [
      'Max-Age=3600',
      'Domain=example.com',
      'Path=/',
      'Expires=Thu, 15 Jan 2026 13:00:00 GMT',
      'HttpOnly',
      'Secure',
      'SameSite=Lax',
    ])
  })

  test('lives as long as its session: remembered, or by the limit of its domain', async (t) => {
    const remembered = await start(t, ([first]) => first, true)
    assert.ok(remembered.attributes.includes('Max-Age=2592000'))
    assert.ok(remembered.attributes.includes('Expires=Sat, 14 Feb 2026 12:00:00 GMT'))
    const own = await start(t, (domains) => domains[3])
    assert.ok(own.attributes.includes(`Max-Age=${(2 * HOUR) / 1000}`))
    assert.ok(own.attributes.includes('Domain=home.localhost'))
  })

  test('has no Domain for an address or a bare localhost', async (t) => {
    for (const [index, name, sameSite] of [
      [1, 'box', 'Strict'],
      [2, 'vestibule_session', 'None'],
    ] as const) {
      const cookie = await start(t, (domains) => domains[index])
      assert.equal(cookie.name, name)
      assert.ok(cookie.attributes.includes(`SameSite=${sameSite}`))
      assert.ok(!cookie.attributes.some((attribute) => attribute.startsWith('Domain')))
    }
  })

  test('is taken away under the name, domain and path that it was given with', async (t) => {
    const { house, domain } = await start(t, ([first]) => first)
    assert.equal(
      house.sessions.expireCookie(domain),
      'vestibule_session=; Max-Age=0; Domain=example.com; Path=/; ' +
        'Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax',
    )
  })

  test('covers its host and those below it, and never a look-alike', async (t) => {
    const { house } = await start(t, ([first]) => first)
    const covering = (host: string) => house.sessions.domainOf(host)?.domain
    assert.equal(covering('example.com'), 'example.com')
    assert.equal(covering('a.b.example.com'), 'example.com')
    assert.equal(covering('192.0.2.10'), '192.0.2.10')
    assert.equal(covering('localhost'), 'localhost')
    assert.equal(covering('home.localhost'), 'home.localhost')
    assert.equal(covering('app.home.localhost'), 'home.localhost')
    for (const host of [
      '',
      'com',
      'evilexample.com',
      'example.com.evil.com',
      'app.localhost',
      '1.192.0.2.10',
      '92.0.2.10',
    ])
      assert.equal(covering(host), undefined, host)
  })
})
