import {
  anonymous,
  createAccess,
  type Decision,
  type Explanation,
  inspect,
  parseTarget,
  type Subject,
  type Target,
} from '../features/access/index.ts'
import { cookieDomains, domainFinder } from '../features/sessions/index.ts'
import type { Config } from '../features.ts'
import { parseAddress } from '../kernel/cidr.ts'
import { OperatorError } from '../kernel/operator-error.ts'
import { printable } from '../kernel/printable.ts'
import { describeFiles, readConfig, readUsersOf } from './config.ts'
import type { Cli, Configure } from './invocation.ts'
import { splitList } from './lists.ts'
import { formatTable } from './table.ts'

interface Options {
  readonly url: string
  readonly user?: string
  readonly username?: string
  readonly groups: readonly string[]
  readonly method: string
  readonly ip?: string
  readonly json?: true
  readonly verbose?: true
}

export const configure: Configure = (command, cli) => {
  command
    .requiredOption('--url <url>', 'what is asked for, exactly as a browser would send it')
    .option(
      '-u, --user <name>',
      'who asks; without user and groups: a client that is not signed in',
    )
    .option('--username <name>', 'the same as --user')
    .option(
      '--groups <names>',
      'the groups of the user: repeated, or separated by commas',
      (text: string, all: readonly string[]) => [...all, ...splitList(text)],
      [],
    )
    .option(
      '--method <name>',
      'the method of the request',
      (text: string) => text.toUpperCase(),
      'GET',
    )
    .option('--ip <address>', 'where the request comes from; without it no network matches')
    .option('--json', 'print JSON; rules are counted from 0')
    .option('-v, --verbose', 'print every reading of the path that the rules were asked about')
    .addHelpText('after', HELP)
    .action(() => check(cli, command.opts<Options>()))
}

const HELP = `
In the table, hit: the criterion matches; miss: it does not; may: it depends on who signs in; -: the rule has none.
* marks the rule that decides, ~ a rule that decides for those it is about.
Without --groups, those of the user are looked up in the users file. No server has to run.`

async function check(cli: Cli, options: Options): Promise<void> {
  const target = targetOf(options)
  const asked = subjectOf(options)
  const config = await readConfig(cli)
  if (config === undefined) return
  const { subject, known } = await withGroups(cli, config, asked, options)
  const access = createAccess(config['access_control'], config['definitions'].network)
  const isCovered = domainFinder(cookieDomains(config['session']))(target.host) !== undefined
  const { explanation, decisions } = inspect(access, subject, target)
  if (options.json) {
    const { url, method } = options
    const kinds = Object.entries(decisions).map(([level, { kind }]) => [level, kind])
    const answer = {
      url,
      method,
      subject,
      address: target.address,
      covered: isCovered,
      decisions: Object.fromEntries(kinds),
    }
    cli.print(`${JSON.stringify({ ...answer, ...explanation }, null, 2)}\n`)
    return
  }
  const policy = config['access_control'].default_policy
  cli.print(describeRules(explanation))
  if (options.verbose) cli.print(describeReadings(explanation))
  if (known !== undefined) cli.print(`${known}\n`)
  cli.print(`${sentences(explanation, policy).join('\n')}\n`)
  for (const [level, decision] of Object.entries(decisions)) {
    cli.print(`${LEVELS[level] ?? level}: ${describeDecision(decision)}.\n`)
  }
  if (!isCovered)
    cli.print(
      `But no cookie domain covers ${target.host}: a proxy that asks gets 400, and no rule is asked. See session.cookies in ${describeFiles(cli)}.\n`,
    )
}

function targetOf({ url, method, ip }: Options): Target {
  const address = ip === undefined ? undefined : parseAddress(ip)
  if (ip !== undefined && address === undefined) throw new OperatorError('--ip is no IP address')
  // One character a byte, as it arrives over HTTP.
  const asked = parseTarget(Buffer.from(url).toString('latin1'), method, address?.text ?? '')
  if ('malformed' in asked) {
    throw new OperatorError(
      `${asked.malformed}: no rule would be asked, the request would be refused`,
    )
  }
  return asked.target
}

function subjectOf({ user, username, groups }: Options): Subject {
  if (user !== undefined && username !== undefined && user !== username) {
    throw new OperatorError('--user and --username name two different users')
  }
  const name = user ?? username ?? ''
  return name === '' && groups.length === 0 ? anonymous : { user: name, groups, clientId: '' }
}

