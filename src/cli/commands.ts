/**
 * The commands of the command line. An operation has a command with a file here, or a command that is generated from its
 * schemas (operation-command.ts).
 */
import type { AnyOperation } from '../kernel/operation.ts'
import type { Entry } from './entry.ts'
import { FACTOR_COMMANDS } from './factor-commands.ts'

/** The commands that change fields of a user are in one file. */
const fields = (which: 'change' | 'disable' | 'enable' | 'expire' | 'groups') => async () => ({
  configure: (await import('./users-change.ts'))[which],
})

export const COMMANDS: readonly Entry[] = [
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
    name: 'users',
    summary: 'manage users, and what they sign in with',
    children: [
      { name: 'list', load: () => import('./users-list.ts') },
      { name: 'show', load: () => import('./users-show.ts') },
      { name: 'add', load: () => import('./users-add.ts') },
      { name: 'change', load: fields('change') },
      { name: 'set-password', load: () => import('./users-set-password.ts') },
      { name: 'disable', summary: 'let a user in no more', load: fields('disable') },
      { name: 'enable', summary: 'let a user in again', load: fields('enable') },
      { name: 'expire', summary: 'say when a user is let in no more', load: fields('expire') },
      { name: 'groups', summary: 'set the groups of a user', load: fields('groups') },
      { name: 'delete', load: () => import('./users-delete.ts') },
      { name: 'reset-admin', load: () => import('./users-reset-admin.ts') },
      {
        name: 'migrate',
        summary: 'copy all users from the file into the database, or back',
        load: () => import('./users-migrate.ts'),
      },
      { name: 'reset-factors', load: () => import('./users-reset-factors.ts') },
      { name: 'invite-factor', load: () => import('./users-invite-factor.ts') },
    ],
  },
  {
    name: 'sessions',
    summary: 'list and end the sessions of the running server',
    children: [
      { name: 'list', load: () => import('./sessions-list.ts') },
      { name: 'revoke', load: () => import('./sessions-revoke.ts') },
    ],
  },
  {
    name: 'bans',
    summary: 'list, add and lift bans',
    children: [
      { name: 'list', load: () => import('./bans-list.ts') },
      { name: 'add', load: () => import('./bans-add.ts') },
      { name: 'lift', load: () => import('./bans-lift.ts') },
    ],
  },
  {
    name: 'devices',
    summary: 'list and forget the browsers that users have signed in with',
    children: [
      { name: 'list', load: () => import('./devices-list.ts') },
      { name: 'revoke', load: () => import('./devices-revoke.ts') },
    ],
  },
  {
    name: 'audit',
    summary: 'look at the audit trail',
    children: [{ name: 'list', load: () => import('./audit-list.ts') }],
  },
  {
    name: 'notifier',
    summary: 'messages to users',
    children: [
      {
        name: 'test',
        summary: 'send a message to try the section notifier, without a running server',
        load: () => import('./notifier-test.ts'),
      },
    ],
  },
  {
    name: 'storage',
    summary: 'look after the database',
    children: [
      {
        name: 'encryption',
        summary: 'the key that seals what is kept in the database',
        children: [
          {
            name: 'check',
            summary: 'say whether every sealed value opens',
            load: () => import('./storage-encryption-check.ts'),
          },
          {
            name: 'change-key',
            summary: 'seal everything with another key',
            load: () => import('./storage-encryption-change-key.ts'),
          },
          {
            name: 'reset',
            summary: 'remove what a lost key sealed',
            load: () => import('./storage-encryption-reset.ts'),
          },
        ],
      },
      {
        name: 'migrate',
        summary: 'the schema of the database',
        children: [
          {
            name: 'list',
            aliases: ['history'],
            summary: 'list the migrations, and which are applied',
            load: () => import('./storage-migrate-list.ts'),
          },
          {
            name: 'up',
            summary: 'apply what is missing, as a start does',
            load: () => import('./storage-migrate-up.ts'),
          },
        ],
      },
      {
        name: 'user',
        summary: 'what the database keeps of users',
        children: [
          ...FACTOR_COMMANDS,
          {
            name: 'identifiers',
            summary: 'the opaque identifiers by which services know users',
            children: [
              {
                name: 'add',
                summary: 'give a user an identifier',
                load: () => import('./identifiers-add.ts'),
              },
              {
                name: 'generate',
                summary: 'make those that are missing, and print all that were asked for',
                load: () => import('./identifiers-generate.ts'),
              },
              {
                name: 'export',
                summary: 'write all of them to a file, as Authelia does',
                load: () => import('./identifiers-export.ts'),
              },
              {
                name: 'import',
                summary: 'add those of a file',
                load: () => import('./identifiers-import.ts'),
              },
            ],
          },
        ],
      },
    ],
  },
  {
    name: 'import',
    summary: 'take users over from another program; a trial run unless --apply is given',
    children: [
      {
        name: 'authelia',
        summary: 'configuration, users, second factors and bans of Authelia',
        load: () => import('./import-authelia.ts'),
      },
      {
        name: 'htpasswd',
        summary: 'users of a password file of Apache or nginx',
        load: () => import('./import-htpasswd.ts'),
      },
      {
        name: 'tinyauth',
        summary: 'users of tinyauth, and their one-time codes',
        load: () => import('./import-tinyauth.ts'),
      },
      {
        name: 'frigate',
        summary: 'users of Frigate',
        load: () => import('./import-frigate.ts'),
      },
    ],
  },
  {
    name: 'backup',
    summary:
      'write database, users, secrets and configuration to one archive, also beside a running server',
    load: () => import('./backup.ts'),
  },
  {
    name: 'restore',
    summary: 'put the archive of a backup into a data directory',
    load: () => import('./restore.ts'),
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

/** The commands and those operations that have none, as `area verb`. */
export function withOperations(
  entries: readonly Entry[],
  operations: readonly AnyOperation<never>[],
): readonly Entry[] {
  const groups = new Map(entries.map((entry) => [entry.name, entry]))
  const placed = new Set(operationsIn(entries))
  for (const operation of operations) {
    if (placed.has(operation.name)) continue
    const [area = '', verb = ''] = operation.name.split('.')
    const group = groups.get(area) ?? { name: area, summary: `manage ${area}` }
    const { children = [] } = group
    const own = children.find(({ name }) => name === verb)
    const entry = own ?? { name: verb, load: () => generated(operation) }
    const { summary } = operation
    groups.set(area, {
      ...group,
      children: [...children.filter((one) => one !== own), { summary, ...entry }],
    })
  }
  return [...groups.values()]
}

const operationsIn = (entries: readonly Entry[]): readonly string[] =>
  entries.flatMap(({ operation = '', children = [] }) => [operation, ...operationsIn(children)])

async function generated(operation: AnyOperation<never>) {
  const { configureFor } = await import('./operation-command.ts')
  return { configure: configureFor(operation) }
}
