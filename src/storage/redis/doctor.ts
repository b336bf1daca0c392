import { systemClock } from '../../kernel/clock.ts'
import { createConnection } from './connection.ts'
import { createDialer, dismiss, type RedisClient } from './dial.ts'
import { explainFault, toFault } from './fault.ts'
import type { RedisConfig } from './manifest.ts'
import { writeAndRead } from './probe.ts'
import { createTracking } from './tracking.ts'

/** What was looked at, and what came of it. */
export interface Finding {
  /** `note`: it works, and there is something to know. */
  readonly verdict: 'ok' | 'note' | 'bad'
  readonly text: string
}

/** The oldest that has client tracking. */
const OLDEST = 6
/** How long the news of a change may take before it counts as never told. Milliseconds. */
const NEWS = 2000

/**
 * Looks at everything that instances need of Redis, one after the other; stops at the first thing without which the rest
 * makes no sense.
 */
export async function* examine(
  config: RedisConfig,
  trusted: readonly string[] | undefined,
): AsyncGenerator<Finding> {
  const dialer = createDialer(config, trusted)
  const began = performance.now()
  let client: RedisClient
  try {
    client = await dialer.dial(config.timeout)
    const how = config.tls === undefined ? 'without TLS' : 'with TLS'
    const took = Math.round(performance.now() - began)
    yield { verdict: 'ok', text: `${dialer.address} answers (${how}, ${took} ms)` }
  } catch (error) {
    yield bad(error, dialer.address)
    return
  }
  try {
    await writeAndRead(client, config.key_prefix)
    yield { verdict: 'ok', text: `a write, a read and a deletion below ${config.key_prefix} work` }
    yield* aboutServers(client, config)
    yield await aboutNews(config, trusted)
  } catch (error) {
    yield bad(error, dialer.address)
  } finally {
    dismiss(client)
  }
}

function bad(error: unknown, address: string): Finding {
  const { message, hint } = explainFault(toFault(error), address)
  return { verdict: 'bad', text: hint === undefined ? message : `${message}; ${hint}` }
}

async function* aboutServers(client: RedisClient, config: RedisConfig): AsyncGenerator<Finding> {
  const servers = 'nodes' in client ? client.nodes('master') : [client]
  if ('nodes' in client) {
    const replicas = client.nodes('slave').length
    yield { verdict: 'ok', text: `a cluster: ${servers.length} masters, ${replicas} replicas` }
  }
  for (const server of servers) {
    const name = `${server.options.host ?? config.host ?? ''}:${server.options.port ?? ''}`
    const subject = 'nodes' in client ? `${name}: ` : ''
    const info = fieldsOf(await server.info())
    for (const finding of aboutServer(info, config)) {
      yield { ...finding, text: `${subject}${finding.text}` }
    }
  }
}

function* aboutServer(info: Map<string, string>, config: RedisConfig): Generator<Finding> {
  const version = info.get('redis_version') ?? 'unknown'
  yield Number.parseInt(version, 10) >= OLDEST
    ? { verdict: 'ok', text: `version ${version}` }
    : { verdict: 'bad', text: `version ${version} cannot tell of changes: it takes 6 or newer` }
  yield aboutReplicas(Number(info.get('connected_slaves') ?? 0), config.replica_acks)
  const policy = info.get('maxmemory_policy') ?? 'noeviction'
  if (info.get('maxmemory') !== '0' && policy !== 'noeviction')
    yield {
      verdict: 'note',
      text: `maxmemory-policy is ${policy}: when memory is short, people are signed out; noeviction refuses new sign-ins instead`,
    }
  yield info.get('aof_enabled') === '1'
    ? { verdict: 'ok', text: 'what is written is logged (appendonly)' }
    : {
        verdict: 'note',
        text: 'appendonly is off: a crash of Redis may sign people out, and bring back sessions that were ended since the last snapshot',
      }
}

function aboutReplicas(count: number, acks: RedisConfig['replica_acks']): Finding {
  const replicas = count === 1 ? 'one replica' : `${count} replicas`
  if (count > 0 && acks === 'off')
    return {
      verdict: 'note',
      text: `${replicas}, and replica_acks is off: a failover may bring back what was just revoked`,
    }
  if (count === 0 && acks === 'require')
    return { verdict: 'bad', text: 'no replica, and replica_acks is require: no user can sign in' }
  return { verdict: 'ok', text: count === 0 ? 'no replicas' : `${replicas}, replica_acks: ${acks}` }
}

/** Whether a change is told, over connections like those of a running server. */
async function aboutNews(
  config: RedisConfig,
  trusted: readonly string[] | undefined,
): Promise<Finding> {
  const dialer = createDialer(config, trusted)
  const said: string[] = []
  const log = {
    info() {},
    warn: (about: { reason?: string }) => void said.push(about.reason ?? ''),
  }
  const connection = createConnection({ dialer, log, clock: systemClock })
  const tracking = createTracking({
    connection,
    dialer,
    prefix: config.key_prefix,
    log,
    clock: systemClock,
  })
  try {
    await connection.run((client) => client.get(`${config.key_prefix}probe:none`), {
      patience: NEWS,
    })
    tracking.watch(`${config.key_prefix}doctor:`, { changed() {}, lost() {} })
    const end = performance.now() + NEWS
    while (tracking.trust.until === 0 && performance.now() < end)
      await new Promise((resolve) => setTimeout(resolve, 10))
    if (tracking.trust.until > 0)
      return { verdict: 'ok', text: 'it tells of changes: sessions can be kept in memory' }
    const reason = said[0] === undefined ? '' : ` (${said[0]})`
    return {
      verdict: 'bad',
      text: `it does not tell of changes${reason}: every request has to ask it; an ACL needs +client and the channel __redis__:invalidate`,
    }
  } finally {
    tracking.close()
    connection.close()
  }
}

function fieldsOf(info: string): Map<string, string> {
  const fields = new Map<string, string>()
  for (const line of info.split('\r\n')) {
    const colon = line.indexOf(':')
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1))
  }
  return fields
}
