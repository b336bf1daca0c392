/**
 * What the server consists of, opened in the order in which one part needs the other. A start that fails half-way closes
 * what was opened, the newest first, and so does the end of the server.
 */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { type App, createApp } from '../app.ts'
import { commandsOf } from '../control/commands.ts'
import { socketPath } from '../control/protocol.ts'
import { openControlServer } from '../control/server.ts'
import { type Audit, createAudit } from '../features/audit/index.ts'
import { createHub, type Hub } from '../features/hub/index.ts'
import { createNotifier, type Notifier } from '../features/notify/index.ts'
import { createPasswords, type Passwords } from '../features/passwords/index.ts'
import {
  createSecondFactor,
  createWebauthn,
  forgetTrustOf,
  webauthnMethod,
} from '../features/second-factor/index.ts'
import {
  createRedisOnce,
  createRedisStore,
  createSessions,
  createSqliteOnce,
  createSqliteStore,
  endOutdatedSessions,
  type OnceStore,
  type Sessions,
} from '../features/sessions/index.ts'
import { createThrottle, throttleNotes } from '../features/throttle/index.ts'
import {
  createUsers,
  hashParameters,
  openPasswordMarks,
  type Users,
  usersFileOf,
} from '../features/users/index.ts'
import { type Config, sealed } from '../features.ts'
import { type DataDirectory, openDataDirectory } from '../files/data-directory.ts'
import type { Clock } from '../kernel/clock.ts'
import { bindOperations } from '../kernel/operation.ts'
import { OperatorError } from '../kernel/operator-error.ts'
import type { Sealer } from '../kernel/seal.ts'
import type { Secret } from '../kernel/secret.ts'
import type { Log } from '../log/index.ts'
import { operations as allOperations } from '../operations.ts'
import {
  type KeyWatch,
  openSealer,
  openStorage,
  type Storage,
  type StorageOptions,
  watchKey,
} from '../storage/index.ts'
import type { openRedis } from '../storage/redis/index.ts'
import { storageOptions } from './database.ts'
import { warnOfUnknownSubjects } from './reload.ts'

type Redis = Awaited<ReturnType<typeof openRedis>>

export interface Setting {
  readonly config: Config
  /** What relative paths are relative to. */
  readonly cwd: string
  readonly clock: Clock
  readonly log: Log['log']
}

/** What listening, reloading and the first start need. Disposing of it closes everything. */
export interface Services extends AsyncDisposable {
  readonly data: DataDirectory
  readonly usersFile: string
  readonly users: Users
  readonly sessions: Sessions
  readonly audit: Audit
  /** Seals columns of the database: those that the manifests name in `sealed`. */
  readonly sealer: Sealer
  /** Undefined without the section `notifier`. */
  readonly notifier: Notifier | undefined
  readonly app: App
}

