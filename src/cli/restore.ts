import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DATABASE, type Manifest, USERS } from '../backup/manifest.ts'
import { readArchive } from '../backup/read-archive.ts'
import { usersFileOf } from '../features/users/index.ts'
import { migrations } from '../features.ts'
import { openDataDirectory } from '../files/data-directory.ts'
import { fsyncDirectorySync } from '../files/directory-sync.ts'
import { finishRestore, READY } from '../files/interrupted-restore.ts'
import { OperatorError } from '../kernel/operator-error.ts'
import { lookAtDatabase } from '../storage/index.ts'
import { passphraseOf } from './backup-passphrase.ts'
import { readConfig } from './config.ts'
import type { Cli, Configure } from './invocation.ts'
import { placesOf } from './storage.ts'

interface Options {
  readonly to?: string
  readonly passphraseFile?: string
  readonly force?: true
}

export const configure: Configure = (command, cli) => {
  command
    .argument('<file>', 'an archive that `vestibule backup` made')
    .option('--to <directory>', 'the data directory; otherwise that of the configuration')
    .option('--passphrase-file <file>', 'the passphrase, where the archive is encrypted')
    .option('--force', 'in place of what is in the data directory')
    .action((file: string) => restore(cli, file, command.opts<Options>()))
}

const DRAFT = 'restore.draft'

async function restore(cli: Cli, file: string, options: Options): Promise<void> {
  const passphrase = passphraseOf(cli, options.passphraseFile)
  const target = await targetOf(cli, options)
  if (target === undefined) return
  const data = openDataDirectory(target.directory)
  // Held to the end: no server starts on half of it.
  const lock = data.lock()
  const draft = data.file(DRAFT)
  try {
    rmSync(draft, { recursive: true, force: true })
    const there = readdirSync(data.path).filter((name) => name !== 'lock')
    if (there.length > 0 && options.force !== true)
      throw new OperatorError(
        `the data directory ${data.path} is not empty`,
        'nothing was changed; --force restores in place of what is there',
      )
    mkdirSync(draft, { mode: 0o700 })
    const manifest = await readArchive(resolve(cli.cwd, file), draft, passphrase)
    if (existsSync(join(draft, DATABASE)))
      lookAtDatabase(join(draft, DATABASE), Object.keys(migrations))
    for (const folder of [join(draft, 'secrets'), join(draft, 'config'), draft])
      if (existsSync(folder)) fsyncDirectorySync(folder)
    renameSync(draft, data.file(READY))
    fsyncDirectorySync(data.path)
    finishRestore(data.path)
    say(cli, manifest, data.path, target.elsewhere)
  } finally {
    rmSync(draft, { recursive: true, force: true })
    lock.release()
  }
}

interface Target {
  readonly directory: string
  /** What the configuration has outside of the data directory. */
  readonly elsewhere: readonly { readonly name: string; readonly path: string }[]
}

async function targetOf(cli: Cli, { to }: Options): Promise<Target | undefined> {
  if (to !== undefined) return { directory: resolve(cli.cwd, to), elsewhere: [] }
  const config = await readConfig(cli)
  if (config === undefined) return undefined
  const { directory, options } = placesOf(cli, config)
  const users = usersFileOf(config['authentication_backend.file'].path, directory, cli.cwd)
  const places = [
    { name: DATABASE, path: options.path },
    { name: USERS, path: users },
  ]
  return { directory, elsewhere: places.filter(({ name, path }) => path !== join(directory, name)) }
}

function say(
  cli: Cli,
  { createdAt, version, files }: Manifest,
  directory: string,
  elsewhere: Target['elsewhere'],
): void {
  cli.print(
    `${directory} is as it was at ${createdAt} (Vestibule ${version}, ${files.length} files).\n`,
  )
  if (files.some(({ name }) => name.startsWith('config/')))
    cli.print(`The configuration of then is in ${join(directory, 'config')}; none was replaced.\n`)
  for (const { name, path } of elsewhere)
    if (files.some((file) => file.name === name))
      cli.print(
        `The configuration names another place: move ${join(directory, name)} to ${path}.\n`,
      )
}
