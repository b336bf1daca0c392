import { type FSWatcher, statSync, watch } from 'node:fs'
import { dirname } from 'node:path'
import type { Logger } from 'pino'
import { formatFaults, formatPlace, type LoadResult } from './config/index.ts'
import { createAccess } from './features/access/index.ts'
import type { Users } from './features/users/index.ts'
import type { Config } from './features.ts'
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
/** Editors and config maps write in several steps. Milliseconds. */
const SETTLE = 250

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
}: {
  readonly load: () => Promise<Loaded>
  readonly active: {
    readonly config: Config
    readonly revision: string
    readonly sources: readonly string[]
  }
  readonly logging: Log
  readonly access: LiveAccess
  readonly users: Users
}): Reloader {
  let { config, revision } = active
  let reading: Promise<void> = Promise.resolve()

  const reloadConfig = async (): Promise<void> => {
    const result = await load()
    if (!result.ok) {
      for (const fault of result.faults) {
        const { source, line, column } = fault
        log.error({ source, line, column }, formatFaults([fault]).trim())
      }
      log.error(
        { revision },
        `the configuration was not reloaded; revision ${revision} stays active`,
      )
      return
    }
    if (result.revision === revision) {
      log.debug({ revision }, 'the configuration is unchanged')
      return
    }
    const changed = changedKeys(config, result.config)
    const waiting = changed.filter(
      (key) => !LIVE.some((slice) => key === slice || key.startsWith(`${slice}.`)),
    )
    // Made before anything is exchanged: were it to throw, all of the old would still be in force.
    const rules = createAccess(
      result.config['access_control'],
      result.config['definitions'].network,
    )
    access.replace(rules)
    set(result.config['log'])
    for (const warning of result.warnings) log.warn(`${formatPlace(warning)}: ${warning.message}`)
    config = result.config
    revision = result.revision
    log.info(
      { revision, changed: changed.join(', ') },
      `revision ${revision} of the configuration is active`,
    )
    if (waiting.length > 0)
      log.warn({ revision }, `changed, but needs a restart: ${waiting.join(', ')}`)
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

  const watchers = watchFiles(active.sources, () => void queue(reloadConfig), log)

  return {
    async all() {
      reopen()
      log.info('reloading: asked to by a signal')
      await queue(async () => {
        await reloadConfig()
        const result = await users.reload()
        if (result.ok)
          log.info({ users: result.users, revision: result.revision }, 'the users are reloaded')
      })
    },
    close() {
      for (const watcher of watchers) watcher.close()
    },
  }
}

function watchFiles(
  files: readonly string[],
  changed: () => void,
  log: Logger,
): readonly FSWatcher[] {
  let timer: NodeJS.Timeout | undefined
  const soon = () => {
    clearTimeout(timer)
    timer = setTimeout(changed, SETTLE)
    timer.unref()
  }
  // The folder and not the file: a rename over it, as editors and config maps do, ends a watch on the file itself.
  const folders = new Set(
    files.map((file) =>
      statSync(file, { throwIfNoEntry: false })?.isDirectory() ? file : dirname(file),
    ),
  )
  const watchers: FSWatcher[] = []
  for (const folder of folders) {
    try {
      const watcher = watch(folder, { persistent: false }, soon)
      watcher.on('error', (error) =>
        log.warn({ err: error, folder }, 'changes here are not noticed any more'),
      )
      watchers.push(watcher)
    } catch (error) {
      log.warn({ err: error, folder }, 'changes here are not noticed; send SIGHUP after a change')
    }
  }
  return watchers
}

/** Dotted paths whose value differs; a list counts as one value. */
export function changedKeys(before: unknown, after: unknown, path = ''): string[] {
  if (isPlain(before) && isPlain(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)])
    return [...keys].flatMap((key) =>
      changedKeys(before[key], after[key], path === '' ? key : `${path}.${key}`),
    )
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
