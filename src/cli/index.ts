/**
 * The command line: one file a command, loaded only when it is the one that was asked for.
 *
 * Owns how arguments are read and how a person is answered; what a command does is in the room it calls.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Command, CommanderError, Option } from 'commander'
import { AppError } from '../kernel/errors.ts'
import { OperatorError } from '../kernel/operator-error.ts'
import { printable } from '../kernel/printable.ts'
import type { Cli, Configure, Invocation } from './invocation.ts'
import { splitList } from './lists.ts'
import { version } from './version.ts'

export type { Invocation } from './invocation.ts'

interface Entry {
  readonly name: string
  readonly summary: string
  readonly aliases?: readonly string[]
  readonly load?: () => Promise<{ readonly configure: Configure }>
  readonly children?: readonly Entry[]
}

const COMMANDS: readonly Entry[] = [
  {
    name: 'serve',
    summary: 'start the server (this is what happens without a command)',
    load: () => import('./serve.ts'),
  },
  {
    name: 'config',
    summary: 'look at the configuration',
    children: [
      {
        name: 'validate',
        summary: 'say everything that is wrong with the configuration',
        load: () => import('./config-validate.ts'),
      },
      {
        name: 'schema',
        summary: 'print the JSON schema of the configuration, for editors',
        load: () => import('./config-schema.ts'),
      },
    ],
  },
  {
    name: 'validate-config',
    summary: 'the same as config validate',
    load: () => import('./config-validate.ts'),
  },
  {
    name: 'hash-password',
    summary: 'make the digest of a password, for the users file',
    load: () => import('./hash-password.ts'),
  },
  {
    name: 'crypto',
    summary: 'make secrets',
    children: [
      {
        name: 'rand',
        summary: 'print a random text, or store it in a file',
        load: () => import('./crypto-rand.ts'),
      },
    ],
  },
  {
    name: 'access-control',
    summary: 'ask the rules',
    children: [
      {
        name: 'check',
        aliases: ['check-policy'],
        summary: 'say what the rules decide about a request, and what each of them makes of it',
        load: () => import('./access-control-check.ts'),
      },
    ],
  },
  {
    name: 'sessions',
    summary: 'list and end the sessions of the running server',
    children: [
      {
        name: 'list',
        summary: 'list sessions',
        load: () => import('./sessions-list.ts'),
      },
      {
        name: 'revoke',
        summary: 'end sessions: by id, of a user, or all',
        load: () => import('./sessions-revoke.ts'),
      },
    ],
  },
  {
    name: 'bans',
    summary: 'list, add and lift bans',
    children: [
      { name: 'list', summary: 'list bans', load: () => import('./bans-list.ts') },
      { name: 'add', summary: 'ban a user or an address', load: () => import('./bans-add.ts') },
      {
        name: 'lift',
        summary: 'lift bans: by id, of a user or address, or all',
        load: () => import('./bans-lift.ts'),
      },
    ],
  },
  {
    name: 'devices',
    summary: 'list and forget the browsers that are known to be somebody’s',
    children: [
      { name: 'list', summary: 'list known devices', load: () => import('./devices-list.ts') },
      {
        name: 'revoke',
        summary: 'forget known devices: by id, or of a user',
        load: () => import('./devices-revoke.ts'),
      },
    ],
  },
  {
    name: 'audit',
    summary: 'look at the audit trail',
    children: [
      {
        name: 'list',
        summary: 'list events, newest first: sign-ins, failures, bans, revocations …',
        load: () => import('./audit-list.ts'),
      },
    ],
  },
  {
    name: 'proxy-config',
    summary: 'print what a reverse proxy needs to ask Vestibule: nginx, Caddy, HAProxy …',
    load: () => import('./proxy-config.ts'),
  },
  {
    name: 'doctor',
    summary: 'look whether what the server depends on will do',
    children: [
      {
        name: 'redis',
        summary: 'try the Redis of session.redis: access, replicas, news of changes',
        load: () => import('./doctor-redis.ts'),
      },
    ],
  },
  {
    name: 'version',
    summary: 'print the version',
    load: () => import('./version-command.ts'),
  },
  {
    name: 'completion',
    summary: 'print what makes bash, zsh or fish complete the commands',
    load: () => import('./completion.ts'),
  },
  {
    name: 'healthcheck',
    summary: 'ask the running server whether it is well (exit status 0) or not (1)',
    load: () => import('./healthcheck.ts'),
  },
]

/**
 * Runs one command line to its end.
 * @returns the exit status: 0, or 1 when it was refused or its answer is no
 */
export async function run(invocation: Invocation): Promise<number> {
  const given: string[] = []
  const filters: string[] = []
  let status = 0
  const cli: Cli = {
    ...invocation,
    configFiles: () => configFiles(given, invocation),
    configFilters: () => filters,
    commands: () => wholeProgram(cli),
    finish(code) {
      status = code
    },
    print: (text) => void invocation.stdout.write(text),
    complain: (text) => void invocation.stderr.write(text),
  }
  try {
    await program(cli, given, filters).parseAsync(withCommand(invocation.argv), { from: 'user' })
    return status
  } catch (error) {
    // Commander has printed its sentence, or the help or version that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1
    cli.complain(`vestibule: ${explain(error)}\n`)
    return 1
  }
}

function program(cli: Cli, files: string[], filters: string[]): Command {
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
  addEntries(root, COMMANDS, cli)
  return root
}

/** Where only one command is loaded otherwise. */
async function wholeProgram(cli: Cli): Promise<Command> {
  const root = program(cli, [], [])
  const load = async (parent: Command, entries: readonly Entry[]): Promise<void> => {
    for (const { name, load: loader, children = [] } of entries) {
      const command = parent.commands.find((one) => one.name() === name)
      if (command === undefined) continue
      const module = await loader?.()
      module?.configure(command, cli)
      await load(command, children)
    }
  }
  await load(root, COMMANDS)
  return root
}

function addEntries(parent: Command, entries: readonly Entry[], cli: Cli): void {
  const loaders = new Map<string, () => Promise<{ readonly configure: Configure }>>()
  for (const { name, summary, aliases = [], load, children } of entries) {
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
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i] ?? ''
    if (
      argument === '-c' ||
      argument === '--config' ||
      argument === '--config.experimental.filters'
    )
      i++
    else if (/^(-h|--help|-V|--version)$/.test(argument) || !argument.startsWith('-'))
      return [...argv]
  }
  return ['serve', ...argv]
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
