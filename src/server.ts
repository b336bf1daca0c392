/**
 * The process: reads the configuration, opens what has to be open, listens, takes up changes, and goes in good order.
 */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Writable } from 'node:stream'
import { createApp, MAX_HEADER_BYTES } from './app.ts'
import { formatFaults, formatNotice, formatPlace, loadConfig } from './config/index.ts'
import { auditCommands } from './control/audit.ts'
import { banCommands, deviceCommands } from './control/bans.ts'
import { socketPath } from './control/protocol.ts'
import { openControlServer } from './control/server.ts'
import { sessionCommands } from './control/sessions.ts'
import { createAudit } from './features/audit/index.ts'
import { createHub } from './features/hub/index.ts'
import { createPasswords } from './features/passwords/index.ts'
import {
  createRedisOnce,
  createRedisStore,
  createSessions,
  createSqliteOnce,
  createSqliteStore,
  endOutdatedSessions,
} from './features/sessions/index.ts'
import { createThrottle, throttleNotes } from './features/throttle/index.ts'
import {
  createUsers,
  hashParameters,
  openPasswordMarks,
  usersFileOf,
} from './features/users/index.ts'
import { features, migrations } from './features.ts'
import { openDataDirectory } from './files/data-directory.ts'
import { admitAdmin } from './first-admin.ts'
import { shrinkHeapSoon } from './heap.ts'
import { createHeaderSets } from './http/headers.ts'
import { type EpochMs, systemClock } from './kernel/clock.ts'
import { AppError } from './kernel/errors.ts'
import { Refusal } from './kernel/refusal.ts'
import { listen } from './listen.ts'
import { createLog, type Log, logSettings } from './log/index.ts'
import { createReloader, type Loaded, warnOfUnknownSubjects } from './reload.ts'
import { loadForStart } from './start-checks.ts'
import { openStorage, trustedCertificates } from './storage/index.ts'

export interface ServeOptions {
  /** Configuration files and directories; none: the embedded defaults. */
  readonly files: readonly string[]
  readonly filters?: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly stdout: Writable
  readonly stderr: Writable
  /** Standard output is a terminal. */
  readonly isTTY: boolean
  readonly version: string
  /** How requests come in. `router`: all through Fastify's router, to compare the two ways; not for users. */
  readonly entrance?: 'both' | 'router'
}

type Accepted = Extract<Loaded, { ok: true }>

/**
 * How long requests under way may take once the server was asked to stop. Milliseconds: docker kills after ten seconds, and
 * what is still to be written comes after them.
 */
const GRACE = 8_000

/** @returns the exit status once the server has ended: 0 after SIGTERM or SIGINT, 1 when it could not start */
export async function serve(options: ServeOptions): Promise<number> {
  const load = () =>
    loadConfig({
      files: options.files,
      filters: options.filters ?? [],
      env: options.env,
      features,
      cwd: options.cwd,
    })
  const readAt = systemClock.now()
  const loaded = await loadForStart(options)
  if (!loaded.ok) {
    const count = loaded.faults.length
    const warnings = loaded.warnings.map((warning) => `warning: ${formatNotice(warning)}\n`)
    options.stderr.write(
      `${formatFaults(loaded.faults)}\n${warnings.join('')}vestibule: the configuration has ${count === 1 ? 'a fault' : `${count} faults`}; nothing was started\n`,
    )
    return 1
  }
  /** What has been opened, newest first: closed in this order, also when starting fails half-way. */
  const opened: (() => unknown)[] = []
  const close = async () => {
    for (const one of opened.splice(0)) await one()
  }
  try {
    const log = createLog(logSettings(loaded.config['log'], options.isTTY), options.stdout)
    opened.unshift(() => log.close())
    const signal = await start({
      options,
      loaded,
      readAt,
      load,
      log,
      onClose: (one) => opened.unshift(one),
    })
    log.log.info({ signal }, 'stopping')
    await close()
    return 0
  } catch (error) {
    await close()
    const refusal = asRefusal(error)
    const hint = refusal.hint === undefined ? '' : `\n  ${refusal.hint}`
    options.stderr.write(`vestibule: ${refusal.message}${hint}\n`)
    return 1
  }
}

/** @throws what is neither: a bug, for the command line to report as one */
function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  if (!(error instanceof AppError)) throw error
  return new Refusal(error.message, JSON.stringify(error.details), { cause: error })
}

interface Start {
  readonly options: ServeOptions
  readonly loaded: Accepted
  /** When reading it began. */
  readonly readAt: EpochMs
  readonly load: () => Promise<Loaded>
  readonly log: Log
  /** Registers what has to be closed; the latest is closed first. */
  readonly onClose: (close: () => unknown) => void
}

