import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseListenAddress } from '../../src/kernel/address.ts'
import { contains, parseAddress, parseNetwork } from '../../src/kernel/cidr.ts'
import { isLoopback, isWithin, parseHost } from '../../src/kernel/host.ts'

const ADDRESSES: readonly [string, string | undefined][] = [
  ['10.0.0.8', '10.0.0.8'],
  ['::ffff:10.0.0.8', '10.0.0.8'],
  ['::FFFF:0A00:0008', '10.0.0.8'],
  ['FE80::1', 'fe80::1'],
  ['2001:db8:0:0::1', '2001:db8::1'],
  ['010.0.0.8', undefined],
  ['::ffff:010.0.0.8', undefined],
  ['::ffff:00.0.0.8', undefined],
  // Deprecated and no mapped address (RFC 4291 §2.5.5.1).
  ['::10.0.0.8', '::a00:8'],
  ['0:0:0:0:0:0:10.0.0.8', '::a00:8'],
  ['0:0:0:0:0:ffff:10.0.0.8', '10.0.0.8'],
  ['10.0.8', undefined],
  ['0x0a000008', undefined],
  ['167772168', undefined],
  ['10.0.0.8:80', undefined],
  ['[::1]', undefined],
  ['[::1]:80', undefined],
  ['fe80::1%eth0', undefined],
  ['10.0.0.256', undefined],
  ['a', undefined],
  ['', undefined],
  ['10.0.0.8 ', undefined],
  ['unknown', undefined],
]
for (const [text, canonical] of ADDRESSES) {
  test(`the address ${JSON.stringify(text)} reads as ${canonical}`, () =>
    assert.equal(parseAddress(text)?.text, canonical))
}

test('networks mask host bits and never mix families (advisory 46)', () => {
  const inside = (network: string, address: string) => {
    const [n, a] = [parseNetwork(network), parseAddress(address)]
    assert.ok(n && a, `${network} ${address}`)
    return contains(n, a)
  }
  assert.equal(inside('10.1.2.3/8', '10.200.0.1'), true)
  assert.equal(inside('10.0.0.0/8', '11.0.0.1'), false)
  assert.equal(inside('10.0.0.0/8', '::ffff:10.0.0.8'), true)
  assert.equal(inside('10.0.0.0/8', '::10.0.0.8'), false)
  assert.equal(inside('::ffff:10.0.0.0/104', '10.9.9.9'), true)
  assert.equal(inside('fec0::1/64', 'fec0::2'), true)
  assert.equal(inside('::/0', '10.0.0.8'), false)
  assert.equal(inside('0.0.0.0/0', '::1'), false)
  assert.equal(inside('10.0.0.8', '10.0.0.9'), false)
})
for (const text of [
  '10.0.0.0/33',
  '::/129',
  '10.0.0.0/',
  '10.0.0.0/-1',
  '10.0.0.0/8/8',
  '/8',
  'x/8',
  '::ffff:10.0.0.0/8',
])
  test(`${text} is no network`, () => assert.equal(parseNetwork(text), undefined))

