import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import {
  identifiersYaml,
  newIdentifier,
  openIdentifiers,
  parseIdentifier,
  readIdentifiers,
} from '../../src/features/identifiers/index.ts'
import manifest from '../../src/features/identifiers/manifest.ts'
import { OperatorError } from '../../src/kernel/operator-error.ts'
import { openStorage } from '../../src/storage/index.ts'
import type { PostgresConfig } from '../../src/storage/postgres-config.ts'
import { suiteCleanup } from '../support/cleanup.ts'
import { missingPostgres, type Postgres, startPostgres } from '../support/postgres.ts'

const john = { service: 'openid', sector: '', user: 'john' } as const
const mary = { ...john, user: 'mary' }
const JOHN = 'a3ee2b9c-3b0b-4a8d-9d5a-8c0a0f0a5f01'
const MARY = '0d6a6f0e-5d8f-4c2b-bb1a-1f3c1d2e3f40'
const refusal = (pattern: RegExp) => (error: unknown) =>
  error instanceof OperatorError && pattern.test(error.message)

function conformance(
  name: string,
  database: () => Promise<{ path: string; postgres?: PostgresConfig }>,
): void {
  const open = async (t: TestContext) => {
    const { migrations } = manifest
    const storage = await openStorage({ ...(await database()), migrations, log: { info() {} } })
    t.after(() => storage.close())
    return openIdentifiers(storage)
  }

  suite(`opaque identifiers (${name})`, () => {
    test('are random UUIDs, one for each user and sector, and stay', async (t) => {
      const identifiers = await open(t)
      const owners = [john, mary, { ...john, sector: 'app.example.com' }]
      const made = await Promise.all(owners.map((owner) => identifiers.of(owner)))
      assert.equal(new Set(made).size, 3)
      for (const one of made) assert.equal(parseIdentifier(one), one)
      assert.deepEqual(await Promise.all(owners.map((owner) => identifiers.of(owner))), made)
    })

    test('are one for two that ask at the same moment', async (t) => {
      const identifiers = await open(t)
      const made = await Promise.all(Array.from({ length: 8 }, () => identifiers.of(john)))
      assert.equal(new Set(made).size, 1)
      assert.equal((await identifiers.list()).length, 1)
    })

    test('are added all or none: no user gets a second one, and none gets another user’s', async (t) => {
      const identifiers = await open(t)
      const all = [
        { ...john, identifier: JOHN },
        { ...mary, identifier: MARY },
      ]
      assert.equal(await identifiers.add(all), 2)
      assert.equal(await identifiers.add(all), 0)
      const ann = { ...john, user: 'ann', identifier: newIdentifier() }
      await assert.rejects(
        identifiers.add([ann, { ...john, identifier: newIdentifier() }]),
        refusal(/"john" has another identifier already/),
      )
      await assert.rejects(
        identifiers.add([ann, { ...john, user: 'eve', identifier: MARY }]),
        refusal(/belongs to another user already/),
      )
      assert.deepEqual(await identifiers.list(), all)
      assert.equal(await identifiers.of(mary), MARY)
    })

    test('are the same after an export and an import', async (t) => {
      const identifiers = await open(t)
      for (const owner of [john, mary, { ...john, sector: 'b.example.com', user: "o'neil: #1" }])
        await identifiers.of(owner)
      const all = await identifiers.list()
      assert.deepEqual(await readIdentifiers(await identifiersYaml(all)), all)
    })
  })
}

conformance('SQLite', async () => ({ path: ':memory:' }))

suite('PostgreSQL', { skip: missingPostgres }, () => {
  const cleanup = suiteCleanup()
  let server: Promise<Postgres> | undefined
  conformance('PostgreSQL', async () => {
    server ??= startPostgres(cleanup)
    return { path: ':memory:', postgres: await (await server).config() }
  })
})

test('what is no file of identifiers is refused, with the place', async () => {
  const row = { service: 'openid', sector_id: '', username: 'john', identifier: JOHN }
  for (const [text, pattern] of [
    ['', /^the file: /],
    ['identifiers: [', /^the file is no YAML: /],
    ['identifiers: {}', /^identifiers: /],
    [
      JSON.stringify({ identifiers: [row, { ...row, service: 'x' }] }),
      /^identifiers\.1\.service: /,
    ],
    [JSON.stringify({ identifiers: [{ ...row, username: '' }] }), /^identifiers\.0\.username: /],
    // Version 1: it tells a time and a machine.
    [
      JSON.stringify({ identifiers: [{ ...row, identifier: JOHN.replace('-4', '-1') }] }),
      /^identifiers\.0\.identifier: is no random UUID/,
    ],
    [`a: &a [${JOHN}]\nidentifiers: *a\n`, /^the file is no YAML|^identifiers/],
  ] as const)
    await assert.rejects(readIdentifiers(text), refusal(pattern), text)
})
