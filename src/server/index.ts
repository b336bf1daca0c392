/**
 * The process: reads the configuration, opens what has to be open, listens, takes up changes, and ends in good order.
 */
import type { Writable } from 'node:stream'
import { type App, MAX_HEADER_BYTES } from '../app.ts'
import { formatFaults, formatNotice, formatPlace } from '../config/index.ts'
import { createAccess, type LiveAccess } from '../features/access/index.ts'
import type { LiveSlice } from '../features.ts'
import { createHeaderSets } from '../http/headers.ts'
import { type EpochMs, systemClock } from '../kernel/clock.ts'
import { AppError } from '../kernel/errors.ts'
import { OperatorError } from '../kernel/operator-error.ts'
import { createLog, type Log, logSettings } from '../log/index.ts'
import { usersFile } from '../services/users.ts'
import { admitAdmin } from './first-admin.ts'
import { shrinkHeapSoon } from './heap.ts'
import { type Listening, listen } from './listen.ts'
import { createReloader, type Loaded, type TakeUp } from './reload.ts'
import { openServices } from './services.ts'
import { signals } from './signals.ts'
import { loadForStart } from './start-checks.ts'

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
  const { files, filters = [], env, cwd } = options
  const load = () => loadForStart({ files, filters, env, cwd })
  const readAt = systemClock.now()
  const loaded = await load()
  if (!loaded.ok) {
    const count = loaded.faults.length
    const warnings = loaded.warnings.map((warning) => `warning: ${formatNotice(warning)}\n`)
    options.stderr.write(
      `${formatFaults(loaded.faults)}\n${warnings.join('')}vestibule: the configuration has ${count === 1 ? 'a fault' : `${count} faults`}; nothing was started\n`,
    )
    return 1
  }
  try {
    await using opened = new AsyncDisposableStack()
    const logging = createLog(logSettings(loaded.config['log'], options.isTTY), options.stdout)
    opened.defer(() => logging.close())
    const signal = await run({ options, loaded, readAt, load, logging }, opened)
    logging.log.info({ signal }, 'stopping')
    return 0
  } catch (error) {
    const said = asOperatorError(error)
    const hint = said.hint === undefined ? '' : `\n  ${said.hint}`
    options.stderr.write(`vestibule: ${said.message}${hint}\n`)
    return 1
  }
}

/** @throws the error itself when it is neither: a bug, which the command line reports as one */
function asOperatorError(error: unknown): OperatorError {
  if (error instanceof OperatorError) return error
  if (!(error instanceof AppError)) throw error
  return new OperatorError(error.message, JSON.stringify(error.details), { cause: error })
}

interface Start {
  readonly options: ServeOptions
  readonly loaded: Accepted
  /** When reading it began. */
  readonly readAt: EpochMs
  readonly load: () => Promise<Loaded>
  readonly logging: Log
}

/** @returns the signal that ended it */
async function run(start: Start, opened: AsyncDisposableStack): Promise<string> {
  const { options, loaded, readAt, load, logging } = start
  const { config, warnings, sources, revision } = loaded
  const { log } = logging
  log.info({ version: options.version }, `Vestibule ${options.version} is starting`)
  for (const warning of warnings) log.warn(`${formatPlace(warning)}: ${warning.message}`)

  const { app, services } = opened.use(
    await openServices({ config, cwd: options.cwd, clock: systemClock, log }),
  )
  const { users, sessions, audit, data } = services
  // The first password is printed before its digest is stored: until it is stored, requests wait.
  const ready = Promise.withResolvers<void>()
  const listening = await listenFor(app, start, ready.promise)
  opened.defer(async () => {
    const cut = await listening.drain(GRACE)
    if (cut > 0) log.warn({ connections: cut }, 'connections were cut that did not end in time')
  })

  const reloader = createReloader({
    load,
    active: { config, revision, sources, readAt },
    log: logging,
    live: liveSlices(app.access, logging),
    users,
    audit,
  })
  opened.defer(() => reloader.close())

  const ended = signals(() => void reloader.all())
  // Once we listen: a start that fails must not have made a user whose password was never shown.
  await admitAdmin({
    ...{ config, users, sessions, audit, data, log },
    usersIn:
      config['authentication_backend.database'] === undefined
        ? usersFile(services)
        : 'the database',
    say: (text) => options.stdout.write(text),
  })
  ready.resolve()
  opened.defer(shrinkHeapSoon())
  log.info({ revision }, `listening on ${listening.urls.join(' and ')}`)
  for (const { portalUrl, domain } of sessions.domains) {
    if (portalUrl !== undefined) log.info(`the portal of ${domain} is ${portalUrl.href}`)
  }
  return ended
}

function liveSlices(
  access: LiveAccess,
  logging: Pick<Log, 'set'>,
): Readonly<Record<LiveSlice, TakeUp>> {
  const rules: TakeUp = (config) => {
    const next = createAccess(config['access_control'], config['definitions'].network)
    return () => access.replace(next)
  }
  return {
    access_control: rules,
    definitions: rules,
    log: (config) => () => logging.set(config['log']),
  }
}

/** @param ready requests wait for it */
function listenFor(
  app: App,
  { options, loaded, logging: { log } }: Start,
  ready: Promise<void>,
): Promise<Listening> {
  const handle = options.entrance === 'router' ? app.fastify.routing : app.handle
  let isReady = false
  void ready.then(() => {
    isReady = true
  })
  const { address, headers, timeouts } = loaded.config['server']
  return listen(address, {
    handler: (request, response) => {
      if (isReady) handle(request, response)
      else void ready.then(() => handle(request, response))
    },
    connected: app.connected,
    maxHeaderBytes: MAX_HEADER_BYTES,
    timeouts,
    errorHeaders: createHeaderSets({
      hsts: headers.hsts,
      frameAncestors: headers.frame_ancestors,
    }).api,
    onError: (error) => log.error({ err: error }, 'a connection could not be accepted'),
  })
}
