import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { suite, type TestContext, test } from 'node:test'
import { AppError } from '../../src/kernel/errors.ts'
import type { Migration } from '../../src/kernel/feature.ts'
import { OperatorError } from '../../src/kernel/operator-error.ts'
import { openStorage, trustedCertificates } from '../../src/storage/index.ts'
import type { PostgresConfig } from '../../src/storage/postgres-config.ts'
import { fruitMigrations } from '../conformance/storage.ts'
import { suiteCleanup } from '../support/cleanup.ts'
import { freePort } from '../support/nginx.ts'
import { settlesWithin } from '../support/pace.ts'
import { missingPostgres, type Postgres, readSection, startPostgres } from '../support/postgres.ts'
import { folderWith } from '../support/program.ts'

const log = { info() {} }

const open = async (
  t: TestContext,
  postgres: PostgresConfig,
  migrations: Readonly<Record<string, Migration>> = fruitMigrations,
  trusted?: readonly string[],
) => {
  const storage = await openStorage({ path: ':memory:', postgres, migrations, log, trusted })
  t.after(() => storage.close())
  return storage
}

const refusal =
  (message: RegExp, hint = /./) =>
  (error: unknown) => {
    assert.ok(error instanceof OperatorError, String(error))
    assert.match(error.message, message)
    assert.match(error.hint ?? '', hint)
    assert.doesNotMatch(`${error.message} ${error.hint}`, /a password of the database|wrong one/)
    return true
  }

const isUnavailable = (error: unknown) => {
  assert.ok(error instanceof AppError, String(error))
  assert.equal(error.code, 'STORE_UNAVAILABLE')
  return true
}

/** A key, and a certificate of it. */
function certificate(t: TestContext, name: string): { key: string; cert: string } {
  const folder = folderWith(t, {})
  const [key, cert] = [join(folder, 'server.key'), join(folder, 'server.crt')]
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-keyout', key, '-out', cert, '-days', '2', '-subj', `/CN=${name}`],
      ...['-addext', `subjectAltName=DNS:${name}`],
    ],
    { stdio: 'pipe' },
  )
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
}

/** Between us and a server: passes everything on, or, frozen, nothing, and closes nothing. */
async function startRelay(t: TestContext, to: number) {
  const sockets = new Set<net.Socket>()
  let frozen = false
  const relay = net.createServer((near) => {
    const far = net.connect(to, '127.0.0.1')
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one)
      one.on('data', (chunk) => {
        if (!frozen) other.write(chunk)
      })
      one.on('error', () => {})
      one.on('close', () => other.destroy())
    }
  })
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    relay.close()
  })
  const { port } = relay.address() as net.AddressInfo // a TCP server has one
  return {
    port,
    freeze() {
      frozen = true
    },
    thaw() {
      frozen = false
    },
  }
}

