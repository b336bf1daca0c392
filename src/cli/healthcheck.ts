import { get, type IncomingMessage } from 'node:http'
import { InvalidArgumentError } from 'commander'
import type { ListenAddress } from '../kernel/address.ts'
import { parseDuration } from '../kernel/duration.ts'
import { OperatorError, systemCode } from '../kernel/operator-error.ts'
import { readConfig } from './config.ts'
import type { Cli, Configure } from './invocation.ts'

const MAX_BODY = 4096

export const configure: Configure = (command, cli) => {
  command
    .option('--timeout <duration>', 'how long an answer may take', timeout, 3_000)
    .action(() => healthcheck(cli, command.opts<{ timeout: number }>().timeout))
}

function timeout(text: string): number {
  const ms = parseDuration(text)
  if (ms !== undefined && ms > 0 && ms <= 60_000) return ms
  throw new InvalidArgumentError('It takes a duration up to a minute, such as 3s or 500ms.')
}

async function healthcheck(cli: Cli, patience: number): Promise<void> {
  const config = await readConfig(cli)
  if (config === undefined) return
  const { address, disable_healthcheck: disabled } = config['server']
  if (disabled) {
    cli.print('not checked: server.disable_healthcheck is set\n')
    return
  }
  const body = await fetchHealth(address, patience)
  if (!/"status"\s*:\s*"OK"/.test(body))
    throw new OperatorError('the server says that it is not well')
  cli.print('healthy\n')
}

/** Over plain node:http: it speaks to unix sockets, and loads faster than fetch. */
async function fetchHealth(address: ListenAddress, patience: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const where = placeOf(address)
  const request = get(
    { ...where.target, path: `${address.basePath.replace(/\/$/, '')}/api/health`, agent: false },
    (response) => void read(response).then(resolve, reject),
  )
  request.on('error', (error) => {
    reject(
      new OperatorError(
        `the server does not answer on ${where.text} (${systemCode(error) || error.message})`,
      ),
    )
  })
  const timer = setTimeout(() => {
    reject(new OperatorError(`the server did not answer on ${where.text} in time`))
  }, patience)
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    request.destroy()
  }
}

async function read(response: IncomingMessage): Promise<string> {
  if (response.statusCode !== 200) {
    throw new OperatorError(`the server answers with status ${response.statusCode}`)
  }
  let body = ''
  for await (const chunk of response.setEncoding('utf8')) {
    body += chunk
    if (body.length > MAX_BODY) throw new OperatorError('what answers there is not this server')
  }
  return body
}

/** Where a server that listens on `address` can be reached from here. */
function placeOf(address: ListenAddress) {
  if (address.kind === 'unix') {
    return { text: address.path, target: { socketPath: address.path } }
  }
  const host = reachable(address.host, address.family)
  const text = host.includes(':') ? `[${host}]:${address.port}` : `${host}:${address.port}`
  return { text, target: { host, port: address.port } }
}

function reachable(host: string, family: 4 | 6 | undefined): string {
  if (host === '0.0.0.0' || (host === '' && family !== 6)) return '127.0.0.1'
  if (host === '::' || host === '') return '::1'
  return host
}
