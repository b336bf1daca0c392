import { resolve } from 'node:path'
import type { z } from 'zod'
import { askServer } from '../control/client.ts'
import { OperatorError, systemCode } from '../kernel/operator-error.ts'
import { readConfig } from './config.ts'
import type { Cli } from './invocation.ts'

export type InputOf<T extends { readonly input: z.ZodType }> = z.input<T['input']>

/**
 * Runs an operation on the running server. Where no server runs, the operations that need none work on the database: an
 * operator who is locked out need not start the server first.
 * @param options.timeout milliseconds that a running server may take; 10,000 by default
 * @returns undefined when the configuration is faulty, which has been said
 */
export async function callOperation<I extends z.ZodType, O extends z.ZodType>(
  cli: Cli,
  { name, output }: { readonly name: string; readonly input: I; readonly output: O },
  input: z.input<I>,
  options: { readonly timeout?: number } = {},
): Promise<z.output<O> | undefined> {
  const config = await readConfig(cli)
  if (config === undefined) return undefined
  const directory = resolve(cli.cwd, config['data_directory'])
  try {
    return output.parse(await askServer(directory, name, input, options))
  } catch (error) {
    const { storedOperations } = await cli.operations()
    const stored = storedOperations.find((operation) => operation.name === name)
    if (stored === undefined || !isNotRunning(error)) throw error
    const { askDatabase } = await import('../control/database.ts')
    const answer = await askDatabase(stored, input, { config, directory, cwd: cli.cwd })
    if (answer === undefined) throw error
    return output.parse(answer.data)
  }
}

const isNotRunning = (error: unknown): boolean =>
  error instanceof OperatorError && ['ENOENT', 'ECONNREFUSED'].includes(systemCode(error.cause))