suite('PostgreSQL at start', { skip: missingPostgres }, () => {
  const cleanup = suiteCleanup()
  let started: Promise<Postgres> | undefined
  const postgres = () => {
    started ??= startPostgres(cleanup)
    return started
  }

  test('is refused with what to look at when the password is wrong, or missing', async (t) => {
    const section = await (await postgres()).section()
    await assert.rejects(
      open(t, readSection({ ...section, password: 'wrong one' })),
      refusal(
        /refuses the user "postgres": password authentication failed/,
        /storage\.postgres\.p/,
      ),
    )
    await assert.rejects(
      open(t, readSection({ ...section, password: undefined })),
      refusal(/asks for a password/, /storage\.postgres\.password is not set/),
    )
  })

  test('is refused when there is no such database or schema', async (t) => {
    const server = await postgres()
    await assert.rejects(
      open(t, await server.config({ database: 'nowhere' })),
      refusal(/has no database "nowhere"/, /createdb/),
    )
    await assert.rejects(
      open(t, await server.config({ schema: 'nowhere' })),
      refusal(/has no schema "nowhere"/, /storage\.postgres\.schema/),
    )
  })

  test('is refused when its user may not make tables', async (t) => {
    const server = await postgres()
    await server.ask("create role guest login password 'guest'")
    await assert.rejects(
      open(t, await server.config({ username: 'guest', password: 'guest' })),
      refusal(/"guest" may not use the schema "public".*permission denied/, /GRANT/),
    )
  })

  test('is refused when nobody answers there, and soon', async (t) => {
    const server = await postgres()
    const closed = await server.config({ address: `127.0.0.1:${await freePort()}` })
    await assert.rejects(open(t, closed), refusal(/cannot be reached \(ECONNREFUSED\)/, /address/))
    // Takes the connection and says nothing.
    const sockets = new Set<net.Socket>()
    const hole = net.createServer((socket) => sockets.add(socket)).listen(0, '127.0.0.1')
    t.after(() => {
      for (const socket of sockets) socket.destroy()
      hole.close()
    })
    await new Promise((resolve) => hole.once('listening', resolve))
    // A TCP server has an address of this form.
    const { port } = hole.address() as net.AddressInfo
    const config = await server.config({ address: `127.0.0.1:${port}`, timeout: '300ms' })
    const refused = () => assert.rejects(open(t, config), refusal(/cannot be reached/))
    assert.equal(await settlesWithin(3_000, refused), true)
  })

  test('is refused when a newer version wrote it, and when it is another program’s', async (t) => {
    const server = await postgres()
    const config = await server.config()
    const later = { '0002_later': { up: async () => {} } }
    await (
      await openStorage({
        path: ':memory:',
        postgres: config,
        log,
        migrations: { ...fruitMigrations, ...later },
      })
    ).close()
    await assert.rejects(
      open(t, config),
      refusal(/newer version of Vestibule \(migration "0002_later"\)/, /backup/),
    )
    const other = await server.config()
    await server.ask('create table user_opaque_identifier (id integer)', other.database)
    await assert.rejects(
      open(t, other),
      refusal(/belongs to another program \(it has a table "user_opaque_identifier"\)/, /schema/),
    )
    // A schema of its own is the way out.
    await server.ask('create schema "My ""own"" schema"', other.database)
    const storage = await open(t, { ...other, schema: 'My "own" schema' })
    const [row] = await server
      .ask('select * from "My ""own"" schema".fruit', other.database)
      .then(() => [1])
    assert.equal(row, 1)
    await storage.check()
  })

  test('that an older set of migrations made gets those it lacks, whatever their numbers', async (t) => {
    const server = await postgres()
    const set = (numbers: readonly number[]) =>
      Object.fromEntries(
        numbers.map((number): [string, Migration] => [
          `000${number}_t${number}`,
          {
            up: (db, columns) =>
              columns.table(db, `t${number}`).addColumn('a', columns.text).execute(),
          },
        ]),
      )
    for (const numbers of [[1, 5], [3], [2, 3]]) {
      const config = await server.config()
      const older = { path: ':memory:', postgres: config, migrations: set(numbers), log }
      await (await openStorage(older)).close()
      const said: unknown[] = []
      const storage = await openStorage({
        path: ':memory:',
        postgres: config,
        migrations: set([1, 2, 3, 5]),
        log: {
          info: (fields: { store?: string; migration?: string }) => {
            if (fields.store === 'postgres') said.push(fields.migration)
          },
        },
      })
      t.after(() => storage.close())
      const missing = [1, 2, 3, 5].filter((number) => !numbers.includes(number))
      assert.deepEqual(said, Object.keys(set(missing)), `made by ${numbers}`)
      for (const number of [1, 2, 3, 5])
        await server.ask(`select * from t${number}`, config.database)
    }
  })

  test('is migrated once by three that start together, and not at all when one fails', async (t) => {
    const server = await postgres()
    const config = await server.config()
    const said: unknown[] = []
    const slow = (n: number): Migration => ({
      up: async (db, columns) => {
        await columns.table(db, `t${n}`).addColumn('a', columns.text).execute()
        await new Promise((resolve) => setTimeout(resolve, 50))
      },
    })
    const migrations = { '0001_a': slow(1), '0002_b': slow(2) }
    const stores = await Promise.all(
      [1, 2, 3].map(() =>
        openStorage({
          path: ':memory:',
          postgres: config,
          migrations,
          log: { info: (fields: { store?: string; migration?: string }) => void said.push(fields) },
        }),
      ),
    )
    for (const storage of stores) await storage.close()
    const done = said.filter((fields) => JSON.stringify(fields).includes('postgres'))
    assert.deepEqual(done, [
      { store: 'postgres', migration: '0001_a' },
      { store: 'postgres', migration: '0002_b' },
    ])
    const broken: Migration = {
      up: async (db, columns) => {
        await columns.table(db, 'half').addColumn('a', columns.text).execute()
        if (columns.dialect === 'postgres') throw new Error('power cut')
      },
    }
    await assert.rejects(open(t, config, { ...migrations, '0003_c': broken }), /power cut/)
    const half = await server.ask(
      "select 1 from pg_tables where tablename = 'half'",
      config.database,
    )
    assert.deepEqual(half, [])
  })

  test('leaves in the embedded file what belongs there', async (t) => {
    const server = await postgres()
    const config = await server.config()
    const storage = await open(t, config, {
      '0000_own': {
        embedded: true,
        up: (db, columns) => columns.table(db, 'own').addColumn('a', columns.text).execute(),
      },
      ...fruitMigrations,
    })
    const tables = storage.sqlite
      .prepare("select name from sqlite_schema where type = 'table'")
      .all()
    assert.ok(tables.some(({ name }) => name === 'own'))
    const shared = await server.ask(
      "select tablename from pg_tables where schemaname = 'public' order by 1",
      config.database,
    )
    assert.deepEqual(
      shared.map(({ tablename }) => tablename),
      ['fruit', 'vestibule_migrations'],
    )
  })

  test('is reached by its socket', async (t) => {
    const server = await postgres()
    for (const path of [server.folder, join(server.folder, `.s.PGSQL.${server.port}`)]) {
      if (path === server.folder && server.port !== 5432) continue
      await (await open(t, await server.config({ address: `unix://${path}` }))).check()
    }
  })
})

