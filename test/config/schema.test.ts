import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { Ajv } from 'ajv'
import fc from 'fast-check'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { configReference } from '../../src/config/reference.ts'
import { configSchema, type JsonSchema, shortDuration } from '../../src/config/schema.ts'
import { find, type MapTree, toPlain, treeOf } from '../../src/config/tree.ts'
import { features } from '../../src/features.ts'
import { house, load } from './house.ts'
import { type Json, mutate, placesOf } from './mutations.ts'

function at(schema: JsonSchema, ...path: readonly string[]): JsonSchema | undefined {
  return path.reduce<JsonSchema | undefined>((node, key) => node?.properties?.[key], schema)
}

test('the JSON schema is one tree of all slices, the ones inside others included', () => {
  const schema = configSchema(house)
  assert.equal(schema.additionalProperties, false)
  assert.deepEqual(at(schema, 'access_control', 'default_policy')?.enum, [
    'bypass',
    'one_factor',
    'two_factor',
    'deny',
  ])
  assert.equal(at(schema, 'authentication_backend', 'file', 'path')?.type, 'string')
  assert.deepEqual(at(schema, 'authentication_backend', 'file', 'password', 'algorithm')?.enum, [
    'argon2id',
    'sha512',
  ])
  assert.equal(at(schema, 'session', 'secret')?.writeOnly, true)
  assert.equal(at(schema, 'session', 'expiration')?.default, '1h')
  assert.equal(at(schema, 'session', 'expiration')?.['x-form'], 'duration')
  // The old name will do.
  assert.deepEqual(at(schema, 'session')?.anyOf, [
    { required: ['cookies'] },
    { required: ['domain'] },
  ])
})

test('the JSON schema takes what the loader takes: keys without effect too', () => {
  const schema = configSchema(house)
  assert.equal(
    at(schema, 'totp', 'issuer')?.description,
    'No effect yet. The name that the app shows.',
  )
  assert.equal(at(schema, 'totp', 'issuer')?.default, 'Authelia')
  assert.match(at(schema, 'server', 'tls')?.description ?? '', /^Refused at start: TLS is not/)
  assert.doesNotThrow(() => JSON.stringify(schema))
})

