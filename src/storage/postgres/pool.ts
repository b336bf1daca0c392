import net from 'node:net'
import { type ConnectionOptions, checkServerIdentity, createSecureContext } from 'node:tls'
import type { PostgresPool, PostgresPoolClient } from 'kysely'
import pg from 'pg'
import type { BaseLogger } from 'pino'
import type { PeerAddress } from '../../kernel/address.ts'
import { type ClientTls, clientTlsOptions } from '../../kernel/client-tls.ts'
import { AppError } from '../../kernel/errors.ts'
import { OperatorError } from '../../kernel/operator-error.ts'
import type { PostgresConfig } from '../postgres-config.ts'
import { breaksConnection, Standby, sqlState, unavailable } from './error.ts'

/** PostgreSQL allows a hundred in all by default; a statement of ours takes a millisecond. */
const MAX_CONNECTIONS = 10
/** Statements that may wait for a connection. Behind more than these, the wait would be too long to be useful. */
const MAX_WAITING = 500
/** What the server needs to say that it took too long, before we stop listening. */
const MARGIN = 500

export interface Pool extends PostgresPool {
  /** One statement on any connection. @throws AppError STORE_UNAVAILABLE */
  query(sql: string, parameters?: readonly unknown[]): Promise<readonly Record<string, unknown>[]>
  /** A connection as the driver has it, for what outlives a statement. Its user releases it. @throws AppError STORE_UNAVAILABLE */
  hold(): Promise<pg.PoolClient>
}

export interface PoolOptions {
  readonly config: PostgresConfig
  readonly trusted: readonly string[] | undefined
  readonly log: Pick<BaseLogger, 'info'>
  /** How long a statement may take, in milliseconds; the configured timeout by default. */
  readonly limit?: number
}

/**
 * Connections to the first of the configured servers that answers and may be written to. Every call ends: connecting
 * and each statement have a time limit, and so has the wait for a free connection.
 */
export function createPool({ config, trusted, log, limit = config.timeout }: PoolOptions): Pool {
  const servers = [{ address: config.address, tls: config.tls }, ...config.servers].map((server) =>
    createServer(server, { config, trusted, log, limit }),
  )
  let current = 0
  let waiting = 0

  async function connect(): Promise<PostgresPoolClient> {
    if (waiting >= MAX_WAITING)
      throw new AppError(
        'STORE_UNAVAILABLE',
        { store: 'postgres', problem: 'too many wait for a connection' },
        { retryAfter: 1 },
      )
    waiting++
    try {
      return handOut(await connectToAny())
    } finally {
      waiting--
    }
  }

  async function connectToAny(): Promise<pg.PoolClient> {
    let first: unknown
    for (let i = 0; i < servers.length; i++) {
      const index = (current + i) % servers.length
      const pool = servers[index]
      if (pool === undefined) break
      // Its own doing, not the server's: another server would not be the answer to it.
      const full = pool.idleCount === 0 && pool.totalCount >= MAX_CONNECTIONS
      try {
        const client = await pool.connect()
        current = index
        return client
      } catch (error) {
        first ??= error
        if (full || /^(28|3D)/.test(sqlState(error) ?? '')) break
      }
    }
    throw unavailable(first)
  }

  return {
    connect,
    hold: connectToAny,
    // What Kysely would open further connections with to cancel a query; ours end by their time limit.
    options: {},
    async query(sql, parameters = []) {
      const client = await connect()
      try {
        const { rows } = await client.query<Record<string, unknown>>(sql, parameters)
        return rows
      } finally {
        client.release()
      }
    },
    async end() {
      await Promise.all(servers.map((pool) => pool.end()))
    },
  }
}