suite('PostgreSQL that fails while it is used', { skip: missingPostgres }, () => {
  test('is "unavailable" until it is back, and nothing hangs or ends the process', async (t) => {
    const server = await startPostgres(t)
    const storage = await open(t, await server.config({ timeout: '400ms' }))
    const db = (await storage.db()).$extendTables<{
      fruit: { name: string; seen_at: number; stone: Uint8Array | null }
    }>()
    const ask = () => db.selectFrom('fruit').selectAll().execute()
    const add = (name: string) =>
      storage.transaction(async (tx) => {
        const inside = tx.$extendTables<{ fruit: { name: string; seen_at: number } }>()
        await inside.insertInto('fruit').values({ name, seen_at: 0 }).execute()
      })
    await add('before')
    // In the middle of a transaction, with connections lying idle.
    const cut = storage.transaction(async (tx) => {
      const inside = tx.$extendTables<{ fruit: { name: string; seen_at: number } }>()
      await inside.insertInto('fruit').values({ name: 'half', seen_at: 0 }).execute()
      await server.stop()
      await inside.insertInto('fruit').values({ name: 'other half', seen_at: 0 }).execute()
    })
    await assert.rejects(cut, isUnavailable)
    await assert.rejects(ask(), isUnavailable)
    await assert.rejects(add('meanwhile'), isUnavailable)
    await assert.rejects(storage.check(), isUnavailable)
    await server.start()
    await storage.check()
    assert.deepEqual(
      (await ask()).map(({ name }) => name),
      ['before'],
    )
  })

  test('may not take longer than the timeout over a statement, a lock or a connection', async (t) => {
    const server = await startPostgres(t)
    const config = await server.config({ timeout: '300ms' })
    const storage = await open(t, config)
    const { sql } = await import('kysely')
    const db = await storage.db()
    const slow = () => assert.rejects(sql`select pg_sleep(20)`.execute(db), isUnavailable)
    assert.equal(await settlesWithin(5_000, slow), true)
    const holding = Promise.withResolvers<void>()
    const held = storage.transaction(() => holding.promise, { locks: ['a'] })
    // More than there are connections: the last wait for one, and give up too.
    const locked = async () => {
      const waiting = await Promise.allSettled(
        Array.from({ length: 30 }, () => storage.transaction(async () => {}, { locks: ['a'] })),
      )
      for (const one of waiting) assert.ok(one.status === 'rejected' && isUnavailable(one.reason))
    }
    assert.equal(await settlesWithin(5_000, locked), true)
    holding.resolve()
    await held
    await storage.transaction(async () => {}, { locks: ['a'] })
  })

  test('may fall silent: what is asked ends, and so does what is asked behind it', async (t) => {
    const server = await startPostgres(t)
    const relay = await startRelay(t, server.port)
    const address = `127.0.0.1:${relay.port}`
    const storage = await open(t, await server.config({ address, timeout: '300ms' }))
    await storage.check()
    relay.freeze()
    const silent = async () => {
      const asked = Array.from({ length: 30 }, () => storage.check())
      for (const one of await Promise.allSettled(asked))
        assert.ok(one.status === 'rejected' && isUnavailable(one.reason))
    }
    assert.equal(await settlesWithin(3_000, silent), true)
    relay.thaw()
    await storage.check()
  })

  test('is replaced by the next server, and a standby is passed over', async (t) => {
    const [first, second] = await Promise.all([startPostgres(t), startPostgres(t)])
    const section = await first.section({ timeout: '1s' })
    // Of the same name there too.
    const { database } = await second.config()
    assert.equal(database, section['database'])
    const config = readSection({
      ...section,
      servers: [{ address: `tcp://127.0.0.1:${second.port}` }],
    })
    await (
      await openStorage({
        path: ':memory:',
        postgres: readSection({ ...section, address: `127.0.0.1:${second.port}` }),
        migrations: fruitMigrations,
        log,
      })
    ).close()
    const storage = await open(t, config)
    await storage.check()
    const port = async () => {
      const { sql } = await import('kysely')
      const { rows } = await sql<{ port: number }>`select inet_server_port() as port`.execute(
        await storage.db(),
      )
      return rows[0]?.port
    }
    assert.equal(await port(), first.port)
    await first.stop()
    writeFileSync(join(first.folder, 'data', 'standby.signal'), '')
    await first.start()
    assert.equal(await port(), second.port)
    await second.stop()
    await assert.rejects(storage.check(), isUnavailable)
    await assert.rejects(open(t, { ...config, servers: [] }), refusal(/is a standby/, /primary/))
  })
})

