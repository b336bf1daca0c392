import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeAt, enrolmentOf, stepOf } from '../../src/features/second-factor/methods/totp-code.ts'

const SEED = '12345678901234567890'
const seed = (bytes: number) => Buffer.from(SEED.repeat(4).slice(0, bytes))

test('the codes of RFC 6238, appendix B', async () => {
  const kinds = { SHA1: seed(20), SHA256: seed(32), SHA512: seed(64) } as const
  const vectors: [number, string, string, string][] = [
    [59, '94287082', '46119246', '90693936'],
    [1111111109, '07081804', '68084774', '25091201'],
    [1111111111, '14050471', '67062674', '99943326'],
    [1234567890, '89005924', '91819424', '93441116'],
    [2000000000, '69279037', '90698825', '38618901'],
    [20000000000, '65353130', '77737706', '47863826'],
  ]
  for (const [seconds, ...codes] of vectors)
    for (const [i, algorithm] of (['SHA1', 'SHA256', 'SHA512'] as const).entries()) {
      const from = { secret: kinds[algorithm], algorithm, digits: 8, period: 30 } as const
      assert.equal(await codeAt(from, seconds * 1000), codes[i])
      const step = await stepOf(from, codes[i] ?? '', { now: seconds * 1000, skew: 0 })
      assert.equal(step, Math.floor(seconds / 30))
    }
})

test('the codes of RFC 4226, appendix D', async () => {
  const codes = [
    ...['755224', '287082', '359152', '969429', '338314'],
    ...['254676', '287922', '162583', '399871', '520489'],
  ]
  const from = { secret: seed(20), algorithm: 'SHA1', digits: 6, period: 30 } as const
  for (const [count, code] of codes.entries())
    assert.equal(await codeAt(from, count * 30_000), code)
})

test('a code counts within the skew and not beyond', async () => {
  const from = { secret: seed(20), algorithm: 'SHA1', digits: 6, period: 30 } as const
  const code = await codeAt(from, 300_000)
  const at = (now: number, skew: number) => stepOf(from, code, { now, skew })
  assert.equal(await at(300_000, 0), 10)
  assert.equal(await at(329_999, 0), 10)
  assert.equal(await at(330_000, 0), undefined)
  assert.equal(await at(330_000, 1), 10)
  assert.equal(await at(270_000, 1), 10)
  assert.equal(await at(269_999, 1), undefined)
  assert.equal(await at(360_000, 1), undefined)
})

test('what is no code of so many digits is refused unread', async () => {
  const from = { secret: seed(20), algorithm: 'SHA1', digits: 6, period: 30 } as const
  const eight = await codeAt({ ...from, digits: 8 }, 0)
  for (const code of [
    '',
    '75522',
    '7552244',
    eight,
    ' 755224',
    '755224 ',
    '７５５２２４',
    'abcdef',
  ])
    assert.equal(await stepOf(from, code, { now: 0, skew: 0 }), undefined, code)
})

test('the address for apps says all that they need', async () => {
  const from = { secret: seed(20), algorithm: 'SHA256', digits: 8, period: 60 } as const
  const { secret, url } = await enrolmentOf(from, { issuer: 'The House', user: 'john@x.test' })
  assert.equal(secret, 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ')
  const { protocol, host, pathname, searchParams } = new URL(url)
  assert.equal(protocol + host + decodeURIComponent(pathname), 'otpauth:totp/The House:john@x.test')
  assert.deepEqual(Object.fromEntries(searchParams), {
    ...{ issuer: 'The House', secret, algorithm: 'SHA256', digits: '8', period: '60' },
  })
})