const HOSTS: readonly [string, string, string | undefined][] = [
  ['app.example.com', 'https', 'app.example.com'],
  ['APP.Example.COM', 'https', 'app.example.com'],
  ['app.example.com.', 'https', 'app.example.com'],
  ['app.example.com:443', 'https', 'app.example.com'],
  ['app.example.com:443', 'wss', 'app.example.com'],
  ['app.example.com:80', 'http', 'app.example.com'],
  ['bücher.example.com', 'https', 'xn--bcher-kva.example.com'],
  ['[::1]:9091', 'http', '::1'],
  ['127.0.0.1', 'http', '127.0.0.1'],
  ['under_score.example.com', 'https', 'under_score.example.com'],
  ['user@app.example.com', 'https', undefined],
  ['evil.test,app.example.com', 'https', undefined],
  ['app.example.com, evil.test', 'https', undefined],
  ['*.example.com', 'https', undefined],
  ['app..example.com', 'https', undefined],
  ['.example.com', 'https', undefined],
  ['app.example.com\\x', 'https', undefined],
  ['app.example.com/x', 'https', undefined],
  ['app.example.com:', 'https', undefined],
  ['app.example.com:99999', 'https', undefined],
  ['app.example.com%00', 'https', undefined],
  ['app.example.com\u0000', 'https', undefined],
  ['', 'https', undefined],
  ['a'.repeat(300), 'https', undefined],
]
for (const [authority, scheme, name] of HOSTS) {
  test(`the host ${JSON.stringify(authority).slice(0, 60)} reads as ${name} (advisories 1, 42)`, () =>
    assert.equal(parseHost(authority, scheme)?.name, name))
}
test('a port other than the default one is kept', () => {
  assert.equal(parseHost('app.example.com:8443', 'https')?.port, 8443)
  assert.equal(parseHost('app.example.com:443', 'http')?.port, 443)
  assert.equal(parseHost('app.example.com:443', 'https')?.port, undefined)
})
test('a domain covers itself and what is below it, label by label', () => {
  assert.equal(isWithin('example.com', 'example.com'), true)
  assert.equal(isWithin('a.b.example.com', 'example.com'), true)
  assert.equal(isWithin('evilexample.com', 'example.com'), false)
  assert.equal(isWithin('example.com.evil.test', 'example.com'), false)
  assert.equal(isWithin('a.example.com', ''), false)
  assert.equal(isWithin('10.0.0.8', '0.8'), false)
})
test('only names that reach this machine are loopback', () => {
  for (const name of ['localhost', 'a.localhost', '127.0.0.1', '127.9.9.9', '::1'])
    assert.ok(isLoopback(name), name)
  for (const name of ['localhost.test', 'alocalhost', '128.0.0.1', '127.0.0.1.test', '::2', ''])
    assert.ok(!isLoopback(name), name)
})
test('listening addresses take Authelia’s forms', () => {
  assert.deepEqual(parseListenAddress('tcp://:9091/'), {
    kind: 'tcp',
    host: '',
    port: 9091,
    basePath: '/',
    family: undefined,
  })
  assert.deepEqual(parseListenAddress('tcp4://127.0.0.1:80/auth/'), {
    kind: 'tcp',
    host: '127.0.0.1',
    port: 80,
    basePath: '/auth',
    family: 4,
  })
  assert.deepEqual(parseListenAddress('[::1]:9091'), {
    kind: 'tcp',
    host: '::1',
    port: 9091,
    basePath: '/',
    family: undefined,
  })
  assert.deepEqual(parseListenAddress('unix:///run/v.sock?umask=0117'), {
    kind: 'unix',
    path: '/run/v.sock',
    umask: 0o117,
    basePath: '/',
  })
  for (const bad of [
    'udp://:1',
    'tcp://:99999',
    'unix://relative',
    'tcp://a b:1',
    'tcp://h:1/../x',
    'unix:///x?umask=9',
  ])
    assert.equal(parseListenAddress(bad), undefined, bad)
})

test('a name that is canonical already is read as the parser of addresses reads it', () => {
  const label = fc.oneof(
    fc.stringMatching(/^[a-z0-9_-]{1,6}$/),
    fc.constantFrom('xn--', 'xn--a', 'xn--mnchen-3ya', '0x7f', '127', '1', 'localhost', 'a', 'com'),
    fc.constantFrom('', 'A', 'é', '%61', '*', ',', '[::1]', 'a b'),
  )
  const names = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join('.'))
  fc.assert(
    fc.property(names, (name) => {
      // With a port it is not canonical.
      assert.deepEqual(parseHost(name, 'https'), parseHost(`${name}:443`, 'https'), name)
    }),
    { numRuns: 5_000 },
  )
})