/** With the groups of the users file where none were named, and what is to be said of that. */
async function withGroups(
  cli: Cli,
  config: Config,
  subject: Subject,
  { groups }: Options,
): Promise<{ readonly subject: Subject; readonly known?: string }> {
  if (subject === anonymous || groups.length > 0) return { subject }
  const users = await readUsersOf(cli, config)
  const name = printable(subject.user)
  if (users === undefined)
    return { subject, known: `There is no users file to look up the groups of ${name} in.` }
  const found = users.groupsOf(subject.user)
  if (found === undefined) return { subject, known: `${name} is not in the users file.` }
  const list = found.length === 0 ? 'none' : found.map(printable).join(', ')
  return {
    subject: { ...subject, groups: found },
    known: `Groups of ${name}, from the users file: ${list}.`,
  }
}

const LEVELS: Readonly<Record<string, string>> = {
  not_signed_in: 'Not signed in',
  one_factor: 'Signed in with one factor',
  two_factor: 'Signed in with two factors',
}

function describeDecision(decision: Decision): string {
  switch (decision.kind) {
    case 'allow':
      return 'allowed'
    case 'step-up':
      return decision.need === 1 ? 'asked to sign in' : 'asked for two factors'
    case 'deny':
      return 'forbidden'
    default:
      return decision satisfies never
  }
}

const HEAD = [
  '',
  'RULE',
  'POLICY',
  'DOMAIN',
  'RESOURCES',
  'QUERY',
  'METHODS',
  'NETWORKS',
  'SUBJECT',
]

function describeRules({ rules }: Explanation): string {
  if (rules.length === 0) return ''
  const certain = rules.find(({ verdict }) => verdict === 'hit')?.index ?? rules.length
  const rows = rules.map(({ index, title, policy, verdict, criteria }) => {
    const mark = index === certain ? '*' : verdict === 'may' && index < certain ? '~' : ''
    const { domain, resources, query, methods, networks, subject } = criteria
    const answers = [domain, resources, query, methods, networks, subject]
    return [
      mark,
      title === null ? ruleName(index) : `${ruleName(index)} ${title}`,
      policy,
      ...answers.map((answer) => (answer === 'absent' ? '-' : answer)),
    ]
  })
  return `${formatTable(HEAD, rows)}\n`
}

/** As the faults of the configuration name it. */
const ruleName = (index: number): string => `rules[${index}]`

function describeReadings({ askings, deciding }: Explanation): string {
  if (askings.length === 0) return ''
  const rows = askings.map(({ path, query, pathAlone, rule, policy }, index) => [
    index === deciding ? '*' : '',
    query === null ? path : `${path}?${query}`,
    pathAlone ? 'path alone' : '',
    rule === null ? 'default' : ruleName(rule),
    policy,
  ])
  return `${formatTable(['', 'READING', '', 'RULE', 'POLICY'], rows)}\n`
}

const REFUSALS = {
  control: 'it encodes a control character',
  malformed: 'it does not begin with a slash',
  rounds: 'it is encoded too many times over',
  readings: 'it can be read in too many ways',
  work: 'the patterns of this host take too long to look for in it',
} as const

/** What decides, in words. */
function sentences({ verdict, rules, askings }: Explanation, defaultPolicy: string): string[] {
  if (verdict.refusal !== undefined) {
    return [`The path is denied, whatever the rules say: ${REFUSALS[verdict.refusal]}.`]
  }
  const said: string[] = []
  if (verdict.readings > 1) {
    const paths = [...new Set(askings.map(({ path }) => printable(path)))]
    said.push(`The path can be read as ${paths.join(' or ')}; the strictest answer counts.`)
  }
  const certain = rules.find(({ verdict: answer }) => answer === 'hit')
  const maybe = rules.filter(
    ({ index, verdict: answer }) => answer === 'may' && index < (certain?.index ?? rules.length),
  )
  for (const { index, policy } of maybe) {
    said.push(
      `${ruleName(index)} (${policy}) decides for those it is about, once they have signed in.`,
    )
  }
  const others = maybe.length === 0 ? '' : ' for everybody else'
  said.push(
    certain === undefined
      ? `No rule matches${others}: the default policy (${defaultPolicy}) decides.`
      : `${ruleName(certain.index)} (${certain.policy}) decides${others}.`,
  )
  return said
}
