import assert from 'node:assert/strict'
import test from 'node:test'
import { configReference } from '../../src/config/reference.ts'
import { configSchema, type JsonSchema, shortDuration } from '../../src/config/schema.ts'
import { house } from './house.ts'

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

test('milliseconds read as one would write them', () => {
  const cases = { 1: '1ms', 1000: '1s', 90000: '90s', 300000: '5m', 3600000: '1h', 86400000: '1d' }
  for (const [ms, text] of Object.entries(cases)) assert.equal(shortDuration(Number(ms)), text)
})