/** @throws OperatorError when a part cannot be opened; nothing is open then */
export async function createServices(setting: Setting): Promise<Services> {
  const { config, clock, log } = setting
  await using opened = new AsyncDisposableStack()
  const stores = await openStores(setting, opened)
  const { data, storage, redis, trusted, key } = stores
  const audit = createAudit({ config: config['audit'], storage, trusted, clock, log })
  opened.defer(() => audit.close())
  const notifier = await openNotifier(setting, stores, opened)
  const identities = await openUsers(setting, stores, opened)
  const { users, usersFile, passwords } = identities
  const { sessions, hub, once, secrets } = await openSessions(
    { setting, stores, identities, audit },
    opened,
  )

  const throttle = await createThrottle({
    redis,
    ...throttleNotes(audit),
    afterLift: forgetTrustOf(storage),
    limits: config['failed_login_rate_limit'],
    regulation: config['regulation'],
    storage,
    users,
    passwords,
    clock,
    log,
  })
  opened.defer(() => throttle.close())
  const kept = { storage, once, sealer: key.sealer, clock }
  const webauthn = createWebauthn({ ...kept, config: config['webauthn'], secrets })
  const factors = createSecondFactor({
    ...{ ...kept, config, sessions, audit, users, throttle, log },
    methods: webauthn.isOn ? [webauthnMethod({ webauthn, audit, log })] : [],
    stored: [webauthn],
  })
  opened.defer(() => factors.close())

  const operations = bindOperations(allOperations, {
    factors: factors.registry,
    bans: throttle.bans,
    devices: throttle.devices,
    sessions,
    audit,
  })
  const app = await createApp(config, {
    log,
    clock,
    throttle,
    audit,
    users,
    sessions,
    factors,
    webauthn,
    hub,
    operations,
    checks: {
      storage: async () => {
        await storage.check()
        await key.check()
      },
      ...(redis !== undefined && { redis: redis.check }),
    },
  })
  opened.defer(() => app.fastify.close())

  const control = await openControlServer({
    path: socketPath(data.path),
    commands: commandsOf(operations),
    log,
  })
  opened.defer(() => control.close())

  // From here on the caller owns what is open.
  const all = opened.move()
  return {
    data,
    usersFile,
    users,
    sessions,
    audit,
    sealer: key.sealer,
    notifier,
    app,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

interface Stores {
  readonly data: DataDirectory
  readonly storage: Storage
  readonly key: KeyWatch
  /** Undefined without `session.redis`. */
  readonly redis: Redis | undefined
  /** Certificates that outgoing connections trust besides the usual. */
  readonly trusted: StorageOptions['trusted']
}

/** The data directory, which only one server may use, and the databases. */
async function openStores(
  { config, cwd, clock, log }: Setting,
  opened: AsyncDisposableStack,
): Promise<Stores> {
  const data = openDataDirectory(resolve(cwd, config['data_directory']))
  const lock = data.lock()
  opened.defer(() => lock.release())

  const options = storageOptions(config, { cwd, directory: data.path })
  const { trusted } = options
  const storage = await openStorage({ ...options, log })
  opened.defer(() => storage.close())
  const configured = config['storage'].encryption_key
  const sealer = await openSealer({ configured, data, storage, columns: sealed })
  const key = watchKey({ storage, sealer, log })
  opened.defer(() => key.close())

  const shared = config['session.redis']
  if (shared === undefined) return { data, storage, key, redis: undefined, trusted }
  // Most installations have no Redis, and load nothing of its client.
  const connect = (await import('../storage/redis/index.ts')).openRedis
  const redis = await connect({ config: shared, trusted, log, clock })
  opened.defer(() => redis.close())
  return { data, storage, key, redis, trusted }
}

/** Messages to users. Most installations without a second factor send none, and open nothing. */
async function openNotifier(
  { config, cwd, clock, log }: Setting,
  { storage, key: { sealer }, trusted }: Stores,
  opened: AsyncDisposableStack,
): Promise<Notifier | undefined> {
  const section = config['notifier']
  if (section === undefined) return undefined
  const options = { config: section, cwd, trusted, clock, storage, log, sealer }
  const notifier = await createNotifier(options)
  opened.defer(() => notifier.close())
  return notifier
}

interface Identities {
  readonly users: Users
  readonly usersFile: string
  readonly passwords: Passwords
  readonly marks: ReturnType<typeof openPasswordMarks>
}

async function openUsers(
  { config, cwd, clock, log }: Setting,
  { data, storage }: Stores,
  opened: AsyncDisposableStack,
): Promise<Identities> {
  const file = config['authentication_backend.file']
  const hashing = config['authentication_backend.hashing']
  const passwords = createPasswords({
    parameters: hashParameters(file.password),
    concurrency: hashing.concurrency,
    queue: hashing.queue,
    clock,
  })
  opened.defer(() => passwords.close())

  const usersFile = usersFileOf(file.path, data.path, cwd)
  const marks = openPasswordMarks(storage)
  const users = await createUsers({
    config,
    place: { resolve: (path) => resolve(cwd, path), inDataDirectory: data.file },
    passwords,
    rehash: config['authentication_backend.rehash_on_login'],
    marks,
    separator: config['identity_headers'].separator,
    log,
  })
  opened.defer(() => users.close())
  warnOfUnknownSubjects(config['access_control'], users, log)
  if (users.isEmpty() && !marks.isEmpty() && existsSync(usersFile))
    throw new OperatorError(
      `the users file ${usersFile} has no users, and there were some at the last start`,
      'restore it from a backup; to begin anew with an administrator, remove it',
    )
  return { users, usersFile, passwords, marks }
}

async function openSessions(
  {
    setting: { config, clock, log },
    stores: { data, storage, redis },
    identities: { users, marks },
    audit,
  }: {
    readonly setting: Setting
    readonly stores: Stores
    readonly identities: Identities
    readonly audit: Audit
  },
  opened: AsyncDisposableStack,
): Promise<{
  readonly sessions: Sessions
  readonly hub: Hub | undefined
  readonly once: OnceStore
  readonly secrets: readonly Secret[]
}> {
  const recordRevoked = (user: string, count: number): void => {
    const details = { sessions: count, reason: 'user-changed' } as const
    audit.record('session.revoked', { user, actor: 'system', details })
  }
  const secrets = config['session'].secret ?? [data.secret('session')]
  const sessions = createSessions({
    config: config['session'],
    store:
      redis === undefined
        ? createSqliteStore(storage)
        : createRedisStore({ connection: redis, clock, moves: secrets.length > 1 }),
    secrets,
    cacheSize: config['session'].cache_size,
    users,
    onRemoved: recordRevoked,
    clock,
    log,
  })
  opened.defer(() => sessions.close())
  const once = redis === undefined ? createSqliteOnce(storage) : createRedisOnce(redis)
  const hub = createHub({
    config: config['session.hub'],
    sessions,
    once,
    secrets,
    clock,
  })
  await endOutdatedSessions({ users, sessions, marks, ended: recordRevoked, log })
  return { sessions, hub, once, secrets }
}
