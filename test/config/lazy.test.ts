import assert from 'node:assert/strict'
import { registerHooks } from 'node:module'
import test from 'node:test'

/** Modules of the loader that were loaded, by their paths below src/config. */
const loaded: string[] = []
registerHooks({
  load(url, context, next) {
    const [, path] = /\/src\/config\/(.*)$/.exec(url) ?? []
    if (path !== undefined) loaded.push(path)
    return next(url, context)
  },
})
// After the hook: what follows is what a start loads.
const { features } = await import('../../src/features.ts')
const { load } = await import('./house.ts')

const BUILT =
  'session: {cookies: [{domain: example.com, portal_url: "https://auth.example.com"}]}\n'
const RULES = 'access_control: {default_policy: one_factor}\n'

/** Reading them takes longer than reading the file. */
const ASIDE = /^(unbuilt\/|renamed\.ts|sift\.ts|issues\.ts)/

test('what is known of keys that nobody reads is only loaded when one was written', async (t) => {
  const nothing = await load(t, {}, { features })
  assert.equal(nothing.text, '')
  assert.ok(!loaded.includes('yaml.ts'), 'without a file there is nothing to read it with')
  const env = { VESTIBULE_LOG_LEVEL: 'warn', AUTHELIA_LOG_LEVEL: 'x' }
  const built = await load(t, { 'c.yml': BUILT + RULES }, { features, env })
  assert.equal(built.text, '')
  assert.ok(loaded.includes('yaml.ts'))
  assert.deepEqual(
    loaded.filter((path) => ASIDE.test(path)),
    [],
  )
  await load(t, { 'c.yml': `${BUILT}${RULES}totp: {issuer: x}\n` }, { features })
  assert.ok(loaded.some((path) => ASIDE.test(path)))
})
