import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { neighbours, proxies } from '../../src/features/proxy-config/index.ts'
import { runCli, temporaryDirectory } from '../support/cli.ts'

const CONFIG = `
server: { address: unix:///run/vestibule/v.sock }
session:
  name: portal.session
  cookies:
    - { domain: example.com, portal_url: https://auth.example.com }
    - { domain: example.org, portal_url: https://auth.example.org, name: other }
    - { domain: vestibule.localhost, portal_url: 'http://auth.vestibule.localhost:8080' }
identity_headers: { user: X-User }
access_control: { default_policy: one_factor }
`

function folder(t: Parameters<typeof temporaryDirectory>[0], config: string): string {
  const cwd = temporaryDirectory(t)
  writeFileSync(join(cwd, 'config.yml'), config)
  return cwd
}

test('without a configuration it prints what deploy/ holds', async (t) => {
  for (const proxy of Object.keys(proxies)) {
    const { status, out, err } = await runCli(t, ['proxy-config', proxy])
    assert.equal(status, 0, proxy)
    // Who asks from a container does not come from 127.0.0.1.
    assert.match(err, proxy in neighbours ? /trusted_proxies\n$/ : /^$/, proxy)
    holds(out, `deploy/${proxy}`)
  }
})
test('with the example configuration it prints what deploy/example.com holds', async (t) => {
  const config = resolve('config.example.yml')
  for (const proxy of Object.keys(proxies)) {
    const { status, out } = await runCli(t, ['proxy-config', proxy, '--config', config])
    assert.equal(status, 0, proxy)
    for (const part of ['app.example.com', 'auth.example.com', 'vestibule_session'])
      assert.ok(out.includes(part), `${proxy} ${part}`)
    holds(out, `deploy/example.com/${proxy}`)
  }
})

function holds(out: string, directory: string): void {
  const files = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isFile())
  for (const { name } of files)
    assert.ok(out.includes(readFileSync(`${directory}/${name}`, 'utf8')), `${directory}/${name}`)
}

test('it is about your portal, your cookies and your headers', async (t) => {
  const cwd = folder(t, CONFIG)
  const argv = ['proxy-config', 'nginx', '--host', 'Wiki.Example.ORG,docs.example.org']
  const { status, out } = await runCli(t, [...argv, '--app', '10.0.0.5:3000'], { cwd })
  assert.equal(status, 0)
  for (const part of [
    'server_name wiki.example.org docs.example.org;',
    'server_name auth.example.org;',
    'listen 443 ssl;',
    'server unix:/run/vestibule/v.sock;',
    'proxy_pass http://10.0.0.5:3000;',
    'proxy_set_header X-User',
    '$upstream_http_x_user;',
    'other\\s*=',
    'portal\\x2esession\\s*=',
  ])
    assert.ok(out.includes(part), part)
  assert.ok(!out.includes('Remote-User'))
})

// Two outputs, one for each domain, said the same upstream, maps and default_server: nginx -t refused them together.
test('hosts of several cookie domains are one output: what is shared once, what is a domain’s for each', async (t) => {
  const cwd = folder(t, CONFIG)
  const { status, out } = await runCli(
    t,
    ['proxy-config', 'nginx', '--host', 'a.example.com,b.example.org', '--host', 'c.example.com'],
    { cwd },
  )
  assert.equal(status, 0)
  for (const once of [
    'upstream vestibule {',
    'map $http_cookie ',
    'default_server;',
    'server_name a.example.com c.example.com;',
    'server_name b.example.org;',
    'server_name auth.example.com;',
    'server_name auth.example.org;',
  ])
    assert.equal(out.split(once).length, 2, once)
  // Each domain has a certificate of its own: for its apps and for its portal, and the first one for unknown hosts.
  assert.equal(out.split('/etc/ssl/certs/example.com.pem').length - 1, 3)
  assert.equal(out.split('/etc/ssl/private/example.org.key').length - 1, 2)
  // The third domain is http: its portal is not served here.
  assert.ok(!out.includes('vestibule.localhost'))
})

test('what cannot be printed is refused in one sentence', async (t) => {
  const cwd = folder(t, CONFIG)
  for (const [argv, said] of [
    [['squid'], /nginx, /],
    [['nginx', '--host', 'app.example.net'], /no cookie domain covers app\.example\.net/],
    [['nginx', '--host', 'a.example.com,a.vestibule.localhost'], /one is https and the other http/],
    [['nginx', '--host', 'auth.example.com'], /is the portal itself/],
    [['nginx', '--host', 'a.example.com; }'], /is no name of a host/],
    [['nginx', '--host', 'a.example.com:8443'], /is no name of a host/],
    [['nginx', '--app', 'app'], /--app is no host with a port/],
    [['nginx', '--app', 'app:80; evil'], /--app is no host with a port/],
    [['nginx', '--app', 'unix:/run/app'], /--app is no host with a port/],
    [['nginx', '--upstream', 'http://vestibule:9091'], /--upstream is no host with a port/],
    [['nginx', '--listen', 'https'], /--listen is no port/],
  ] as const) {
    const { status, out, err } = await runCli(t, ['proxy-config', ...argv], { cwd })
    assert.deepEqual([status, out], [1, ''], argv.join(' '))
    assert.match(err, said)
    assert.equal(err.trim().split('\n').length, 1, err)
  }
})

test('a header name that not every proxy can carry is refused', async (t) => {
  const cwd = folder(t, CONFIG.replace('X-User', "X'User"))
  const { status, err } = await runCli(t, ['proxy-config', 'nginx'], { cwd })
  assert.equal(status, 1)
  assert.match(err, /identity_headers\.user/)
})

test('files are written where they are wanted, and never over others', async (t) => {
  const cwd = folder(t, CONFIG)
  const argv = ['proxy-config', 'haproxy', '--output', 'haproxy']
  const { status, out } = await runCli(t, argv, { cwd })
  assert.equal(status, 0)
  assert.match(out, /wrote .*haproxy\.cfg\n(wrote .*\n)*wrote .*vestibule\.lua\n$/)
  assert.match(readFileSync(join(cwd, 'haproxy', 'vestibule.lua'), 'utf8'), /unix@\/run\/vestibule/)
  const again = await runCli(t, argv, { cwd })
  assert.equal(again.status, 1)
  assert.match(again.err, /is there already/)
})

test('a proxy elsewhere has to be trusted first, and the command says so', async (t) => {
  const cwd = folder(t, CONFIG)
  const far = await runCli(t, ['proxy-config', 'caddy', '--upstream', 'vestibule:9091'], { cwd })
  assert.equal(far.status, 0)
  assert.match(far.err, /trusted_proxies/)
  const near = await runCli(t, ['proxy-config', 'caddy', '--upstream', '127.0.0.1:9091'], { cwd })
  assert.equal(near.err, '')
})
