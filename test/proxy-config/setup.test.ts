import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { aliasesOf, foldedPattern } from '../../src/features/proxy-config/headers.ts'
import { hostsOf, portalsOf, proxies, setupFor } from '../../src/features/proxy-config/index.ts'
import { parseListenAddress } from '../../src/kernel/address.ts'
import { setupWith } from '../support/snippet.ts'

const fold = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, '_')

test('aliases of a header are other names that fold to it, each once', () => {
  const header = fc
    .array(fc.stringMatching(/^[A-Za-z0-9]{1,4}$/), { minLength: 1, maxLength: 9 })
    .map((parts) => parts.join('-'))
  fc.assert(
    fc.property(header, (name) => {
      const aliases = aliasesOf(name)
      assert.ok(aliases.length < 400)
      assert.equal(new Set(aliases).size, aliases.length)
      for (const alias of aliases) {
        assert.notEqual(alias, name)
        assert.equal(fold(alias), fold(name))
        assert.match(alias.toLowerCase(), new RegExp(foldedPattern(name)))
      }
    }),
  )
})
test('every mixture of _ and . is among them', () => {
  const aliases = aliasesOf('X-Auth-User')
  for (const first of ['-', '_', '.'])
    for (const second of ['-', '_', '.'])
      assert.equal(aliases.includes(`X${first}Auth${second}User`), `${first}${second}` !== '--')
  assert.ok(aliases.includes('X!Auth!User'))
})

const identityHeaders = setupWith({}).identityHeaders
const domain = (name: string, portal?: string) => ({
  domain: name,
  hostOnly: name === 'localhost',
  portalUrl: portal === undefined ? undefined : new URL(portal),
  name: 'vestibule_session',
})
const address = (text: string) => {
  const parsed = parseListenAddress(text)
  assert.ok(parsed)
  return parsed
}

test('the portal goes through the proxy, unless people reach it at Vestibule’s own port', () => {
  for (const [listen, portal, expected] of [
    ['tcp://127.0.0.1:9091', 'http://auth.vestibule.localhost:9091', undefined],
    ['tcp://127.0.0.1:9091', 'http://auth.vestibule.localhost:8080', 'auth.vestibule.localhost'],
    ['tcp://:9091', 'https://auth.vestibule.localhost', 'auth.vestibule.localhost'],
    ['unix:///run/v.sock', 'https://auth.vestibule.localhost', 'auth.vestibule.localhost'],
  ] as const) {
    const domains = [domain('vestibule.localhost', portal)]
    const setup = setupFor({ address: address(listen), domains, identityHeaders })
    assert.deepEqual(portalsOf(setup), expected === undefined ? [] : [expected])
    assert.equal(setup.tls, portal.startsWith('https'))
  }
})
test('an address on every interface is asked at loopback, and v6 keeps its brackets', () => {
  for (const [listen, expected] of [
    ['tcp://:9091', '127.0.0.1:9091'],
    ['tcp://[::1]:9091', '[::1]:9091'],
    ['tcp://10.0.0.5:80', '10.0.0.5:80'],
    ['unix:///run/v.sock', 'unix:/run/v.sock'],
  ] as const) {
    const domains = [domain('example.com', 'https://auth.example.com')]
    const setup = setupFor({ address: address(listen), domains, identityHeaders })
    assert.equal(setup.verifyUpstream, expected)
  }
})
test('every proxy prints comments, the names it was given, and the same again', () => {
  for (const [name, print] of Object.entries(proxies)) {
    const setup = setupWith({ hosts: ['one.example.com', 'two.example.com'], tls: true })
    const text = print(setup)
      .map((file) => file.text)
      .join('\n')
    for (const part of [...hostsOf(setup), ...Object.values(identityHeaders), 'vestibule_session'])
      assert.ok(text.includes(part), `${name} ${part}`)
    assert.doesNotMatch(text, /undefined|\[object|NaN|\$\{/, name)
    assert.deepEqual(print(setup), print(setup))
    for (const line of text.split('\n')) assert.doesNotMatch(line, /\s$/, name)
  }
})
