import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { pino } from 'pino'
import { createPeers } from '../../src/http/peers.ts'

/** All that the walk reads of a socket. The cast: a real one needs a connection, and this is about its address alone. */
const from = (remoteAddress: string | undefined) => ({ remoteAddress }) as unknown as Socket

function peersWith(trustedProxies: readonly string[]) {
  const lines: string[] = []
  const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) })
  return { peers: createPeers({ trustedProxies, log }), lines }
}
const { peers } = peersWith(['127.0.0.0/8', '::1', '10.0.0.0/8', 'fd00::/8'])

test('only configured peers are trusted, in every spelling of their address (advisory 46)', () => {
  for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1', '10.9.8.7', 'fd12::1'])
    assert.equal(peers.trusts(from(address)), true, address)
  for (const address of ['192.0.2.1', '::ffff:192.0.2.1', '2001:db8::1', '11.0.0.1'])
    assert.equal(peers.trusts(from(address)), false, address)
})

const WALKS: readonly [readonly string[], string | undefined][] = [
  [[], '127.0.0.1'],
  [[''], '127.0.0.1'],
  [['192.0.2.7'], '192.0.2.7'],
  [['6.6.6.6, 192.0.2.7'], '192.0.2.7'],
  [['6.6.6.6, 192.0.2.7, 10.0.0.3'], '192.0.2.7'],
  [['6.6.6.6', '192.0.2.7', '10.0.0.3'], '192.0.2.7'],
  [['10.0.0.5, 10.0.0.3'], '10.0.0.5'],
  [['::ffff:192.0.2.7'], '192.0.2.7'],
  [['2001:DB8::0:1'], '2001:db8::1'],
  // What stands left of the client is the client's to invent; the walk never reaches it.
  [['garbage, 192.0.2.7'], '192.0.2.7'],
  [[`${'garbage, '.repeat(50)}192.0.2.7`], '192.0.2.7'],
  [['garbage'], undefined],
  [['192.0.2.7, garbage'], undefined],
  [['192.0.2.7, '], undefined],
  [['192.0.2.7,,10.0.0.3'], undefined],
  [['192.0.2.7:4711'], undefined],
  [['[2001:db8::1]'], undefined],
  [['fe80::1%eth0'], undefined],
  [['unknown'], undefined],
  // Found by the fuzz drill: String.trim takes more for a blank than HTTP does.
  [['\xa010.0.0.8'], undefined],
  [['10.0.0.1, \xa0192.0.2.7'], undefined],
  [['\xa0'], undefined],
  [[' \t192.0.2.7\t '], '192.0.2.7'],
  [['"192.0.2.7"'], undefined],
  [['10.0.0.3, '.repeat(10_000)], undefined],
]
for (const [headers, client] of WALKS) {
  test(`behind a trusted proxy, X-Forwarded-For ${JSON.stringify(headers).slice(0, 60)} is ${client} (advisories 24, 25)`, () =>
    assert.equal(peers.clientBehind(from('127.0.0.1'), headers), client))
}

test('a unix socket is trusted; a connection that is gone is not, whatever it was', () => {
  const unix = from(undefined)
  peers.welcome(unix, 'unix')
  assert.equal(peers.trusts(unix), true)
  assert.equal(peers.trusts(from(undefined)), false)
  // The other end of an untrusted connection closes after its request was read: its address is gone, the verdict stays.
  const socket = { remoteAddress: '192.0.2.1' as string | undefined }
  // As in `from`: all that is read of a socket.
  const closing = socket as unknown as Socket
  peers.welcome(closing, 'tcp')
  socket.remoteAddress = undefined
  assert.equal(peers.trusts(closing), false)
  assert.equal(peers.addressOf(closing), '192.0.2.1')
})

test('an untrusted peer is reported once, with the line that would trust it', () => {
  const { peers: strict, lines } = peersWith(['127.0.0.0/8'])
  for (let i = 0; i < 5; i++) strict.reportUntrusted(from('172.18.0.5'))
  strict.reportUntrusted(from('172.18.0.6'))
  assert.equal(lines.length, 2)
  assert.match(lines[0] ?? '', /trusted_proxies: \[\\"127\.0\.0\.0\/8\\", \\"172\.18\.0\.5\\"\]/)
})
test('a connection that was gone before it had an address is nobody to trust', () => {
  const { peers: strict, lines } = peersWith(['127.0.0.0/8'])
  strict.reportUntrusted(from(undefined))
  assert.deepEqual(lines, [])
})
test('`private` stands for the private networks and nothing else', () => {
  const { peers: house } = peersWith(['private'])
  for (const address of ['10.0.0.1', '172.16.0.1', '192.168.1.1', 'fd00::1', '169.254.0.1'])
    assert.equal(house.trusts(from(address)), true, address)
  for (const address of ['127.0.0.1', '172.32.0.1', '8.8.8.8', '::1'])
    assert.equal(house.trusts(from(address)), false, address)
})
