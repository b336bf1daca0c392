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
const ASIDE = /^(authelia\/(unsupported|rename|partition)|issues\.ts)/

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
  await load(t, { 'c.yml': `${BUILT}${RULES}duo_api: {hostname: x.example.com}\n` }, { features })
  assert.ok(loaded.some((path) => ASIDE.test(path)))
})

test('a large file of plain lines is read quickly, and as the parser reads it', async (t) => {
  const rules = Array.from(
    { length: 2_000 },
    (_, n) => `    - domain: app${n}.example.com\n      policy: ${n % 2 ? 'deny' : 'one_factor'}\n`,
  ).join('')
  const text = `session:
  cookies:
    - domain: example.com
      portal_url: https://auth.example.com
access_control:
  rules:
${rules}`
  loaded.length = 0
  const large = await load(t, { 'c.yml': text }, { features })
  assert.equal(large.text, '')
  assert.ok(loaded.includes('plain-yaml.ts'))
  // A flow map is not plain: the parser reads the whole file.
  const parsed = await load(t, { 'c.yml': `${text}log: {level: info}\n` }, { features })
  assert.ok(large.config !== undefined && parsed.config !== undefined)
  assert.deepEqual(large.config['access_control'], parsed.config['access_control'])
  const wrong = await load(
    t,
    { 'c.yml': text.replace('policy: deny', 'policy: den') },
    { features },
  )
  assert.match(wrong.text, /c\.yml:10:7 access_control\.rules\[1\]\.policy: found "den"/)
})
