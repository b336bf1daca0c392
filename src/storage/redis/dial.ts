import type { ConnectionOptions } from 'node:tls'
import type { Cluster, Redis, RedisOptions } from 'ioredis'
import { clientTlsOptions } from '../../kernel/client-tls.ts'
import { RedisFault, toFault } from './fault.ts'
import type { RedisConfig } from './manifest.ts'
import { findMaster } from './sentinels.ts'

/** A server, the master that sentinels name, or a cluster: the commands are the same. */
export type RedisClient = Redis | Cluster

/** One node of a cluster. */
export interface NodeAddress {
  readonly host: string
  readonly port: number
}

export interface Dialer {
  /** For messages: where it is, without credentials. */
  readonly address: string
  readonly isCluster: boolean
  /**
   * Opens a connection that is ready for commands. It does not come back by itself once it is lost (`end`).
   * @param limit milliseconds
   * @throws RedisFault
   */
  dial(limit: number): Promise<RedisClient>
  /**
   * A connection of its own to the server that `dial` leads to, or to one node of the cluster.
   * @throws RedisFault
   */
  dialServer(limit: number, node?: NodeAddress): Promise<Redis>
  /** What the sentinels call the group of servers; empty without sentinels. */
  readonly group: string
  /** A client for each sentinel, not connected yet; it comes back by itself. None without sentinels. */
  openSentinels(): Promise<Redis[]>
}

const SENTINEL_PORT = 26_379
const PORT = 6379
/** A sentinel or node that is silent must not cost the whole attempt: the next one is asked. Milliseconds. */
const ONE_OF_MANY = 300
/** How soon a sentinel that is away is tried again. Milliseconds. */
const SENTINEL_RETRY = 500

/**
 * @param trusted certificates that are trusted, all of them; undefined: Node's
 */
export function createDialer(config: RedisConfig, trusted: readonly string[] | undefined): Dialer {
  const { high_availability: ha, cluster } = config
  const { common, seeds, single, server, sentinel, tls } = optionsFor(config, trusted)

  const openSentinels = async (retry: number | null): Promise<Redis[]> => {
    if (ha === undefined) return []
    const { Redis } = await import('ioredis')
    const clients = seeds(SENTINEL_PORT).map(
      (where) => new Redis({ ...sentinel, ...where, retryStrategy: () => retry }),
    )
    // Without a listener the library prints; what goes wrong is told by what was asked.
    for (const client of clients) client.on('error', () => {})
    return clients
  }

  const masterOptions = async (): Promise<RedisOptions> => {
    if (ha === undefined) return server
    const sentinels = await openSentinels(null)
    try {
      return single(await findMaster(sentinels, ha.sentinel_name))
    } finally {
      for (const sentinel of sentinels) dismiss(sentinel)
    }
  }

  const openServer = async (limit: number, options: RedisOptions): Promise<Redis> => {
    const { Redis } = await import('ioredis')
    return becomeReady(
      new Redis({ ...options, replyMapping: 'legacy', connectTimeout: limit }),
      limit,
    )
  }

  const openMaster = async (limit: number): Promise<Redis> => {
    const began = performance.now()
    const options = await masterOptions()
    const client = await openServer(Math.max(1, limit - (performance.now() - began)), options)
    if (ha === undefined) return client
    // Sentinels may name one that was a master a moment ago.
    const [role] = await client.role().catch((error: unknown) => {
      dismiss(client)
      throw toFault(error)
    })
    if (role === 'master') return client
    dismiss(client)
    throw new RedisFault('READONLY', 'the sentinels name a replica')
  }

  return {
    address: describe(config, ha === undefined ? PORT : SENTINEL_PORT),
    isCluster: cluster !== undefined,
    async dial(limit) {
      if (cluster === undefined) return openMaster(limit)
      const { Cluster } = await import('ioredis')
      const client = new Cluster(seeds(PORT), {
        lazyConnect: true,
        enableOfflineQueue: false,
        clusterRetryStrategy: () => null,
        slotsRefreshTimeout: ONE_OF_MANY,
        // What moved without a message (a failover) is known after this long at the latest.
        slotsRefreshInterval: 1000,
        retryDelayOnFailover: 50,
        retryDelayOnClusterDown: 50,
        retryDelayOnTryAgain: 20,
        // Certificates are for names.
        ...(tls !== undefined && { dnsLookup: (name, callback) => callback(null, name) }),
        redisOptions: { ...common, connectTimeout: Math.min(limit, ONE_OF_MANY) },
      })
      return becomeReady(client, limit)
    },
    group: ha?.sentinel_name ?? '',
    openSentinels: () => openSentinels(SENTINEL_RETRY),
    dialServer: (limit, node) =>
      node === undefined ? openMaster(limit) : openServer(limit, single({ ...node, db: 0 })),
  }
}

