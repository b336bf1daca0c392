import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import fc from 'fast-check'
import { parse, stringify } from 'yaml'
import { type LoadResult, loadConfig } from '../../src/config/index.ts'
import {
  anonymous,
  createAccess,
  type Subject,
  type Target,
} from '../../src/features/access/index.ts'
import { type Config, features } from '../../src/features.ts'
import { load } from './house.ts'
import { type Json, type Mutation, mutate, placesOf } from './mutations.ts'

const EXAMPLE = readFileSync(new URL('../../config.example.yml', import.meta.url), 'utf8')

test('the example is a configuration without a fault and without a warning', async (t) => {
  const { text, warnings } = await load(t, { 'config.example.yml': EXAMPLE }, { features })
  assert.equal(text, '')
  assert.deepEqual(warnings, [])
})

test('what the example shows as a default is one: written out, it changes nothing', async (t) => {
  const shown = EXAMPLE.replace(/^(\s*)#(?=[a-z])/gm, '$1')
  assert.ok(shown.split('\n').filter((line, i) => line !== EXAMPLE.split('\n')[i]).length >= 6)
  const written = await load(t, { 'c.yml': shown }, { features })
  const plain = await load(t, { 'c.yml': EXAMPLE }, { features })
  assert.equal(written.text, '')
  assert.deepEqual(written.config, plain.config)
})

test('what the example shows as an addition is without a fault too', async (t) => {
  const added = EXAMPLE.replace(/^# {3}( *[a-z_]+:(?: .*)?)$/gm, '$1')
  const env = { VESTIBULE_NOTIFIER_SMTP_PASSWORD: 'of the mail server' }
  const { text, warnings, config } = await load(t, { 'c.yml': added }, { features, env })
  assert.equal(text, '')
  assert.deepEqual(warnings, [])
  const { notifier, storage } = config as Config // loaded with the features of Config
  assert.equal(notifier?.smtp?.sender.address, 'signin@example.com')
  assert.ok(storage.encryption_key)
})

test('the rules of the example do what their comments say', async (t) => {
  const { config } = await load(t, { 'c.yml': EXAMPLE }, { features })
  const { access_control: control, definitions } = config as Config // loaded with the features of Config
  const access = createAccess(control, definitions.network)
  const john: Subject = { user: 'john', groups: ['dev'], clientId: '' }
  const admin: Subject = { user: 'jane', groups: ['admins'], clientId: '' }
  const policy = (subject: Subject, host: string, more: Partial<Target> = {}) =>
    access.verdict(subject, {
      scheme: 'https',
      host,
      path: '/',
      query: undefined,
      method: 'GET',
      address: '203.0.113.9',
      ...more,
    }).policy
  assert.equal(policy(anonymous, 'www.example.com'), 'bypass')
  assert.equal(policy(anonymous, 'cloud.example.com'), 'one_factor')
  assert.equal(policy(anonymous, 'cloud.example.com', { path: '/status.php' }), 'bypass')
  const posted = { path: '/status.php', method: 'POST' }
  assert.equal(policy(anonymous, 'cloud.example.com', posted), 'one_factor')
  assert.equal(policy(anonymous, 'lights.example.com'), 'one_factor')
  assert.equal(policy(anonymous, 'lights.example.com', { address: '192.168.1.7' }), 'bypass')
  assert.equal(policy(john, 'vault.example.com'), 'two_factor')
  for (const host of ['router.example.com', 'a.infra.example.com']) {
    assert.equal(policy(anonymous, host), 'one_factor', 'somebody unknown is asked to sign in')
    assert.equal(policy(admin, host), 'one_factor')
    assert.equal(policy(john, host), 'deny')
  }
  assert.equal(policy(john, 'anything.example.com'), 'one_factor')
  assert.equal(policy(john, 'example.com'), 'deny')
  assert.equal(policy(admin, 'www.example.org'), 'deny')
})

/** One file in a folder of its own, written again and again. */
async function loader(t: TestContext): Promise<(text: string) => Promise<LoadResult>> {
  const cwd = await mkdtemp(join(tmpdir(), 'vestibule-config-'))
  t.after(() => rm(cwd, { recursive: true, force: true }))
  return async (text) => {
    await writeFile(join(cwd, 'c.yml'), text)
    return loadConfig({ files: ['c.yml'], env: {}, features, cwd })
  }
}

function assertPlaced(result: LoadResult, what: string): void {
  if (result.ok) return
  assert.ok(result.faults.length > 0, what)
  for (const { source, line, column, message } of result.faults) {
    assert.equal(source, 'c.yml', what)
    assert.ok(line !== undefined && line >= 1 && column !== undefined && column >= 1, what)
    assert.notEqual(message, '', what)
  }
}

const SIMPLE: readonly Mutation[] = [
  { kind: 'delete' },
  { kind: 'rename', to: 'x' },
  ...[null, 'x', 5, true, [], [null], {}].map((to) => ({ kind: 'retype', to }) as const),
]

test('whatever is done to any one key of the example, there is a configuration or a fault with its place', async (t) => {
  const example: Json = parse(EXAMPLE)
  const read = await loader(t)
  for (const place of placesOf(example)) {
    for (const mutation of SIMPLE) {
      const what = `${place.join('.')} ${JSON.stringify(mutation)}`
      const result = await read(stringify(mutate(example, place, mutation), { lineWidth: 0 }))
      assertPlaced(result, what)
    }
  }
})

test('whatever is done to several keys at once, the same', async (t) => {
  const example: Json = parse(EXAMPLE)
  const places = placesOf(example)
  const read = await loader(t)
  const mutation: fc.Arbitrary<Mutation> = fc.oneof(
    fc.constantFrom(...SIMPLE),
    fc.record({
      kind: fc.constant('rename' as const),
      to: fc.string({ maxLength: 20, unit: 'binary' }),
    }),
    fc.record({
      kind: fc.constant('retype' as const),
      to: fc.oneof(
        fc.jsonValue({ maxDepth: 2 }).map((value) => value as Json), // fast-check's own JSON type is the same
        fc.constantFrom<Json>('', -1, '*', '..', 'https://', '10.0.0.0/99', 1e9, 0, [[]]),
      ),
    }),
  )
  const steps = fc.array(fc.tuple(fc.nat(places.length - 1), mutation), {
    minLength: 2,
    maxLength: 4,
  })
  await fc.assert(
    fc.asyncProperty(steps, async (changes) => {
      const mutated = changes.reduce<Json>(
        (root, [place, change]) => mutate(root, places[place] ?? [], change),
        example,
      )
      assertPlaced(await read(stringify(mutated, { lineWidth: 0 })), JSON.stringify(changes))
    }),
    { numRuns: 100 },
  )
})

test('no bytes in a file make the loader throw', async (t) => {
  const read = await loader(t)
  const piece = fc.oneof(
    fc.constantFrom(
      'session:',
      ' ',
      '\n',
      '\n  ',
      '- ',
      '[',
      ']',
      '{',
      '}',
      '&a ',
      '*a',
      '<<: ',
      '"',
      "'",
      '|',
      '>',
      '#',
      '!x',
      '!!',
      '%',
      '---',
      '\t',
      '?',
      ':',
      ', ',
      '{{',
      '}}',
      '~',
      'cookies',
      '1',
      '.inf',
      '0x',
      '\\',
    ),
    fc.string({ maxLength: 10, unit: 'binary' }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 40 }), async (pieces) => {
      const result = await read(pieces.join(''))
      assert.ok(result.ok || result.faults.length > 0)
    }),
    { numRuns: 200 },
  )
})

test('no variable makes the loader throw, and none that begins like ours is passed over in silence', async () => {
  const name = fc.oneof(
    fc.constantFrom(
      'LOG_LEVEL',
      'SESSION_SECRET',
      'SESSION_SECRET_FILE',
      'SERVER_ADDRESS',
      'TRUSTED_PROXIES',
      'SESSION_COOKIES',
      'DEFINITIONS_NETWORK',
      '',
      '_',
      'TOTP_ISSUER',
    ),
    fc.stringMatching(/^[A-Z_]{1,20}$/),
  )
  await fc.assert(
    fc.asyncProperty(name, fc.string({ unit: 'binary', maxLength: 30 }), async (rest, value) => {
      const result = await loadConfig({
        files: [],
        env: { [`VESTIBULE_${rest}`]: value },
        features,
        cwd: '/',
      })
      if (result.ok) return
      for (const fault of result.faults) assert.equal(fault.source, `VESTIBULE_${rest}`)
    }),
    { numRuns: 150 },
  )
})