test('the reference names type, default, variable and secret file of every key', () => {
  const page = configReference(house)
  assert.match(
    page,
    /\| `log\.level` \| `error`, `warn`, `info` \| `info` \| `VESTIBULE_LOG_LEVEL` \|/,
  )
  assert.match(
    page,
    /\| `session\.secret` \| secret \| {2}\| `VESTIBULE_SESSION_SECRET`, `VESTIBULE_SESSION_SECRET_FILE` \|/,
  )
  assert.match(page, /\| `session\.cookies\[\]\.domain` \| string \| \*\*required\*\* \| {2}\|/)
  assert.match(
    page,
    /\| `definitions\.network` \| map of network or list of network \| `\{\}` \| {2}\|/,
  )
  assert.match(page, /## totp\n\n.*\n\nNo effect yet\.\n/)
  assert.equal(page, configReference(house))
})

test('an old name is what the key of today is, whoever declares it', () => {
  const old = (features: typeof house) =>
    at(configSchema(features), 'webauthn', 'user_verification')
  assert.deepEqual(old(house)?.enum, ['discouraged', 'preferred', 'required', ''])
  assert.equal(old(house)?.deprecated, true)
  const webauthn = {
    config: { 'webauthn.selection_criteria.user_verification': z.enum(['required']) },
  }
  const built = { ...house, webauthn }
  assert.deepEqual(old(built)?.enum, ['required'])
})

test('milliseconds read as one would write them', () => {
  const cases = { 1: '1ms', 1000: '1s', 90000: '90s', 300000: '5m', 3600000: '1h', 86400000: '1d' }
  for (const [ms, text] of Object.entries(cases)) assert.equal(shortDuration(Number(ms)), text)
})

const ROOT = join(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const fixture = (name: string): string => read(`test/fixtures/authelia/${name}.yml`)

/** As strict as it gets; the annotations of ours are all that draft 7 does not know. */
const ajv = new Ajv({
  strict: true,
  // `anyOf: [{ required: … }, …]` names keys of the schema around it.
  strictRequired: false,
  allowUnionTypes: true,
  allErrors: true,
  keywords: ['x-form', 'x-effect', 'x-name-of', 'x-value'],
})
const validate = ajv.compile(configSchema(features))
const faultsOf = (text: string): string[] => {
  validate(parse(text))
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)
}

test('the JSON schema is one: draft 7, strictly', () => {
  assert.ok(ajv.validateSchema(configSchema(features)), ajv.errorsText())
  assert.equal(configSchema(features).$schema, 'http://json-schema.org/draft-07/schema#')
})

const ACCEPTED = [
  'docker-minimal',
  'openid-clients',
  'old-4.29',
  'old-4.36-template',
  'old-openid-4.37',
  'multi-domain',
  'second-factors',
  'limits',
  'secrets',
]
for (const name of ACCEPTED) {
  test(`the JSON schema accepts a configuration of Authelia: ${name}`, () => {
    assert.deepEqual(faultsOf(fixture(name)), [])
  })
}

test('the JSON schema accepts keys x-… for anchors, at the top', () => {
  assert.ok(
    !faultsOf('x-app: {a: [1]}').some((fault) => fault.startsWith(' must NOT have additional')),
  )
  assert.ok(faultsOf('y-app: 1').some((fault) => fault.startsWith(' must NOT have additional')))
})

test('the JSON schema accepts the example, and what it shows as defaults', () => {
  const example = read('config.example.yml')
  assert.deepEqual(faultsOf(example), [])
  assert.deepEqual(faultsOf(example.replace(/^(\s*)#(?=[a-z])/gm, '$1')), [])
})

test('the JSON schema refuses what the loader refuses, at its place', () => {
  const faults = faultsOf(fixture('misspelt')).map((fault) => fault.split(' ')[0])
  for (const place of [
    '/server', // an unknown key
    '/log/level',
    '/totp/digits',
    '/totp/period',
    '/regulation/max_retries',
    '/regulation',
    '/notifier/smtp/sender',
    '/identity_providers/oidc/clients/0',
    '/identity_providers/oidc/clients/0/response_types/0',
    '/identity_providers/oidc/clients/0/consent_mode',
    '/access_control/default_policy',
    '/session/cookies/0/authelia_url',
  ])
    assert.ok(faults.includes(place), place)
  const refused = new Set(faultsOf(fixture('company-directory')).map((f) => f.split(' ')[0]))
  for (const key of ['authentication_backend/ldap'])
    assert.ok(
      [...refused].some((place) => place?.startsWith(`/${key}`)),
      key,
    )
})

test('the JSON schema never refuses what the loader accepts', async (t) => {
  // Of a key without a value, and of what is read as it was meant, it knows nothing: an editor may point at these.
  const values = fc.constantFrom<Json>(
    ...['', 'x', '5', '1h', '-1', 'none', 'https://a.example.com', '10.0.0.0/8', 'tcp://:1'],
    ...[0, 1, 5, 30, -1, 0.5, true, false],
    ...[[], ['x'], [6], {}, { x: 'x' }],
  )
  const names = ['second-factors', 'limits', 'multi-domain', 'old-4.36-template', 'openid-clients']
  const roots = names.map((name): Json => parse(fixture(name)))
  const change = fc
    .nat()
    .chain((root) =>
      fc.record({ root: fc.constant(root % roots.length), place: fc.nat(), to: values }),
    )
  let accepted = 0
  await fc.assert(
    fc.asyncProperty(change, async ({ root: index, place, to }) => {
      const root = roots[index] ?? null
      const places = placesOf(root)
      const path = places[place % places.length] ?? []
      const text = stringify(mutate(root, path, { kind: 'retype', to }), { lineWidth: 0 })
      const result = await load(t, { 'c.yml': text }, { features })
      const was = find(treeOf(root, { source: '' }) as MapTree, path).tree // of a map
      // An editor points at a value of another type, which the loader may read as it was meant.
      const typesOf = (value: Json): string => [value].flat().map((one) => typeof one)[0] ?? ''
      const isOtherForm =
        was?.kind !== 'map' && typesOf(was ? (toPlain(was) as Json) : null) !== typesOf(to)
      const isOtherShape = was?.kind === 'list' && !Array.isArray(to)
      if (result.text !== '' || to === '' || isOtherForm || isOtherShape) return
      accepted++
      assert.deepEqual(
        faultsOf(text),
        [],
        `${names[index]} ${path.join('.')} ${JSON.stringify(to)}`,
      )
    }),
    { numRuns: 500 },
  )
  assert.ok(accepted > 10, 'otherwise nothing was shown')
})
