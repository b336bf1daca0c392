import { type FSWatcher, watch } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import type { Logger } from 'pino'
import { formatFaults, formatPath, formatPlace, type LoadResult } from './config/index.ts'
import { createAccess, strangersIn } from './features/access/index.ts'
import type { Audit } from './features/audit/index.ts'
import type { Users } from './features/users/index.ts'
import type { Config } from './features.ts'
import type { EpochMs } from './kernel/clock.ts'
import { Secret } from './kernel/secret.ts'
import type { LiveAccess } from './live-access.ts'
import type { Log } from './log/index.ts'

/** What reading the configuration gives: all of it, or everything that is wrong with it. */
export type Loaded = LoadResult<Config>

export interface Reloader {
  /** Reads everything again: configuration, users, log files. What SIGHUP does. */
  all(): Promise<void>
  close(): void
}

/** Slices that take effect without a restart. Everything else is named as needing one. */
const LIVE: readonly string[] = ['access_control', 'definitions', 'log']
/** Whoever may write the files: nobody can say which of them it was. */
const BY_OPERATOR = { user: '', actor: 'operator' } as const
/** Editors and config maps write in several steps. Milliseconds. */
const SETTLE = 250
/** Network file systems, a file mounted by itself and one behind a link tell nothing: one stat a file in so many ms does. */
const POLL_EVERY = 5_000
/** File systems keep times in steps of up to two seconds. */
const CLOCK_STEP = 2_000

/**
 * Takes up changes while requests go on: validated first; on a fault the old stays, and the log says why, where, and
 * which revision is active (authelia#10280: a reload that was skipped must say so).
 */
