/**
 * The command line: one file a command, loaded only when it is the one that was asked for.
 *
 * Owns how arguments are read and how a person is answered; what a command does is in the feature it calls.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Command, CommanderError, Option } from 'commander'
import { AppError } from '../kernel/errors.ts'
import { OperatorError } from '../kernel/operator-error.ts'
import { printable } from '../kernel/printable.ts'
import { COMMANDS, withOperations } from './commands.ts'
import type { Entry } from './entry.ts'
import type { Cli, Configure, Invocation, Operations } from './invocation.ts'
import { splitList } from './lists.ts'
import { version } from './version.ts'

/**
 * Runs one command line to its end.
 * @param operations those that commands may call
 * @returns the exit status: 0, or 1 when it was refused or its answer is no
 */
export async function run(
  invocation: Invocation,
  operations: () => Promise<Operations> = () => import('../operations.ts'),
): Promise<number> {
  const given: string[] = []
  const filters: string[] = []
  let status = 0
  const cli: Cli = {
    ...invocation,
    configFiles: () => configFiles(given, invocation),
    configFilters: () => filters,
    operations,
    commands: () => wholeProgram(cli),
    finish(code) {
      status = code
    },
    print: (text) => void invocation.stdout.write(text),
    complain: (text) => void invocation.stderr.write(text),
  }
  try {
    const argv = withCommand(invocation.argv)
    const entries = await entriesFor(firstWord(argv), cli)
    await program(cli, entries, given, filters).parseAsync(argv, { from: 'user' })
    return status
  } catch (error) {
    // Commander has printed its sentence, or the help or version that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1
    cli.complain(`vestibule: ${explain(error)}\n`)
    return 1
  }
}

/** Loads the operations unless the requested command is one that has a file and no children. */
async function entriesFor(name: string | undefined, cli: Cli): Promise<readonly Entry[]> {
  if (COMMANDS.some((entry) => entry.name === name && entry.load !== undefined)) return COMMANDS
  return withOperations(COMMANDS, (await cli.operations()).operations)
}

function program(cli: Cli, entries: readonly Entry[], files: string[], filters: string[]): Command {
  const root = new Command('vestibule')
    .description('A standalone forward-auth server: one login in front of many self-hosted apps.')
    .version(`vestibule ${version()}`, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .option(
      '-c, --config <files>',
      'configuration files or directories, later ones win: repeated, or separated by commas ' +
        '(otherwise VESTIBULE_CONFIG, otherwise ./config.yml if there is one)',
      (value: string) => void files.push(...splitList(value)),
    )
    .addOption(
      // Authelia's. Without it `{{ … }}` in a value is text; with it, such a value is refused with what replaces it.
      new Option('--config.experimental.filters <names>')
        .argParser((value: string) => void filters.push(...splitList(value)))
        .hideHelp(),
    )
    .exitOverride()
    .configureOutput({
      writeOut: cli.print,
      writeErr: cli.complain,
      outputError: (text, write) => write(oneSentence(text)),
    })
  addEntries(root, entries, cli)
  return root
}

/** Where only one command is loaded otherwise. */
async function wholeProgram(cli: Cli): Promise<Command> {
  const entries = withOperations(COMMANDS, (await cli.operations()).operations)
  const root = program(cli, entries, [], [])
  const load = async (parent: Command, entries: readonly Entry[]): Promise<void> => {
    for (const { name, load: loader, children = [] } of entries) {
      const command = parent.commands.find((one) => one.name() === name)
      if (command === undefined) continue
      const module = await loader?.()
      module?.configure(command, cli)
      await load(command, children)
    }
  }
  await load(root, entries)
  return root
}

function addEntries(parent: Command, entries: readonly Entry[], cli: Cli): void {
  const loaders = new Map<string, () => Promise<{ readonly configure: Configure }>>()
  for (const { name, summary = '', aliases = [], load, children } of entries) {
    const command = parent
      .command(name)
      .description(summary)
      .aliases([...aliases])
    if (load !== undefined) loaders.set(name, load)
    if (children !== undefined) addEntries(command, children, cli)
  }
  // Only the command that is asked for is loaded, just before its own arguments are read.
  parent.hook('preSubcommand', async (_parent, command) => {
    const module = await loaders.get(command.name())?.()
    module?.configure(command, cli)
  })
}

/** `serve` is understood; and `help x` asks `x`, whose options are not known before it is loaded. */
function withCommand(argv: readonly string[]): string[] {
  const [first, ...rest] = argv
  if (first === 'help' && rest.length > 0) return [...rest, '--help']
  return firstWord(argv) === undefined ? ['serve', ...argv] : [...argv]
}

const WITH_VALUE: readonly string[] = ['-c', '--config', '--config.experimental.filters']

/** The command, or the option that asks for no command. */
function firstWord(argv: readonly string[]): string | undefined {
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i] ?? ''
    if (WITH_VALUE.includes(argument)) i++
    else if (/^(-h|--help|-V|--version)$/.test(argument) || !argument.startsWith('-'))
      return argument
  }
  return undefined
}

function configFiles(given: readonly string[], { env, cwd }: Invocation): readonly string[] {
  if (given.length > 0) return given
  const named = splitList(env['VESTIBULE_CONFIG'] ?? '')
  if (named.length > 0) return named
  if (existsSync(join(cwd, 'config.yml'))) return ['config.yml']
  return splitList(env['VESTIBULE_DEFAULT_CONFIG'] ?? '')
}

/** Commander's `error: unknown command 'srve'\n(Did you mean serve?)` on one line, in our name. */
function oneSentence(text: string): string {
  return `vestibule: ${text
    .trim()
    .replace(/^error: /, '')
    .replace(/\s*\n\s*/g, ' ')}\n`
}

function explain(error: unknown): string {
  if (error instanceof OperatorError) {
    return printable(error.hint === undefined ? error.message : `${error.message}; ${error.hint}`)
  }
  if (error instanceof AppError) return error.message
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return `something went wrong that should not have: ${printable(message)}`
}
