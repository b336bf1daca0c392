import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isSafeRedirect } from '../../src/kernel/redirect.ts'

const DOMAINS = ['example.com', 'example2.com', 'vestibule.localhost']

const FOLLOWED = [
  'https://example.com',
  'https://example.com/',
  'https://app.example.com/a/b?c=d&e=f#g',
  'https://app.example.com:8443/',
  'https://a.b.c.example.com/',
  'https://APP.Example.COM/Path',
  'https://app.example2.com/',
  'http://app.vestibule.localhost:8080/x',
  'https://app.example.com/?next=https://evil.test/',
  'https://app.example.com/@evil.test',
  'https://app.example.com//evil.test',
]
const REFUSED = [
  '',
  '/',
  '//app.example.com/',
  '/\\app.example.com',
  '\\\\app.example.com',
  'http://app.example.com/',
  'wss://app.example.com/',
  'ftp://app.example.com/',
  'javascript:alert(1)//app.example.com',
  'data:text/html,app.example.com',
  'https:app.example.com',
  'https:/app.example.com',
  'https:///app.example.com',
  'https://',
  'https://evil.test/',
  'https://evil.test/app.example.com',
  'https://evil.test?app.example.com',
  'https://evil.test#app.example.com',
  'https://evilexample.com/',
  'https://example.com.evil.test/',
  'https://app.example.comx/',
  'https://appxexample.com/',
  'https://example.co/',
  'https://user@app.example.com/',
  'https://user:pw@app.example.com/',
  'https://@app.example.com/',
  'https://app.example.com@evil.test/',
  'https://good.example.com\\@evil.test/',
  'https://evil.test\\.example.com/',
  'https://app.example.com\\evil',
  ' https://app.example.com/',
  'https://app.example.com/ x',
  'https://app.example.com/\tx',
  'https://app.example.com/\r\nSet-Cookie: a=b',
  'https://app.example.com/\u0000',
  'https://app.example.com/\u0085',
  'java\nscript:x',
  'ht\ttps://app.example.com/',
  'https://evil.test,app.example.com/',
  'https://app.example.com./',
  'http://localhost.evil.test/',
  'http://vestibule.localhost.evil.test/',
  'https://[::1]/',
  'https://app.example.com:99999/',
]

for (const target of FOLLOWED) {
  test(`a browser may be sent to ${target}`, () => {
    assert.equal(isSafeRedirect(target, DOMAINS), true)
  })
}
for (const target of REFUSED) {
  test(`a browser is not sent to ${JSON.stringify(target)}`, () => {
    assert.equal(isSafeRedirect(target, DOMAINS), false)
  })
}

test('a target over 16 KiB is not followed', () => {
  assert.equal(isSafeRedirect(`https://app.example.com/${'a'.repeat(16_384)}`, DOMAINS), false)
})

test('whatever is followed, a browser opens on a cookie domain (property)', () => {
  const piece = fc.constantFrom(
    'https:',
    'http:',
    '//',
    '/',
    '\\',
    '@',
    '.',
    ':',
    '?',
    '#',
    'example.com',
    'evil.test',
    'app.',
    '%2f',
    '%5c',
    '\t',
    ' ',
    'localhost',
    '[::1]',
    '。',
    'ⓔxample.com',
    'a',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 9 }), (pieces) => {
      const target = pieces.join('')
      if (!isSafeRedirect(target, DOMAINS)) return
      // What a browser on the portal makes of the Location header.
      const opened = new URL(target, 'https://auth.example.com/')
      assert.ok(
        DOMAINS.some((d) => opened.hostname === d || opened.hostname.endsWith(`.${d}`)),
        `${JSON.stringify(target)} opens ${opened.href}`,
      )
      assert.ok(opened.protocol === 'https:' || opened.hostname.endsWith('localhost'))
      assert.equal(opened.username + opened.password, '')
    }),
    { numRuns: 5000 },
  )
})