export function createReloader({
  load,
  active,
  logging: { log, set, reopen },
  access,
  users,
  audit,
}: {
  readonly load: () => Promise<Loaded>
  readonly active: {
    readonly config: Config
    readonly revision: string
    readonly sources: readonly string[]
    /** When reading it began. */
    readonly readAt: EpochMs
  }
  readonly logging: Log
  readonly access: LiveAccess
  readonly users: Users
  readonly audit: Pick<Audit, 'record'>
}): Reloader {
  let { config, revision, sources } = active
  let reading: Promise<void> = Promise.resolve()

  const reloadConfig = async (asked = false): Promise<void> => {
    const result = await load()
    if (!result.ok) {
      for (const fault of result.faults) {
        const { source, line, column } = fault
        log.error({ source, line, column }, formatFaults([fault]).trim())
      }
      for (const warning of result.warnings) log.warn(`${formatPlace(warning)}: ${warning.message}`)
      log.error(
        { revision },
        `the configuration was not reloaded; revision ${revision} stays active`,
      )
      const details = { revision, faults: result.faults.length }
      audit.record('config.refused', { ...BY_OPERATOR, details })
      return
    }
    if (result.revision === revision) {
      if (asked) log.info({ revision }, `the configuration is unchanged: revision ${revision}`)
      return
    }
    const changed = changedKeys(config, result.config)
    // Of the configuration of the start: what was changed and changed back needs nothing, what still waits is said again.
    const waiting = changedKeys(active.config, result.config).filter(
      (key) => !LIVE.some((slice) => key === slice || key.startsWith(`${slice}.`)),
    )
    // What may throw comes before what cannot: all of the new is in force, or all of the old.
    const rules = createAccess(
      result.config['access_control'],
      result.config['definitions'].network,
    )
    set(result.config['log'])
    access.replace(rules)
    for (const warning of result.warnings) log.warn(`${formatPlace(warning)}: ${warning.message}`)
    warnOfStrangers(result.config['access_control'], users, log)
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

  /** One at a time: two changes in a row must not overtake each other. */
  const queue = (work: () => Promise<void>): Promise<void> => {
    reading = reading.then(work).catch((error: unknown) => {
      log.error(
        { err: error, revision },
        `the configuration was not reloaded; revision ${revision} stays active`,
      )
    })
    return reading
  }

  const watching = watchFiles({
    files: () => sources,
    readAt: active.readAt,
    changed: () => void queue(() => reloadConfig()),
    log,
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

function watchFiles({
  files,
  readAt,
  changed,
  log,
}: {
  readonly files: () => readonly string[]
  readonly readAt: EpochMs
  readonly changed: () => void
  readonly log: Logger
}): { close(): void } {
  let timer: NodeJS.Timeout | undefined
  let stamp: string | undefined
  const look = async () => {
    // Before it is read: what is written from here on is another change.
    stamp = await stampOf(files())
    changed()
  }
  const soon = () => {
    clearTimeout(timer)
    timer = setTimeout(() => void look(), SETTLE)
    timer.unref()
  }
  const poll = setInterval(async () => {
    const now = await stampOf(files())
    if (stamp === undefined) {
      // The first time: what was written since the start began to read is a change, and nothing else. Ten thousand rules
      // take a second to read, and nobody is answered meanwhile.
      stamp = now
      if (await writtenSince(files(), readAt - CLOCK_STEP)) soon()
    } else if (now !== stamp) soon()
  }, POLL_EVERY)
  poll.unref()
  const watchers: FSWatcher[] = []
  // The folder and not the file: a rename over it, as editors and config maps do, ends a watch on the file itself.
  for (const folder of new Set(files().map((file) => dirname(file)))) {
    try {
      const watcher = watch(folder, { persistent: false }, (_event, name) => {
        if (name === null || isOfInterest(name, files())) soon()
      })
      watcher.on('error', (error) =>
        log.warn({ err: error, folder }, 'changes here are only looked for every few seconds'),
      )
      watchers.push(watcher)
    } catch (error) {
      log.warn({ err: error, folder }, 'changes here are only looked for every few seconds')
    }
  }
  return {
    close() {
      clearTimeout(timer)
      clearInterval(poll)
      for (const watcher of watchers) watcher.close()
    },
  }
}

/**
 * A folder may hold the log file too: were it of interest, every line about a fault would be the next change. YAML is, since a
 * folder of configuration files may gain one; `..data` is the link that Kubernetes turns when a config map changes.
 */
const isOfInterest = (name: string, files: readonly string[]): boolean =>
  name === '..data' || /\.ya?ml$/i.test(name) || files.some((file) => basename(file) === name)

/** Changes when one of them is written, replaced, removed, or its link is turned. */
async function stampOf(files: readonly string[]): Promise<string> {
  const stamps = files.map(async (file) => {
    try {
      const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true })
      return [dev, ino, size, mtimeNs, ctimeNs].join(':')
    } catch {
      return ''
    }
  })
  return (await Promise.all(stamps)).join(' ')
}

async function writtenSince(files: readonly string[], time: number): Promise<boolean> {
  const times = files.map(async (file) => {
    try {
      const { mtimeMs, ctimeMs } = await stat(file)
      return Math.max(mtimeMs, ctimeMs)
    } catch {
      // Gone: that is a change.
      return Number.POSITIVE_INFINITY
    }
  })
  return Math.max(...(await Promise.all(times)), 0) >= time
}

/** Names in rules that no user and no group has. By their paths: where they were written is forgotten by now. */
export function warnOfStrangers(
  control: Config['access_control'],
  users: Pick<Users, 'directory'>,
  log: Pick<Logger, 'warn'>,
): void {
  for (const { path, message } of strangersIn(control, users.directory()))
    log.warn(`${formatPath(path)}: ${message}`)
}

/** Dotted paths whose value differs; a list counts as one value. */
export function changedKeys(before: unknown, after: unknown, path = ''): string[] {
  if (isPlain(before) && isPlain(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)])
    const changed = [...keys].flatMap((key) =>
      changedKeys(before[key], after[key], path === '' ? key : `${path}.${key}`),
    )
    // A parsed address is one value to whoever wrote it.
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
