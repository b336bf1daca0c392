import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { before, suite, test } from 'node:test'
import { parse } from 'yaml'
import { suiteCleanup } from '../support/cleanup.ts'
import { missing } from '../support/program.ts'
import { CLOSED_PROOFS } from '../support/proofs/closed.ts'
import { DEFAULT, openScene, type Scene } from '../support/proofs/scene.ts'
import { SIGN_IN_PROOFS } from '../support/proofs/sign-in.ts'
import { TUNNEL_PROOFS } from '../support/proofs/tunnels.ts'
import { proveProxy } from '../support/proxy-proofs.ts'
import { setupWith } from '../support/snippet.ts'
import { appByLabels, labelsOf, startTraefik, traefikUnderTest } from '../support/traefik.ts'

proveProxy(traefikUnderTest)

suite('Traefik with the app by labels', { skip: traefikUnderTest.missing }, () => {
  let scene: Scene
  const t = suiteCleanup()

  before(async () => {
    scene = await openScene(
      t,
      (cleanup, setup) => startTraefik(cleanup, setup, appByLabels(setup)),
      DEFAULT,
    )
  })

  // The middleware says "Upgrade: websocket" to every request: without "Connection: Upgrade" Traefik has to drop it again.
  test('a request that is no upgrade reaches the app as none', async () => {
    for (const headers of [{}, { Upgrade: 'h2c' }, { Connection: 'close', Upgrade: 'websocket' }]) {
      const { status } = await scene.ask('/', { headers: { Cookie: scene.cookie, ...headers } })
      assert.equal(status, 200)
      assert.deepEqual(scene.app.folded('Upgrade'), [])
    }
  })

  const { 'own-405': _, ...tunnels } = TUNNEL_PROOFS
  for (const { title, prove } of Object.values({ ...SIGN_IN_PROOFS, ...tunnels, ...CLOSED_PROOFS }))
    test(title, () => prove(scene))
})

const FOLDER = 'deploy/traefik/docker'
const compose = parse(readFileSync(`${FOLDER}/docker-compose.yml`, 'utf8'))

test('the compose file of the guide has the labels that are printed', () => {
  const setup = setupWith({ appUpstream: 'app:80' })
  assert.deepEqual(compose.services.app.labels, labelsOf(setup))
})

test('in the compose file only Traefik has a way to Vestibule, from the one address that is trusted', () => {
  const networksOf = (service: string) => {
    const { networks } = compose.services[service]
    return Array.isArray(networks) ? networks : Object.keys(networks)
  }
  assert.deepEqual(networksOf('vestibule'), ['vestibule'])
  assert.equal(compose.services.vestibule.ports, undefined)
  for (const service of Object.keys(compose.services))
    if (!['vestibule', 'traefik'].includes(service))
      assert.ok(!networksOf(service).includes('vestibule'), service)
  // Docker gives the lowest free address to who starts first and has none: that would be Vestibule.
  assert.ok(compose.services.vestibule.networks.vestibule.ipv4_address)
  const { trusted_proxies } = parse(readFileSync(`${FOLDER}/config.yml`, 'utf8'))
  assert.equal(trusted_proxies, compose.services.traefik.networks.vestibule.ipv4_address)
  const { providers } = parse(readFileSync(`${FOLDER}/traefik.yml`, 'utf8'))
  assert.equal(providers.docker.network, compose.networks.apps.name)
  assert.equal(providers.docker.exposedByDefault, false)
})

test('docker-compose takes the file', { skip: missing('docker-compose') }, () => {
  execFileSync('docker-compose', ['-f', `${FOLDER}/docker-compose.yml`, 'config', '-q'])
})
