import type { Logger } from 'pino'
import { formatFaults, formatPath, formatPlace, type LoadResult } from '../config/index.ts'
import { unknownSubjectsIn } from '../features/access/index.ts'
import type { Audit } from '../features/audit/index.ts'
import type { Users } from '../features/users/index.ts'
import type { Config, LiveSlice } from '../features.ts'
import { watchFiles } from '../files/watcher.ts'
import type { EpochMs } from '../kernel/clock.ts'
import { Secret } from '../kernel/secret.ts'
import type { Log } from '../log/index.ts'

/** What reading the configuration gives: all of it, or everything that is wrong with it. */
export type Loaded = LoadResult<Config>

/**
 * How a slice is taken up that its manifest declares live. What may throw is done at the call, what cannot in the function
 * that it returns: all of the new is in force, or all of the old.
 */
export type TakeUp = (config: Config) => () => void

export interface Reloader {
  /** Reads everything again: configuration, users, log files. What SIGHUP does. */
  all(): Promise<void>
  close(): void
}

/** A file was changed: by whom is not known. */
const BY_OPERATOR = { user: '', actor: 'operator' } as const
/** Editors and config maps write in several steps. Milliseconds. */
const REST = 250
/** A folder of configuration files may gain one. Not every name: the folder may hold the log file too. */
const CONFIG_FILE = /\.ya?ml$/i

export interface ReloaderOptions {
  readonly load: () => Promise<Loaded>
  readonly active: {
    readonly config: Config
    readonly revision: string
    readonly sources: readonly string[]
    /** When reading it began. */
    readonly readAt: EpochMs
  }
  readonly log: Pick<Log, 'log' | 'reopen'>
  /** By slice; one function may take up several. */
  readonly live: Readonly<Record<LiveSlice, TakeUp>>
  readonly users: Users
  readonly audit: Pick<Audit, 'record'>
}

/**
 * Takes up changes while requests go on: validated first; on a fault the old stays, and the log says why, where, and
 * which revision is active (authelia#10280: a reload that was skipped must say so).
 */
export function createReloader({
  load,
  active,
  log: { log, reopen },
  live,
  users,
  audit,
}: ReloaderOptions): Reloader {
  let { config, revision, sources } = active

  const reloadConfig = async (asked = false): Promise<void> => {
    const result = await load()
    if (!result.ok) {
      reportRefused(result, revision, log)
      const details = { revision, faults: result.faults.length }
      audit.record('config.refused', { ...BY_OPERATOR, details })
      return
    }
    if (result.revision === revision) {
      if (asked) log.info({ revision }, `the configuration is unchanged: revision ${revision}`)
      return
    }
    const changed = changedKeys(config, result.config)
    const waiting = waitingFor(active.config, result.config, Object.keys(live))
    const prepared = [...new Set(Object.values(live))].map((takeUp) => takeUp(result.config))
    for (const apply of prepared) apply()
    for (const warning of result.warnings) log.warn(`${formatPlace(warning)}: ${warning.message}`)
    warnOfUnknownSubjects(result.config['access_control'], users, log)
    ;({ config, revision, sources } = result)
    log.info(
      { revision, changed: changed.join(', ') },
      `revision ${revision} of the configuration is active`,
    )
    const details = { revision, changed: changed.join(', ') }
    audit.record('config.reloaded', { ...BY_OPERATOR, details })
    if (waiting.length > 0)
      log.warn({ revision }, `changed since the start, but needs a restart: ${waiting.join(', ')}`)
  }

  const queue = oneAtATime((error) =>
    log.error(
      { err: error, revision },
      `the configuration was not reloaded; revision ${revision} stays active`,
    ),
  )

  const watching = watchFiles({
    files: () => sources,
    alsoNames: CONFIG_FILE,
    // Not once more at the start: ten thousand rules take a second to read, and requests wait meanwhile.
    readAt: active.readAt,
    rest: REST,
    changed: () => void queue(() => reloadConfig()),
    unwatched: (folder, error) =>
      log.warn({ err: error, folder }, 'changes here are only looked for every few seconds'),
  })

  return {
    async all() {
      reopen()
      log.info('reloading: asked to by a signal')
      await queue(async () => {
        await reloadConfig(true)
        const result = await users.reload()
        if (result.ok)
          log.info({ users: result.users, revision: result.revision }, 'the users are reloaded')
      })
    },
    close: watching.close,
  }
}

/** Two changes in a row must not overtake each other. */
function oneAtATime(failed: (error: unknown) => void) {
  let last: Promise<void> = Promise.resolve()
  return (work: () => Promise<void>): Promise<void> => {
    last = last.then(work).catch(failed)
    return last
  }
}

function reportRefused(
  { faults, warnings }: Extract<Loaded, { ok: false }>,
  revision: string,
  log: Pick<Logger, 'error' | 'warn'>,
): void {
  for (const fault of faults) {
    const { source, line, column } = fault
    log.error({ source, line, column }, formatFaults([fault]).trim())
  }
  for (const warning of warnings) log.warn(`${formatPlace(warning)}: ${warning.message}`)
  log.error({ revision }, `the configuration was not reloaded; revision ${revision} stays active`)
}

/**
 * The keys whose change needs a restart, compared with the configuration of the start: a key that was changed back needs
 * none, and a key that still waits is named at each reload.
 */
const waitingFor = (atStart: Config, now: Config, live: readonly string[]): string[] =>
  changedKeys(atStart, now).filter(
    (key) => !live.some((slice) => key === slice || key.startsWith(`${slice}.`)),
  )

/** Names in rules that no user and no group has. By their paths: where they were written is forgotten by now. */
export function warnOfUnknownSubjects(
  control: Config['access_control'],
  users: Pick<Users, 'directory'>,
  log: Pick<Logger, 'warn'>,
): void {
  for (const { path, message } of unknownSubjectsIn(control, users.directory()))
    log.warn(`${formatPath(path)}: ${message}`)
}

/** Dotted paths whose value differs; a list counts as one value. */
export function changedKeys(before: unknown, after: unknown, path = ''): string[] {
  if (isPlain(before) && isPlain(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)])
    const changed = [...keys].flatMap((key) =>
      changedKeys(before[key], after[key], path === '' ? key : `${path}.${key}`),
    )
    // A parsed address was written as one value.
    return changed.length > 0 && 'kind' in before ? [path] : changed
  }
  return same(before, after) ? [] : [path]
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Secret)
  )
}

function same(a: unknown, b: unknown): boolean {
  if (a instanceof Secret && b instanceof Secret) return a.reveal() === b.reveal()
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, i) => changedKeys(item, b[i]).length === 0)
  return Object.is(a, b)
}