/** What Kysely gets: errors said as features read them, and no connection comes back that broke. */
function handOut(client: pg.PoolClient): PostgresPoolClient {
  let broken = false
  const query = async (sql: string, parameters: readonly unknown[] = []) => {
    try {
      return await client.query(sql, [...parameters])
    } catch (error) {
      broken ||= breaksConnection(error)
      throw unavailable(error)
    }
  }
  return {
    // The other shape of `query` is for cursors, and none is configured.
    query: query as unknown as PostgresPoolClient['query'],
    release: (discard) => client.release(broken || discard === true),
  }
}

interface Server {
  readonly address: PeerAddress
  readonly tls?: ClientTls | undefined
}

function createServer(
  { address, tls }: Server,
  { config, trusted, log, limit }: Required<PoolOptions>,
): pg.Pool {
  const { timeout, database, username, password, schema } = config
  const { host, port } = placeOf(address)
  const pool = new pg.Pool({
    host,
    port,
    database,
    user: username,
    // A function: of an empty text pg thinks that it is to look around for another one.
    password: () => password?.reveal() ?? '',
    ssl: tls === undefined ? false : secure(clientTlsOptions(tls, trusted, host), host),
    ...(address.kind === 'tcp' &&
      address.family !== undefined && { stream: () => socketOf(address.family) }),
    application_name: 'vestibule',
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: timeout,
    idleTimeoutMillis: 30_000,
    query_timeout: limit + MARGIN,
    keepAlive: true,
    types: { getTypeParser },
    onConnect: async (client) => {
      await client.query(
        `set search_path to ${quoted(schema)}; set statement_timeout to ${limit};` +
          `set idle_in_transaction_session_timeout to ${limit * 2}; set standard_conforming_strings to on`,
      )
      const { rows } = await client.query<{ standby: boolean }>(
        'select pg_is_in_recovery() as standby',
      )
      if (rows[0]?.standby !== false) throw new Standby(`${host} is a standby`)
    },
  })
  // What happens to a connection that is idle. Without listeners these would end the process.
  pool.on('connect', (client) => client.on('error', () => {}))
  pool.on('error', (error) =>
    log.info({ store: 'postgres', problem: error.message }, 'an idle connection was lost'),
  )
  return pool
}

/** @throws OperatorError when key or certificates are none that can be used: better now than at each connection */
function secure(options: ConnectionOptions, host: string): ConnectionOptions {
  try {
    createSecureContext(options)
  } catch (error) {
    throw new OperatorError(
      `storage.postgres.tls cannot be used: ${error instanceof Error ? error.message : error}`,
      'see private_key and certificate_chain',
      { cause: error },
    )
  }
  // pg puts the address into `servername`, whatever stands there.
  const name = options.servername ?? options.host ?? host
  return { ...options, checkServerIdentity: (_, peer) => checkServerIdentity(name, peer) }
}

/** pg wants the folder of a socket, and the port that ends its name. */
function placeOf(address: PeerAddress): { host: string; port: number } {
  if (address.kind === 'tcp') return address
  const [, folder = address.path, port = '5432'] =
    /^(.*)\/\.s\.PGSQL\.(\d{1,5})$/.exec(address.path) ?? []
  return { host: folder, port: Number(port) }
}

/** As an operator writes it. */
export const nameOf = (address: PeerAddress): string =>
  address.kind === 'unix'
    ? address.path
    : `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`

/** A socket that goes to addresses of one family only. */
function socketOf(family: 4 | 6 | undefined): net.Socket {
  const socket = new net.Socket()
  const connect = socket.connect.bind(socket)
  const options = (port: number, host: string) =>
    family === undefined ? { port, host } : { port, host, family }
  // pg calls it with port and host, and no other way.
  socket.connect = ((port: number, host: string) => connect(options(port, host))) as typeof connect
  return socket
}

const INT8 = 20

/** A bigint as a number, as SQLite gives it: pg gives a text. */
const getTypeParser: typeof pg.types.getTypeParser = (oid, format) =>
  Number(oid) === INT8 ? toNumber : pg.types.getTypeParser(oid, format)

function toNumber(text: string): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number)) throw new RangeError(`a number too large to be read: ${text}`)
  return number
}

/** https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS */
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
