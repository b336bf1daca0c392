import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { formatFault, formatNotice } from '../config/index.ts'
import { readUsersFile } from '../features/users/index.ts'
import type { Config } from '../features.ts'
import { createPrivateFile } from '../files/atomic-write.ts'
import { openDataDirectory } from '../files/data-directory.ts'
import { findFile, ownConfig, readConfigFiles } from '../import/authelia-config.ts'
import { type AutheliaDatabase, readAutheliaDatabase } from '../import/authelia-database.ts'
import { type Factors, totpOnly, writeFactors } from '../import/factors.ts'
import { makeDirectory, refuseTaken } from '../import/new-directory.ts'
import type { ImportFault } from '../import/taken.ts'
import { systemClock } from '../kernel/clock.ts'
import { OperatorError } from '../kernel/operator-error.ts'
import { Secret } from '../kernel/secret.ts'
import { storageOptions } from '../server/database.ts'
import { openStorage } from '../storage/index.ts'
import {
  counted,
  type ImportWish,
  refuseFaults,
  sayLeft,
  textOf,
  wishOptions,
} from './import-report.ts'
import type { Cli, Configure } from './invocation.ts'

interface Options extends ImportWish {
  readonly to: string
  readonly users?: string
  readonly database?: string
  readonly encryptionKeyFile?: string
}

export const configure: Configure = (command, cli) => {
  wishOptions(command)
    .argument('<files...>', 'the configuration files of Authelia, later ones win')
    .option('--to <directory>', 'where configuration and data directory are made', 'vestibule')
    .option(
      '--users <file>',
      'the users file, where it is not the one that the configuration names',
    )
    .option(
      '--database <file>',
      'the SQLite database, where it is not the one of the configuration',
    )
    .option(
      '--encryption-key-file <file>',
      'a file that holds storage.encryption_key, where the configuration does not',
    )
    .action((files: string[]) => importAuthelia(cli, files, command.opts<Options>()))
}

async function importAuthelia(cli: Cli, files: readonly string[], options: Options): Promise<void> {
  const directory = resolve(cli.cwd, options.to)
  const force = options.force === true
  refuseTaken(directory, force)
  const found = await readAll(cli, files, options)
  if (found === undefined) return
  const { users, database } = found
  cli.print(
    `From Authelia: the configuration, ${counted(users.names.length, 'user')}, ` +
      `${counted(database.totp.length, 'user')} with one-time codes, ` +
      `${counted(database.keys.length, 'security key')}, ` +
      `${counted(database.identifiers.length, 'opaque identifier')}, ` +
      `${counted(database.preferences.size, 'preferred method')}, ${counted(database.bans.length, 'ban')}.\n`,
  )
  sayLeft(cli, [...found.warnings, ...database.left])
  if (options.apply !== true)
    return cli.print(`Nothing was written: --apply writes it to ${directory}.\n`)

  const config = await ownConfig(files, cli.cwd, { dataDirectory: join(directory, 'data') })
  const former = await makeDirectory(directory, force, async (draft) => {
    for (const { name, text } of config) createPrivateFile(join(draft, name), text)
    const own = await readConfigFiles(
      config.map(({ name }) => join(draft, name)),
      cli.cwd,
    )
    if ('faults' in own)
      throw new OperatorError(
        `the new configuration has faults: ${own.faults.map(formatFault).join(' ')}`,
      )
    await fillData(join(draft, 'data'), {
      cwd: cli.cwd,
      config: own.config,
      text: users.text,
      factors: database,
    })
  })
  if (former !== undefined) cli.print(`What was there is in ${former}.\n`)
  const written = config.map(({ name }) => join(directory, name)).join(',')
  cli.print(`Written. Start the server: vestibule serve --config ${written}\n`)
}

interface Filling {
  readonly cwd: string
  readonly config: Config
  /** Of the users file. */
  readonly text: string
  readonly factors: Factors
}

async function fillData(directory: string, { cwd, config, text, factors }: Filling): Promise<void> {
  mkdirSync(directory, { mode: 0o700 })
  const data = openDataDirectory(directory)
  const storage = await openStorage({
    ...storageOptions(config, { cwd, directory }),
    log: { info() {} },
  })
  try {
    await writeFactors({ config, directory, cwd, storage }, factors, false)
  } finally {
    await storage.close()
  }
  createPrivateFile(data.file('users.yml'), text)
}

interface FoundAll {
  readonly users: { readonly text: string; readonly names: readonly string[] }
  readonly database: AutheliaDatabase
  readonly warnings: readonly string[]
}

/** @returns undefined when something is wrong, which was said */
async function readAll(
  cli: Cli,
  files: readonly string[],
  options: Options,
): Promise<FoundAll | undefined> {
  const read = await readConfigFiles(files, cli.cwd)
  if ('faults' in read) {
    refuseFaults(cli, read.faults.map(formatFault))
    return undefined
  }
  const { config, warnings } = read
  const faults: (string | ImportFault)[] = []
  const users = await usersOf(cli, files, config, options, faults)
  const database = await databaseOf(cli, files, config, options).catch((error: unknown) => {
    if (!(error instanceof OperatorError)) throw error
    faults.push([error.message, error.hint].filter(Boolean).join('; '))
    return undefined
  })
  if (refuseFaults(cli, faults) || users === undefined || database === undefined) return undefined
  return { users, database, warnings: warnings.map(formatNotice) }
}

async function usersOf(
  cli: Cli,
  [first = '']: readonly string[],
  config: Config,
  options: Options,
  faults: (string | ImportFault)[],
): Promise<FoundAll['users'] | undefined> {
  const file = config['authentication_backend.file']
  const named = options.users ?? file.path
  const path =
    options.users === undefined ? findFile(named, first, cli.cwd) : resolve(cli.cwd, named)
  if (path === undefined || named === '') {
    faults.push(
      `authentication_backend.file.path: there is no ${named || 'users file'} on this machine; say where it is: --users`,
    )
    return undefined
  }
  const read = await readUsersFile(path, file, config['identity_headers'].separator)
  if (read.kind === 'unreadable') faults.push(`${path}: ${read.problem}`)
  else if (read.kind === 'faults') faults.push(...read.faults.map(formatFault))
  else if (read.stamp === undefined) faults.push(`${path}: does not exist`)
  else return read
  return undefined
}

async function databaseOf(
  cli: Cli,
  [first = '']: readonly string[],
  config: Config,
  options: Options,
): Promise<AutheliaDatabase> {
  const { local, encryption_key: configured } = config['storage']
  const named = options.database ?? local.path
  if (named === '')
    return {
      ...totpOnly([]),
      left: [
        {
          source: 'storage',
          message:
            'only a SQLite database is read (storage.local.path); from another one take factors over with ' +
            '`authelia storage user totp export` and `vestibule storage user totp import`, and webauthn alike',
        },
      ],
    }
  const path =
    options.database === undefined ? findFile(named, first, cli.cwd) : resolve(cli.cwd, named)
  if (path === undefined)
    throw new OperatorError(
      `storage.local.path: there is no ${named} on this machine`,
      'say where it is: --database',
    )
  const keyFile = options.encryptionKeyFile
  const secret = keyFile === undefined ? configured : new Secret(textOf(cli, keyFile).trim())
  return readAutheliaDatabase(path, secret, systemClock.now())
}
