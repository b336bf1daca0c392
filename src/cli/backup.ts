import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { DATABASE, USERS } from '../backup/manifest.ts'
import { manifestOf, writeArchive } from '../backup/write-archive.ts'
import { formatFaults } from '../config/index.ts'
import { usersFileOf } from '../features/users/index.ts'
import type { Config } from '../features.ts'
import { fsyncDirectorySync } from '../files/directory-sync.ts'
import { systemClock } from '../kernel/clock.ts'
import { OperatorError, systemCode } from '../kernel/operator-error.ts'
import { passphraseOf } from './backup-passphrase.ts'
import { load } from './config.ts'
import type { Cli, Configure } from './invocation.ts'
import { placesOf } from './storage.ts'
import { version } from './version.ts'

interface Options {
  readonly passphraseFile?: string
  readonly force?: true
  readonly withoutPostgres?: true
}

export const configure: Configure = (command, cli) => {
  command
    .argument('<file>', 'the archive, such as backup.tar.gz or backup.tar.gz.age')
    .option('--passphrase-file <file>', 'encrypts it (age, with a passphrase)')
    .option('--without-postgres', 'what is on this machine; PostgreSQL is backed up by pg_dump')
    .option('--force', 'replace the archive when it is there already')
    .action((file: string) => backUp(cli, file, command.opts<Options>()))
}

async function backUp(cli: Cli, file: string, options: Options): Promise<void> {
  const passphrase = passphraseOf(cli, options.passphraseFile)
  const loaded = await load(cli)
  if (!loaded.ok) {
    cli.complain(`${formatFaults(loaded.faults)}\n`)
    return cli.finish(1)
  }
  const { config, sources } = loaded
  if (config['storage'].postgres !== undefined && options.withoutPostgres !== true)
    throw new OperatorError(
      'users, factors and sessions are in PostgreSQL (storage.postgres), which this command does not copy',
      'back it up with pg_dump at the same time, and give --without-postgres for secrets, users file and configuration',
    )
  const target = resolve(cli.cwd, file)
  if (existsSync(target) && options.force !== true)
    throw new OperatorError(`${target} exists already`, 'it was left alone; --force replaces it')
  const { directory } = placesOf(cli, config)
  if (!existsSync(directory))
    throw new OperatorError(`there is no data directory ${directory}`, 'see data_directory')
  // Beside the data, and as private: the copies hold secrets.
  const folder = mkdtempSync(join(directory, 'backup.draft-'))
  const draft = `${target}.draft-${basename(folder).slice(-6)}`
  try {
    const names = copyAll(folder, { cli, config, directory, sources })
    const now = new Date(systemClock.now()).toISOString()
    const manifest = await manifestOf(folder, names, version(), now)
    await writeArchive(draft, folder, manifest, passphrase)
    place(draft, target, options.force === true)
    const { size } = statSync(target)
    cli.print(
      `${target}: ${names.length} files, ${size} bytes${passphrase ? ', encrypted' : ''}.\n`,
    )
    if (passphrase === undefined)
      cli.print('It holds secrets and digests in the clear: no other user may read it.\n')
  } catch (error) {
    if (error instanceof OperatorError || systemCode(error) === '') throw error
    throw new OperatorError(`the backup cannot be made (${systemCode(error)})`, undefined, {
      cause: error,
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
    rmSync(draft, { force: true })
  }
}

interface Source {
  readonly cli: Cli
  readonly config: Config
  readonly directory: string
  /** The files of the configuration. */
  readonly sources: readonly string[]
}

/** The database first: what is newer in the users file than in the database ends sessions, and starts none. */
function copyAll(folder: string, { cli, config, directory, sources }: Source): readonly string[] {
  const names: string[] = []
  const { path: database } = placesOf(cli, config).options
  if (existsSync(database)) {
    copyDatabase(database, join(folder, DATABASE))
    names.push(DATABASE)
  }
  const users = usersFileOf(config['authentication_backend.file'].path, directory, cli.cwd)
  const copy = (from: string, name: string) => {
    mkdirSync(dirname(join(folder, name)), { recursive: true, mode: 0o700 })
    copyFileSync(from, join(folder, name))
    names.push(name)
  }
  if (existsSync(users)) copy(users, USERS)
  const secrets = join(directory, 'secrets')
  for (const name of existsSync(secrets) ? readdirSync(secrets).sort() : [])
    if (/^[a-z0-9][a-z0-9_.-]*$/.test(name)) copy(join(secrets, name), `secrets/${name}`)
  for (const [index, source] of sources.entries()) {
    const name = basename(source).replaceAll(/[^A-Za-z0-9_.-]/g, '_')
    copy(source, `config/${String(index + 1).padStart(2, '0')}-${name}`)
  }
  if (names.length === 0)
    throw new OperatorError('there is nothing to back up', 'see data_directory and --config')
  return names
}

/** One moment of the database, also while a server writes to it. */
function copyDatabase(from: string, to: string): void {
  const sqlite = new DatabaseSync(from, { timeout: 10_000 })
  try {
    sqlite.prepare('vacuum into ?').run(to)
  } catch (error) {
    throw new OperatorError(
      `the database ${from} cannot be copied: ${error instanceof Error ? error.message : ''}`,
      undefined,
      { cause: error },
    )
  } finally {
    sqlite.close()
  }
}

function place(draft: string, target: string, force: boolean): void {
  if (force) renameSync(draft, target)
  else linkSync(draft, target)
  fsyncDirectorySync(dirname(target))
}
