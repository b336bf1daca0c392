import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Argument } from 'commander'
import {
  isProxyName,
  neighbours,
  type ProxyFile,
  proxies,
  setupFor,
} from '../features/proxy-config/index.ts'
import { cookieDomains } from '../features/sessions/index.ts'
import { OperatorError, systemCode } from '../kernel/operator-error.ts'
import { readConfig } from './config.ts'
import type { Cli, Configure } from './invocation.ts'
import { splitList } from './lists.ts'

interface Options {
  readonly host: readonly string[]
  readonly app?: string
  readonly listen?: string
  readonly upstream?: string
  readonly output?: string
}

export const configure: Configure = (command, cli) => {
  command
    .addArgument(
      new Argument('<proxy>', 'what stands in front of the app').choices(Object.keys(proxies)),
    )
    .option(
      '--host <names>',
      'the host names of the app, of one cookie domain or several: repeated, or separated by commas (otherwise app. below the first)',
      (text: string, all: readonly string[]) => [...all, ...splitList(text)],
      [],
    )
    .option(
      '--app <host:port>',
      'where the proxy reaches the app (otherwise 127.0.0.1:8081, and app:80 from a container)',
    )
    .option(
      '--listen <port>',
      'what the proxy listens on, port or address:port (otherwise 443; for *.localhost 127.0.0.1:8080, and 80 in a container)',
    )
    .option(
      '--upstream <host:port>',
      'where the proxy reaches Vestibule (otherwise where it listens; from a container, at the name vestibule)',
    )
    .option('-o, --output <directory>', 'write the files there instead of printing them')
    .addHelpText('after', HELP)
    .action((proxy: string) => print(cli, proxy, command.opts<Options>()))
}

const HELP = `
The configuration decides about the portal, the session cookies and the identity headers; no server has to run.
What each file is for stands at its head, and in docs/guides/proxies.md.`

async function print(cli: Cli, proxy: string, options: Options): Promise<void> {
  if (!isProxyName(proxy)) throw new OperatorError(`there is no snippet for ${proxy}`)
  const config = await readConfig(cli)
  if (config === undefined) return
  const identityHeaders = config['identity_headers']
  for (const name of ['user', 'groups', 'name', 'email'] as const) {
    // nginx has no variable for any other, and Go's proxies spell them in a way of their own.
    if (!/^[\w-]+$/.test(identityHeaders[name]))
      throw new OperatorError(
        `identity_headers.${name} is ${identityHeaders[name]}, which not every proxy can carry`,
        'letters, digits, - and _ are safe',
      )
  }
  const { host: hosts, app, listen, upstream, output } = options
  const setup = setupFor(
    {
      address: config['server'].address,
      domains: cookieDomains(config['session']),
      identityHeaders,
    },
    {
      ...(hosts.length > 0 && { hosts }),
      ...(app !== undefined && { app }),
      ...(listen !== undefined && { listen }),
      ...(upstream !== undefined && { upstream }),
      neighbours: neighbours[proxy],
    },
  )
  if (!/^(unix:|127\.|localhost:|\[::1\])/.test(setup.verifyUpstream))
    cli.complain(
      `vestibule: to ask at ${setup.verifyUpstream}, ${proxy} has to be among trusted_proxies\n`,
    )
  const files = proxies[proxy](setup)
  if (output === undefined) cli.print(asOneText(files))
  else write(cli, resolve(cli.cwd, output), files)
}

/** A line between two files, as a comment of the one that follows. */
function asOneText(files: readonly ProxyFile[]): string {
  if (files.length === 1) return files[0]?.text ?? ''
  return files
    .map(({ name, text }) => `${name.endsWith('.lua') ? '--' : '#'} ──── ${name} ────\n${text}`)
    .join('\n')
}

function write(cli: Cli, directory: string, files: readonly ProxyFile[]): void {
  for (const { name, text } of files) {
    const file = join(directory, name)
    try {
      mkdirSync(directory, { recursive: true })
      // Never over what somebody has changed since.
      writeFileSync(file, text, { flag: 'wx' })
    } catch (error) {
      if (systemCode(error) === 'EEXIST')
        throw new OperatorError(
          `${file} is there already`,
          'take it away first, or name another directory',
        )
      if (systemCode(error) === '') throw error
      throw new OperatorError(`${file} cannot be written (${systemCode(error)})`)
    }
    cli.print(`wrote ${file}\n`)
  }
}