/** @returns the signal that ended it */
async function start({
  options,
  loaded,
  readAt,
  load,
  log: logging,
  onClose,
}: Start): Promise<string> {
  const { config, warnings, sources, revision } = loaded
  const { log } = logging
  const clock = systemClock
  log.info({ version: options.version }, `Vestibule ${options.version} is starting`)
  for (const warning of warnings) log.warn(`${formatPlace(warning)}: ${warning.message}`)

  const data = openDataDirectory(resolve(options.cwd, config['data_directory']))
  const lock = data.lock()
  onClose(() => lock.release())

  const certificates = config['certificates_directory'] ?? ''
  const trusted = trustedCertificates(certificates && resolve(options.cwd, certificates))
  const { local, postgres } = config['storage']
  const storage = await openStorage({
    path: local.path === '' ? data.file('vestibule.sqlite3') : resolve(options.cwd, local.path),
    postgres,
    trusted,
    migrations,
    log,
  })
  onClose(() => storage.close())

  const shared = config['session.redis']
  const connect = shared && (await import('./storage/redis/index.ts')).openRedis
  const redis = shared && (await connect?.({ config: shared, trusted, log, clock }))
  if (redis !== undefined) onClose(() => redis.close())

  const audit = createAudit({ config: config['audit'], storage, trusted, clock, log })
  onClose(() => audit.close())

  const hashing = config['authentication_backend.hashing']
  const passwords = createPasswords({
    parameters: hashParameters(config['authentication_backend.file'].password),
    concurrency: hashing.concurrency,
    queue: hashing.queue,
    clock,
  })
  onClose(() => passwords.close())

  const usersFile = usersFileOf(config['authentication_backend.file'].path, data.path, options.cwd)
  const marks = openPasswordMarks(storage)
  const users = await createUsers({
    config: config['authentication_backend.file'],
    path: usersFile,
    passwords,
    rehash: config['authentication_backend.rehash_on_login'],
    marks,
    separator: config['identity_headers'].separator,
    log,
  })
  onClose(() => users.close())
  warnOfUnknownSubjects(config['access_control'], users, log)
  if (users.isEmpty() && !marks.isEmpty() && existsSync(usersFile))
    throw new Refusal(
      `the users file ${usersFile} holds nobody, and there were users at the last start`,
      'restore it from a backup; to begin anew with an administrator, remove it',
    )
  const noteRevoked = (user: string, sessions: number): void => {
    const details = { sessions, reason: 'user-changed' } as const
    audit.record('session.revoked', { user, actor: 'system', details })
  }

  const secrets = config['session'].secret ?? [data.secret('session')]
  const sessions = createSessions({
    config: config['session'],
    store:
      redis === undefined
        ? createSqliteStore(storage)
        : createRedisStore({ link: redis, clock, moves: secrets.length > 1 }),
    secrets,
    cacheSize: config['session'].cache_size,
    users,
    onRemoved: noteRevoked,
    clock,
    log,
  })
  onClose(() => sessions.close())
  const hub = createHub({
    config: config['session.hub'],
    sessions,
    once: redis === undefined ? createSqliteOnce(storage) : createRedisOnce(redis),
    secrets,
    clock,
  })
  await endOutdatedSessions({ users, sessions, marks, ended: noteRevoked, log })

  const throttle = await createThrottle({
    redis,
    ...throttleNotes(audit),
    limits: config['failed_login_rate_limit'],
    regulation: config['regulation'],
    storage,
    users,
    passwords,
    clock,
    log,
  })
  onClose(() => throttle.close())

  const app = await createApp(config, {
    log,
    clock,
    throttle,
    audit,
    users,
    sessions,
    hub,
    checks: {
      storage: () => storage.check(),
      ...(redis !== undefined && { redis: redis.check }),
    },
  })
  onClose(() => app.fastify.close())

  const control = await openControlServer({
    path: socketPath(data.path),
    commands: {
      ...banCommands(throttle.bans),
      ...deviceCommands(throttle.devices),
      ...sessionCommands(sessions, audit),
      ...auditCommands(audit),
    },
    log,
  })
  onClose(() => control.close())

  // Whoever reads the first password off the output must not be faster than its digest is stored: until then requests wait.
  const handle = options.entrance === 'router' ? app.fastify.routing : app.handle
  const doors = Promise.withResolvers<void>()
  let admitted = false
  const { address, headers, timeouts } = config['server']
  const listening = await listen(address, {
    handler: (request, response) => {
      if (admitted) handle(request, response)
      else void doors.promise.then(() => handle(request, response))
    },
    connected: app.connected,
    maxHeaderBytes: MAX_HEADER_BYTES,
    timeouts,
    refusalHeaders: createHeaderSets({
      hsts: headers.hsts,
      frameAncestors: headers.frame_ancestors,
    }).api,
    onError: (error) => log.error({ err: error }, 'a connection could not be accepted'),
  })
  onClose(async () => {
    const cut = await listening.drain(GRACE)
    if (cut > 0) log.warn({ connections: cut }, 'connections were cut that did not end in time')
  })

  const reloader = createReloader({
    load,
    active: { config, revision, sources, readAt },
    logging,
    access: app.access,
    users,
    audit,
  })
  onClose(() => reloader.close())

  const ended = signals(() => void reloader.all())
  // Once we listen: a start that fails must not have made a user whose password nobody has seen.
  await admitAdmin({
    config,
    users,
    sessions,
    data,
    usersFile,
    audit,
    log,
    say: (text) => options.stdout.write(text),
  })
  admitted = true
  doors.resolve()
  onClose(shrinkHeapSoon())
  log.info({ revision }, `listening on ${listening.urls.join(' and ')}`)
  for (const { portalUrl, domain } of sessions.domains) {
    if (portalUrl !== undefined) log.info(`the portal of ${domain} is ${portalUrl.href}`)
  }
  return ended
}

/** SIGHUP reloads; SIGTERM and SIGINT end it in good order; a second one of these ends it at once. */
function signals(reload: () => void): Promise<string> {
  process.on('SIGHUP', reload)
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        // From here on the default action is back: asking twice is meant.
        process.removeAllListeners('SIGTERM')
        process.removeAllListeners('SIGINT')
        process.removeListener('SIGHUP', reload)
        process.on('SIGHUP', () => {})
        resolve(signal)
      })
    }
  })
}
