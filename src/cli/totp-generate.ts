import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { totpUrl } from '../features/second-factor/index.ts'
import { generateTotp } from '../features/second-factor/operations.ts'
import { OperatorError } from '../kernel/operator-error.ts'
import { callOperation, type InputOf } from './call-operation.ts'
import { writeSecretFile } from './factor-files.ts'
import type { Cli, Configure } from './invocation.ts'
import { qrFile, qrText } from './qr-code.ts'

type Input = InputOf<typeof generateTotp>

interface Options {
  readonly secret?: string
  readonly secretSize?: number
  readonly issuer?: string
  readonly algorithm?: string
  readonly digits?: number
  readonly period?: number
  readonly path?: string
  readonly force?: boolean
}

export const configure: Configure = (command, cli) => {
  command
    .argument('<username>', 'as the user backend spells the name')
    .option('-f, --force', 'replace what the user has, and the file of --path')
    .option('-p, --path <file>', 'write the QR code to this file; .png or .svg')
    .option('--secret <base32>', 'in place of a random one')
    .option('--secret-size <bytes>', 'of a random secret (default: totp.secret_size)', Number)
    .option('--issuer <name>', 'the name that the app shows (default: totp.issuer)')
    .option('--algorithm <name>', 'SHA1, SHA256 or SHA512 (default: totp.algorithm)')
    .option('--digits <number>', '6 or 8 (default: totp.digits)', Number)
    .option('--period <seconds>', 'that a code lasts (default: totp.period)', Number)
    .action((user: string, options: Options) => generate(cli, user, options))
}

async function generate(cli: Cli, user: string, options: Options): Promise<void> {
  const { path, force = false, ...wish } = options
  const input = inputOf({ user, ...wish, force })
  // Before anything is changed: a name that cannot be written, and a file that is there.
  if (path !== undefined) await qrFile('', path)
  if (path !== undefined && !force && existsSync(resolve(cli.cwd, path)))
    throw new OperatorError(`${path} exists already`, 'nothing was changed; --force replaces it')
  const entry = await callOperation(cli, generateTotp, input)
  if (entry === undefined) return
  const url = await totpUrl(entry)
  cli.print(`${url}\n`)
  if (cli.stdout.isTTY) cli.print(await qrText(url))
  if (path === undefined) return
  const written = writeSecretFile(cli, path, await qrFile(url, path), { force })
  cli.print(`The QR code is in ${written}.\n`)
}

/** @throws OperatorError that names the option */
function inputOf(given: Readonly<Record<string, unknown>>): Input {
  const read = generateTotp.input.safeParse(given)
  if (read.success) return read.data
  const [issue] = read.error.issues
  const key = String(issue?.path[0] ?? '').replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)
  throw new OperatorError(
    `${key === 'user' ? 'the user name' : `--${key}`}: ${(issue?.message ?? '').replace(/\.$/, '')}`,
  )
}