/** What ioredis is told, by what it opens. */
function optionsFor(config: RedisConfig, trusted: readonly string[] | undefined) {
  const { host = '', username = '', high_availability: ha, cluster } = config
  const tls = config.tls === undefined ? undefined : tlsFor(config, trusted)
  const common = {
    // RESP3 would be the default, and the library drops what Redis pushes about changed keys then.
    protocol: 2,
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    // How soon it looks again while Redis reads its data; a second otherwise, and all requests wait for it.
    maxLoadingRetryTime: 25,
    disableClientInfo: true,
    noDelay: true,
    keepAlive: 10_000,
    // Ours is a destroyed socket (dismiss); this is for those the library closes.
    disconnectTimeout: 100,
    ...(username !== '' && { username }),
    ...(config.password !== undefined && { password: config.password.reveal() }),
    ...(tls !== undefined && { tls }),
  } as const satisfies RedisOptions
  const seeds = (port: number): NodeAddress[] => [
    ...(host === '' ? [] : [{ host, port: config.port ?? port }]),
    ...((ha ?? cluster)?.nodes ?? []),
  ]
  const single = (where: RedisOptions): RedisOptions => ({
    ...common,
    ...where,
    db: config.database_index,
    retryStrategy: null,
  })
  const server = single(host.startsWith('/') ? { path: host } : { host, port: config.port ?? PORT })
  const sentinel = {
    protocol: 2,
    replyMapping: 'legacy',
    lazyConnect: true,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    autoResubscribe: false,
    disableClientInfo: true,
    keepAlive: 10_000,
    disconnectTimeout: 100,
    connectTimeout: ONE_OF_MANY,
    commandTimeout: ONE_OF_MANY,
    ...(ha?.sentinel_username && { username: ha.sentinel_username }),
    ...(ha?.sentinel_password !== undefined && { password: ha.sentinel_password.reveal() }),
    ...(tls !== undefined && { tls }),
  } as const satisfies RedisOptions
  return { common, seeds, single, server, sentinel, tls }
}

function tlsFor({ tls }: RedisConfig, trusted: readonly string[] | undefined): ConnectionOptions {
  if (tls === undefined) return {}
  // `host` would replace the host that is connected to; without server_name it is each server's own.
  const { host: _, servername, ...options } = clientTlsOptions(tls, trusted, '')
  return servername ? { ...options, servername } : options
}

function describe(
  { host = '', port, high_availability: ha, cluster }: RedisConfig,
  standard: number,
) {
  if (host.startsWith('/')) return host
  const nodes = (ha ?? cluster)?.nodes ?? []
  const all = [
    ...(host === '' ? [] : [`${host}:${port ?? standard}`]),
    ...nodes.map((node) => `${node.host}:${node.port}`),
  ].join(', ')
  if (ha !== undefined) return `${ha.sentinel_name} (sentinels ${all})`
  return cluster === undefined ? all : `${all} (cluster)`
}

async function becomeReady<C extends RedisClient>(client: C, limit: number): Promise<C> {
  let said: unknown
  const listen = (error: unknown): void => {
    said = error
  }
  // Without a listener the library prints, for as long as it lives.
  for (const event of ['error', 'node error']) client.on(event, listen)
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => reject(said ?? new RedisFault('LATE', `no answer within ${Math.round(limit)} ms`)),
    limit,
  )
  try {
    await Promise.race([client.connect(), promise])
    return client
  } catch (error) {
    dismiss(client)
    // What the promise says is often only that the connection is closed.
    throw toFault(said ?? error)
  } finally {
    clearTimeout(timer)
  }
}

/** Closes at once; what is under way on it fails. A peer that is silent is not waited for. */
export function dismiss(client: RedisClient): void {
  const servers = 'nodes' in client ? client.nodes() : [client]
  // A look for slots that is under way begins the next ones even so, each second and for ever.
  if ('nodes' in client) client.refreshSlotsCache = () => {}
  client.disconnect()
  // Undefined until it is connected; the types do not say so.
  for (const { stream } of servers as { stream?: Redis['stream'] }[]) stream?.destroy()
}
