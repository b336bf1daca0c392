import { deleteKeys } from '../features/second-factor/operations.ts'
import { OperatorError } from '../kernel/operator-error.ts'
import { callOperation, type InputOf } from './call-operation.ts'
import type { Configure } from './invocation.ts'

interface Options {
  readonly all?: true
  readonly description?: string
  readonly kid?: string
}

export const configure: Configure = (command, cli) => {
  command
    .argument('[username]', 'as the user backend spells the name')
    .option('--all', 'every key of the user')
    .option('--description <name>', 'the key of the user with this name')
    .option('--kid <id>', 'the key with this id, as list shows it')
    .action(async (user: string | undefined, options: Options) => {
      const removed = await callOperation(cli, deleteKeys, choiceOf(user, options))
      if (removed === undefined) return
      if (removed.length === 0) throw new OperatorError('there is no such key')
      for (const { user: owner, name, rpId } of removed)
        cli.print(`The key ${JSON.stringify(name)} of ${owner} at ${rpId} was removed.\n`)
    })
}

/** Exactly one of the three ways to say which, as Authelia asks for it. */
function choiceOf(
  user: string | undefined,
  { all, description, kid }: Options,
): InputOf<typeof deleteKeys> {
  const ways = [all, description, kid].filter((way) => way !== undefined).length
  if (ways !== 1)
    throw new OperatorError('say which keys: --all, --description or --kid, and only one of these')
  // Ids are base64 elsewhere.
  if (kid !== undefined) {
    const keyId = Buffer.from(kid, 'base64').toString('base64url')
    return user === undefined ? { keyId } : { user, keyId }
  }
  if (user === undefined) throw new OperatorError('say of which user: the name is missing')
  return description === undefined ? { user } : { user, name: description }
}
