import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { OperatorError, systemCode } from '../kernel/operator-error.ts'
import { Secret } from '../kernel/secret.ts'
import { changeKey, type KeyChanged } from '../storage/index.ts'
import type { Cli, Configure } from './invocation.ts'
import { onStorage, refuseOthers } from './storage.ts'

interface Options {
  readonly encryptionKey?: string
  readonly encryptionKeyFile?: string
  readonly newEncryptionKey?: string
  readonly newEncryptionKeyFile?: string
  readonly force?: true
}

export const configure: Configure = (command, cli) => {
  command
    .option(
      '--encryption-key <key>',
      'the present key, where it is neither configured nor in data_directory',
    )
    .option('--encryption-key-file <path>', 'a file that holds it')
    .option(
      '--new-encryption-key <key>',
      'the new key; other users of the machine may see it here, so prefer a file. Without it: storage.encryption_key ' +
        'where the database has another key, else a new key in data_directory',
    )
    .option('--new-encryption-key-file <path>', 'a file that holds the new key')
    .option(
      '--force',
      'also while a server uses the database: it must be restarted with the new key at once',
    )
    .action(() => change(cli, command.opts<Options>()))
}

async function change(cli: Cli, options: Options): Promise<void> {
  const { encryptionKey, encryptionKeyFile, newEncryptionKey, newEncryptionKeyFile } = options
  const force = options.force === true
  await onStorage(cli, { alone: !force }, async ({ storage, encryption }) => {
    if (!force) await refuseOthers(storage)
    const changed = await changeKey(encryption, {
      from: secretOf(cli, encryptionKey, encryptionKeyFile),
      to: secretOf(cli, newEncryptionKey, newEncryptionKeyFile),
    })
    cli.print(`${sentence(changed, encryption.data.secretFile('encryption'))}\n`)
  })
}

function secretOf(
  cli: Cli,
  text: string | undefined,
  file: string | undefined,
): Secret | undefined {
  if (file === undefined) return text === undefined ? undefined : new Secret(text)
  if (text !== undefined)
    throw new OperatorError('a key is given together with a file of it: give only one of them')
  const path = resolve(cli.cwd, file)
  try {
    return new Secret(readFileSync(path, 'utf8').trim())
  } catch (error) {
    throw new OperatorError(`${path} cannot be read (${systemCode(error)})`, undefined, {
      cause: error,
    })
  }
}

function sentence({ state, values, place }: KeyChanged, file: string): string {
  const what =
    state === 'changed'
      ? `The key is changed: ${values} sealed values.`
      : 'The database has this key already: nothing was changed.'
  const where = {
    configuration: 'It is the one in storage.encryption_key.',
    'data-directory': `It is in ${file}.`,
    elsewhere: 'Set storage.encryption_key to the new key before the next start, on every server.',
  }[place]
  return `${what} ${where}`
}
