/** `import htpasswd`, `tinyauth` and `frigate`: users for the server of the configuration. */
import { resolve } from 'node:path'
import { totpEntry } from '../features/second-factor/index.ts'
import { planUsers, usersFileOf } from '../features/users/index.ts'
import { totpOnly, writeFactors } from '../import/factors.ts'
import type { TakenUsers } from '../import/taken.ts'
import { systemClock } from '../kernel/clock.ts'
import { OperatorError } from '../kernel/operator-error.ts'
import { readConfig } from './config.ts'
import { counted, type ImportWish, refuseFaults, sayLeft, wishOptions } from './import-report.ts'
import type { Cli, Configure } from './invocation.ts'
import { onStorage } from './storage.ts'

/** @param read what is wrong is in what it returns; it throws for a file that cannot be read */
export const importUsers =
  (what: string, about: string, read: (cli: Cli, file: string) => TakenUsers): Configure =>
  (command, cli) => {
    wishOptions(command)
      .argument('<files...>', about)
      .action((files: string[]) => {
        const all = files.map((file) => read(cli, file))
        return run(cli, what, together(all), command.opts<ImportWish>())
      })
  }

function together(all: readonly TakenUsers[]): TakenUsers {
  const users = all.flatMap((one) => one.users)
  const seen = new Set<string>()
  const twice = users.filter(({ name }) => seen.has(name) || !seen.add(name))
  return {
    users,
    totp: new Map(all.flatMap(({ totp }) => [...totp])),
    left: all.flatMap(({ left }) => left),
    faults: [
      ...all.flatMap(({ faults }) => faults),
      ...twice.map(({ name }) => ({ source: name, message: 'is in two of the files' })),
    ],
  }
}

async function run(
  cli: Cli,
  what: string,
  { users, totp, left, faults }: TakenUsers,
  { apply, force }: ImportWish,
): Promise<void> {
  if (refuseFaults(cli, faults)) return
  const config = await readConfig(cli)
  if (config === undefined) return
  // Of a backend that keeps its users elsewhere: nothing would read what is written to the file.
  if (config['authentication_backend.database'] !== undefined)
    throw new OperatorError(
      'the users of this configuration are in the database (authentication_backend.database)',
      'import with a configuration that keeps them in a file, and add them to the database from there',
    )
  const file = config['authentication_backend.file']
  const path = usersFileOf(file.path, config['data_directory'], cli.cwd)
  const separator = config['identity_headers'].separator
  const plan = await planUsers(path, users, { config: file, separator, force: force === true })
  const entries = [...totp].map(([user, secret]) => entryOf(user, secret, config['totp'].issuer))
  cli.print(
    `From ${what}: ${counted(plan.added.length, 'user')} to add, ` +
      `${plan.replaced.length} whose digest is replaced, ${counted(entries.length, 'user')} with one-time codes.\n`,
  )
  sayLeft(cli, left)
  if (apply !== true) return cli.print(`Nothing was written: --apply writes it to ${path}.\n`)
  // Factors first: a user without them could sign in with the password alone.
  if (entries.length > 0)
    await onStorage(cli, { alone: true, asItIs: false }, ({ data, storage }) =>
      writeFactors(
        { config, directory: data.path, cwd: cli.cwd, storage },
        totpOnly(entries),
        force === true,
      ),
    )
  await plan.write()
  cli.print(`Written to ${path}${entries.length > 0 ? ' and the database' : ''}.\n`)
}

/** What tinyauth and most apps use: SHA-1, six digits, thirty seconds. */
function entryOf(user: string, secret: string, issuer: string) {
  const read = totpEntry.safeParse({
    ...{ user, secret, issuer, algorithm: 'SHA1', digits: 6, period: 30 },
    createdAt: systemClock.now(),
    lastUsedAt: null,
  })
  if (read.success) return read.data
  throw new OperatorError(`the one-time codes of ${user}: ${read.error.issues[0]?.message ?? ''}`)
}

export const pathOf = (cli: Cli, file: string): string => resolve(cli.cwd, file)
