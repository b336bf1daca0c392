/** Every key that Authelia has, from a list of them: its type, its words, its default. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { configSchema, type JsonSchema, schemaAt } from '../../src/config/schema.ts'
import { features } from '../../src/features.ts'

const KINDS: Readonly<Record<string, readonly string[]>> = {
  text: ['string'],
  flag: ['boolean'],
  // A list of numbers that may be chosen from has no other type in JSON Schema.
  number: ['integer', 'number'],
  duration: ['string'],
  list: ['array'],
}
/** Where we differ on purpose: key → our default. */
const OUR_DEFAULTS: Readonly<Record<string, unknown>> = {
  'totp.issuer': 'Vestibule',
  'webauthn.display_name': 'Vestibule',
  'session.name': 'vestibule_session',
  // Of a domain of its own; without it that of `session` holds.
  'session.cookies[].name': undefined,
  'session.cookies[].same_site': undefined,
  // 6379, or 26379 of a sentinel.
  'session.redis.port': undefined,
  // A change takes effect at once.
  'authentication_backend.file.watch': true,
  // In the data directory.
  'authentication_backend.file.path': '',
  'storage.local.path': '',
  // By the variant.
  'authentication_backend.file.password.pbkdf2.iterations': undefined,
  // By the response types.
  'identity_providers.oidc.clients[].response_modes': undefined,
  // Ours is stricter, and not a template yet.
  'server.headers.csp_template': undefined,
}
/** Words of a list that people may add to: custom scopes. */
const OPEN = new Set(['identity_providers.oidc.clients[].scopes'])

interface Key {
  readonly path: string
  readonly kind: string
  readonly words: readonly string[]
  readonly from: string
  readonly to: string
  readonly standard: string
  readonly marks: readonly string[]
}

const keys = readFileSync(join(import.meta.dirname, '../fixtures/authelia/keys.tsv'), 'utf8')
  .trim()
  .split('\n')
  .slice(1)
  .map((line): Key => {
    const [path = '', kind = '', words = '', from = '', to = '', standard = '', marks = ''] =
      line.split('\t')
    const list = words === '' ? [] : words.split(',')
    return { path, kind, words: list, from, to, standard, marks: marks.split(' ') }
  })
const schema = configSchema(features)

/** A schema and all that a value may be instead, or hold. */
function* optionsOf(of: JsonSchema): Generator<JsonSchema> {
  yield of
  for (const option of of.anyOf ?? []) yield* optionsOf(option)
  if (of['x-value'] !== undefined) yield* optionsOf(of['x-value'])
  if (typeof of.items === 'object') yield* optionsOf(of.items)
}

test("Authelia's whole tree is known: 455 keys, each with a type, a word about it and its default", () => {
  assert.equal(new Set(keys.map(({ path }) => path)).size, 455)
  for (const { path, kind, words, standard, marks } of keys) {
    const key = schemaAt(schema, path)
    assert.ok(key !== undefined, path)
    if (path !== 'definitions.network.*') assert.match(key.description ?? '', /\w/, path)
    const options = [...optionsOf(key)]
    const types = options.flatMap(({ type = [] }) => type)
    assert.ok(
      KINDS[kind]?.some((type) => types.includes(type)),
      `${path} is no ${kind}`,
    )
    const named = options.flatMap(({ enum: one = [], examples = [] }) => [...one, ...examples])
    if (!OPEN.has(path))
      assert.deepEqual(
        words.filter((word) => !named.map(String).includes(word)),
        [],
        path,
      )
    const ours = Object.hasOwn(OUR_DEFAULTS, path)
    const expected = ours ? OUR_DEFAULTS[path] : standard === '' ? undefined : JSON.parse(standard)
    // Where Authelia writes none, nothing and "no" are the same.
    const isNothing = expected === undefined && (key.default === false || isEmpty(key.default))
    if (!isNothing) assert.deepEqual(key.default, expected, path)
    if (marks.includes('deprecated')) assert.equal(key.deprecated, true, path)
    if (marks.includes('secret'))
      assert.ok(
        options.some((option) => option.writeOnly),
        path,
      )
  }
})

const isEmpty = (value: unknown): boolean => Array.isArray(value) && value.length === 0

test('numbers of keys without effect have the bounds that Authelia gives them', () => {
  for (const { path, from, to } of keys) {
    const key = schemaAt(schema, path)
    // What a feature reads has the feature's bounds; JSON has no larger numbers than that.
    if (key?.['x-effect'] === undefined) continue
    const { minimum, maximum } = key['x-value'] ?? key
    if (from !== '') assert.equal(minimum, Number(from), path)
    if (to !== '' && Number.isSafeInteger(Number(to))) assert.equal(maximum, Number(to), path)
  }
})
