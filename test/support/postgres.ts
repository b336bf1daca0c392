/** A real PostgreSQL for a test: its own folder, a free port on the loopback, gone with the test. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { chownSync, globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { z } from 'zod'
import { type PostgresConfig, postgres as schema } from '../../src/storage/postgres-config.ts'
import { freePort } from './nginx.ts'

/** Debian keeps a version's programs in a folder of its own. */
const [BIN] = globSync('/usr/lib/postgresql/*/bin/initdb')
  .sort()
  .reverse()
  .map((path) => path.slice(0, -'/initdb'.length))

/** Why tests that need it can't run here; undefined when they can. */
export const missingPostgres = BIN === undefined ? 'postgresql is not installed' : undefined

export const PASSWORD = 'a password of the database'

export interface Postgres {
  readonly port: number
  /** The folder of its socket, its settings and its data. */
  readonly folder: string
  /** The section `storage.postgres` as it is written, for a database that is new and empty. */
  section(more?: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>>
  /** As `section`, read. */
  config(more?: Readonly<Record<string, unknown>>): Promise<PostgresConfig>
  /** As its superuser. */
  ask(sql: string, database?: string): Promise<Record<string, unknown>[]>
  /** Ends it at once, as a crash would. */
  stop(): Promise<void>
  start(): Promise<void>
}

/** Reads a section as the configuration does. */
export const readSection = (section: unknown): PostgresConfig => z.parse(schema(), section)

/** @param settings of postgresql.conf, besides those of a test */
export async function startPostgres(
  t: Pick<TestContext, 'after'>,
  settings: Readonly<Record<string, string>> = {},
  files: Readonly<Record<string, string>> = {},
): Promise<Postgres> {
  const folder = mkdtempSync(join(tmpdir(), 'vestibule-postgres-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const port = await freePort()
  const asOther = becomeOther()
  const own = (path: string) => {
    if (asOther !== undefined) chownSync(path, asOther.uid, asOther.gid)
  }
  own(folder)
  for (const [name, text] of Object.entries({ ...files, password: PASSWORD })) {
    writeFileSync(join(folder, name), text, { mode: 0o600 })
    own(join(folder, name))
  }
  const command = (program: string, args: readonly string[]): [string, string[]] => {
    const path = `${BIN}/${program}`
    return asOther === undefined
      ? [path, [...args]]
      : ['setpriv', [...asOther.flags, '--', path, ...args]]
  }
  const data = join(folder, 'data')
  const [initdb, args] = command('initdb', [
    ...['-D', data, '-U', 'postgres', '--auth=scram-sha-256', '--pwfile', join(folder, 'password')],
    ...['--encoding=UTF8', '--locale=C.UTF-8', '--no-sync', '--no-instructions'],
  ])
  execFileSync(initdb, args, { stdio: 'pipe', cwd: folder })
  const all = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: folder,
    // Nothing of it outlives the test.
    fsync: 'off',
    shared_buffers: '16MB',
    ...settings,
  }
  let child: ChildProcess | undefined
  let output = ''
  const stop = async () => {
    const running = child
    child = undefined
    if (running === undefined || running.exitCode !== null) return
    const ended = new Promise((resolve) => running.once('exit', resolve))
    running.kill('SIGQUIT')
    await ended
  }
  const start = async () => {
    const [postgres, args] = command('postgres', [
      ...['-D', data],
      ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ])
    const one = spawn(postgres, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    child = one
    for (const stream of [one.stdout, one.stderr])
      stream.on('data', (chunk: Buffer) => {
        output = `${output}${chunk}`.slice(-10_000)
      })
    for (let tries = 0; tries < 400; tries++) {
      if (one.exitCode !== null) throw new Error(`postgres ended: ${output}`)
      try {
        await ask('select 1')
        return
      } catch {
        await sleep(25)
      }
    }
    throw new Error(`postgres does not answer: ${output}`)
  }
  const ask = async (sql: string, database = 'postgres') => {
    const client = new pg.Client({
      host: '127.0.0.1',
      port,
      user: 'postgres',
      password: PASSWORD,
      database,
    })
    client.on('error', () => {})
    await client.connect()
    try {
      const result = await client.query<Record<string, unknown>>(sql)
      return result.rows ?? []
    } finally {
      await client.end()
    }
  }
  t.after(stop)
  await start()
  let databases = 0
  const section = async (more: Readonly<Record<string, unknown>> = {}) => {
    const name = `vestibule_${++databases}`
    await ask(`create database ${name}`)
    return {
      address: `tcp://127.0.0.1:${port}`,
      database: name,
      username: 'postgres',
      password: PASSWORD,
      ...more,
    }
  }
  return {
    port,
    folder,
    section,
    config: async (more) => readSection(await section(more)),
    ask,
    stop,
    start,
  }
}

/** PostgreSQL refuses to run as root. */
function becomeOther(): { uid: number; gid: number; flags: string[] } | undefined {
  if (process.getuid?.() !== 0) return undefined
  for (const name of ['postgres', 'nobody']) {
    const { status, stdout } = spawnSync('getent', ['passwd', name], { encoding: 'utf8' })
    const [, , uid, gid] = stdout?.split(':') ?? []
    if (status === 0 && uid !== undefined && gid !== undefined)
      return {
        uid: Number(uid),
        gid: Number(gid),
        flags: [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'],
      }
  }
  return undefined
}
