import { OperatorError } from '../kernel/operator-error.ts'
import { Secret } from '../kernel/secret.ts'
import { textOf } from './import-report.ts'
import type { Cli } from './invocation.ts'

const MIN_LENGTH = 12

/** The first line of the file. Undefined: none is given. @throws OperatorError for a short one */
export function passphraseOf(cli: Cli, file: string | undefined): Secret | undefined {
  if (file === undefined) return undefined
  const line = textOf(cli, file).split(/\r?\n/, 1)[0] ?? ''
  if (line.length >= MIN_LENGTH) return new Secret(line)
  throw new OperatorError(
    `the passphrase in ${file} has fewer than ${MIN_LENGTH} characters`,
    'an archive can be guessed at without a limit: take `vestibule crypto rand`',
  )
}