suite('TLS to PostgreSQL', { skip: missingPostgres }, () => {
  test('is what was asked for, or nothing', async (t) => {
    const { key, cert } = certificate(t, 'db.example.com')
    const client = certificate(t, 'guarded')
    const server = await startPostgres(
      t,
      {},
      { 'server.key': key, 'server.crt': cert, 'clients.crt': client.cert },
    )
    const plain = await server.section()
    await assert.rejects(
      open(t, readSection({ ...plain, tls: {} })),
      refusal(/does not speak TLS/, /storage\.postgres\.tls/),
    )
    for (const [name, value] of [
      ['ssl', 'on'],
      ['ssl_key_file', join(server.folder, 'server.key')],
      ['ssl_cert_file', join(server.folder, 'server.crt')],
      ['ssl_ca_file', join(server.folder, 'clients.crt')],
    ])
      await server.ask(`alter system set ${name} = '${value}'`)
    writeFileSync(
      join(server.folder, 'data', 'pg_hba.conf'),
      'host all postgres 127.0.0.1/32 scram-sha-256\nhostssl all guarded 127.0.0.1/32 cert\nhostssl all guest 127.0.0.1/32 scram-sha-256\n',
    )
    await server.stop()
    await server.start()
    const trusted = trustedCertificates(folderWith(t, { 'own.crt': cert }))
    const encrypted = async (tls: unknown) => {
      const storage = await open(t, await server.config({ tls }), fruitMigrations, trusted)
      const { sql } = await import('kysely')
      const { rows } = await sql<{ version: string }>`
        select version from pg_stat_ssl where pid = pg_backend_pid()`.execute(await storage.db())
      return rows[0]?.version
    }
    // Trusted, but of another name than the address.
    await assert.rejects(encrypted({}), refusal(/is not trusted.*127\.0\.0\.1/, /server_name/))
    assert.match((await encrypted({ server_name: 'db.example.com' })) ?? '', /^TLSv1\.[23]$/)
    assert.equal(
      await encrypted({ server_name: 'db.example.com', maximum_version: 'TLS1.2' }),
      'TLSv1.2',
    )
    assert.match((await encrypted({ skip_verify: true })) ?? '', /^TLS/)
    await assert.rejects(
      open(t, await server.config({ tls: { server_name: 'db.example.com' } })),
      refusal(/is not trusted: self-signed certificate/, /certificates_directory/),
    )
    // Whoever may come with TLS only says so.
    await server.ask("create role guest login password 'guest'")
    await assert.rejects(
      open(t, await server.config({ username: 'guest', password: 'guest' })),
      refusal(/refuses the user "guest".*no encryption/, /tls/),
    )
    // A certificate in place of a password.
    await server.ask('create role guarded login createdb')
    const guarded = await server.section({ username: 'guarded', password: undefined })
    await server.ask(`alter database ${guarded['database']} owner to guarded`)
    const name = { server_name: 'db.example.com' }
    await assert.rejects(
      open(t, readSection({ ...guarded, tls: name }), {}, trusted),
      OperatorError,
    )
    const tls = { ...name, private_key: client.key, certificate_chain: client.cert }
    await (await open(t, readSection({ ...guarded, tls }), fruitMigrations, trusted)).check()
    const mixed = { ...tls, private_key: key }
    assert.throws(() => readSection({ ...guarded, tls: mixed }), /another key than private_key/)
    assert.throws(() => readSection({ ...guarded, tls: { private_key: key } }), /needs both/)
  })
})
