import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse } from 'yaml'
import { contains, parseAddress, parseNetwork } from '../../src/kernel/cidr.ts'

interface Service {
  readonly networks?: readonly string[] | Readonly<Record<string, unknown>>
  readonly network_mode?: string
  readonly ports?: readonly string[]
  readonly user?: string
  readonly environment?: Readonly<Record<string, string>>
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly networks: Readonly<
    Record<
      string,
      {
        readonly internal?: boolean
        readonly ipam?: { readonly config: readonly { readonly subnet: string }[] }
      } | null
    >
  >
}

const compose: Compose = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true })
const networksOf = (name: string): readonly string[] => {
  const networks = compose.services[name]?.networks ?? ['default']
  return Array.isArray(networks) ? networks : Object.keys(networks)
}
const meet = (a: string, b: string): boolean =>
  networksOf(a).some((network) => networksOf(b).includes(network))

test('an app reaches neither Vestibule nor Redis, and Redis only what keeps sessions in it', () => {
  for (const node of ['vestibule', 'node1', 'node2', 'redis']) assert.ok(!meet('app', node), node)
  for (const other of ['app', 'nginx', 'balancer', 'vestibule'])
    assert.ok(!meet('redis', other), other)
  for (const node of ['node1', 'node2']) assert.ok(meet('redis', node) && meet('balancer', node))
  assert.ok(meet('nginx', 'vestibule') && meet('nginx', 'app') && meet('balancer', 'app'))
  assert.equal(compose.networks['store']?.internal, true)
})

test('trusted are the addresses of the network that only the proxy shares', () => {
  for (const [file, network] of [
    ['config', 'auth'],
    ['nodes', 'node-auth'],
  ] as const) {
    const { trusted_proxies: trusted } = parse(readFileSync(`deploy/compose/${file}.yml`, 'utf8'))
    assert.equal(trusted, compose.networks[network]?.ipam?.config[0]?.subnet)
  }
  const trusted = parseNetwork('172.31.91.0/28')
  const other = parseAddress('172.31.91.17')
  assert.ok(trusted && other && !contains(trusted, other))
})

test('only proxies are published, to this machine, and no secret stands in a file', () => {
  for (const [name, { ports = [] }] of Object.entries(compose.services)) {
    if (ports.length > 0) assert.match(name, /^(nginx|balancer)$/)
    for (const port of ports) assert.match(port, /^127\.0\.0\.1:/)
  }
  const nodes = parse(readFileSync('deploy/compose/nodes.yml', 'utf8'))
  assert.deepEqual([nodes.session.secret, nodes.session.redis.password], [undefined, undefined])
  for (const node of ['node1', 'node2']) {
    assert.deepEqual(Object.keys(compose.services[node]?.environment ?? {}), [
      'VESTIBULE_SESSION_SECRET_FILE',
      'VESTIBULE_SESSION_REDIS_PASSWORD_FILE',
    ])
    assert.equal(compose.services[node]?.user, 'node')
  }
  assert.match(JSON.stringify(compose.services['redis']), /requirepass \$\$\(cat \/run\/secrets/)
})

test('the image is looked at while it starts, so that it is healthy as soon as it is', () => {
  const [, interval] = /--start-interval=(\d+)ms/.exec(readFileSync('Dockerfile', 'utf8')) ?? []
  assert.ok(Number(interval) > 0 && Number(interval) <= 1000)
})
