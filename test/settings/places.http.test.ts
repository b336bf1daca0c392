/** Where a session is, from a file of locations. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createPlaces } from '../../src/features/settings/index.ts'
import { loadForStart } from '../../src/server/start-checks.ts'
import { buildApp } from '../support/app.ts'
import { mmdb } from '../support/mmdb.ts'
import { usersYaml } from '../support/users.ts'

const folder = mkdtempSync(join(tmpdir(), 'vestibule-places-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const path = join(folder, 'city.mmdb')
writeFileSync(
  path,
  mmdb({
    '127.0.0.0/8': {
      city: { names: { en: 'Cologne', de: 'Köln' } },
      country: { names: { en: 'Germany', de: 'Deutschland' } },
    },
    '192.0.2.0/24': { country: { names: { en: '<b>Nowhere' } } },
    '198.51.100.0/24': { city: { names: { de: 'Nur' } } },
  }),
)

test('city and country are named in the language, else in English, and nothing is said of other addresses', async () => {
  let warnings = 0
  const log = {
    warn: () => {
      warnings++
    },
  }
  const places = createPlaces(path, log)
  const german = await places.load('de')
  assert.equal(german('127.0.0.1'), 'Köln, Deutschland')
  assert.equal((await places.load('ja'))('127.0.0.1'), 'Cologne, Germany')
  for (const address of ['10.0.0.1', '', 'x', '::1'])
    assert.equal(german(address), undefined, address)
  assert.equal((await places.load('en'))('198.51.100.1'), undefined)
  assert.equal(warnings, 0)
  const broken = createPlaces(join(folder, 'none.mmdb'), log)
  assert.equal((await broken.load('en'))('127.0.0.1'), undefined)
  assert.equal((await broken.load('en'))('127.0.0.1'), undefined)
  assert.equal(warnings, 1)
})

test('the page of sessions says where, and says the address alone without the file', async (t) => {
  const users = await usersYaml({ john: {} })
  const pageOf = async (config: Readonly<Record<string, unknown>>) => {
    const app = await buildApp(t, { config, users })
    const Cookie = await app.signIn('john')
    const { body } = await app.request('/settings/sessions', {
      headers: { Host: 'auth.vestibule.localhost:9091', Cookie },
    })
    return body
  }
  assert.match(await pageOf({ location_database: path }), /From 127\.0\.0\.1, Cologne, Germany</)
  assert.match(await pageOf({}), /From 127\.0\.0\.1</)
})

test('a file that is none is refused at the start', async () => {
  const config = join(folder, 'config.yml')
  const faultsOf = async (file: string) => {
    writeFileSync(
      config,
      JSON.stringify({
        location_database: file,
        session: {
          cookies: [{ domain: 'example.com', portal_url: 'https://auth.example.com' }],
        },
        access_control: { default_policy: 'one_factor' },
      }),
    )
    const loaded = await loadForStart({ files: [config], env: {}, cwd: folder })
    return loaded.ok
      ? ''
      : loaded.faults.map(({ path: at, message }) => `${at} ${message}`).join('\n')
  }
  assert.equal(await faultsOf(path), '')
  assert.match(await faultsOf(config), /location_database .* is no mmdb file/)
  assert.match(await faultsOf('/nowhere/city.mmdb'), /location_database .* cannot be read: ENOENT/)
})
