import assert from 'node:assert/strict'
import { test } from 'node:test'
import Fastify from 'fastify'
import { loadConfig } from '../../src/config/index.ts'
import { features, ownPaths } from '../../src/features.ts'
import { onlyAt } from '../../src/http/own-paths.ts'

test('a route at a path that no manifest declares stops the boot', () => {
  const app = Fastify()
  app.addHook('onRoute', onlyAt(['/api']))
  for (const url of ['/', '*', '/api', '/api/x', '/api/:name'])
    assert.doesNotThrow(() => app.get(url, () => ''))
  for (const url of ['/apiary', '/forgotten', '/forgotten/api', '/:name', '/API'])
    assert.throws(() => app.get(url, () => ''), /lies at a path that no manifest declares/, url)
})

test('every path that a manifest declares is refused as a base path, and so is what lies below it', async () => {
  assert.ok(ownPaths.includes('/verify') && ownPaths.includes('/api'))
  for (const path of ownPaths.flatMap((own) => [own, `${own}/`, `${own}/below`])) {
    const env = { VESTIBULE_SERVER_ADDRESS: `tcp://:9091${path}` }
    const loaded = await loadConfig({ files: [], env, features, cwd: '/' })
    assert.ok(!loaded.ok, path)
    assert.match(loaded.faults.map(({ message }) => message).join(), /has the base path/, path)
  }
})
