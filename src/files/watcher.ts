/**
 * The one watcher: tells when files changed. It listens to the directories of the files, because a rename over a file, as
 * editors and config maps do it, ends a watch on the file itself; and it compares stamps now and then, because network
 * file systems, a file mounted by itself and an exhausted inotify limit tell nothing.
 *
 * It reads nothing. Whether the content is another one is for the caller to see.
 */
import { type FSWatcher, watch } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EpochMs } from '../kernel/clock.ts'
import { stampOf } from './stamp.ts'

export interface WatchOptions {
  /** The files to watch, asked for again at each look: the list may change. Links are followed. */
  readonly files: () => readonly string[]
  /** Other names that count as a change in the directories of the files, those behind links left out. */
  readonly alsoNames?: RegExp
  /** Called when the files have come to rest, or are gone, after each change. */
  readonly changed: () => void
  /** Called once for each directory whose events cannot be had: its files are still compared now and then. */
  readonly unwatched: (directory: string, error: unknown) => void
  /**
   * When the caller began to read the files: what was written before counts as read. Without it `changed` is called
   * once at the beginning, for what happened before there was a watch.
   */
  readonly readAt?: EpochMs
  /** How long the files have to look the same, with no event, before `changed` is called. Milliseconds. */
  readonly rest: number
  /** How often the files are compared without an event. Milliseconds; 5,000 by default. */
  readonly pollEvery?: number
}

const POLL_EVERY = 5_000
/** After so many looks the change is reported, although the file still changes. */
const MAX_LOOKS = 50
/** File systems keep times in steps of up to two seconds. */
const TIME_STEP = 2_000
/** The link that Kubernetes turns when a config map changes. */
const CONFIG_MAP_LINK = '..data'

/** Watches until it is closed. Neither the watch nor its timers keep the process alive. */
export function watchFiles(options: WatchOptions): { close(): void } {
  const { files, changed, readAt, rest, pollEvery = POLL_EVERY } = options
  let closed = false
  let looking = false
  let events = 0
  /** The stamps that were told last; undefined before the first comparison. */
  let seen: string | undefined
  const directories = listenToDirectories(options, () => {
    events++
    void look()
  })

  /** One at a time: an event that comes meanwhile makes the rest begin again. */
  async function look(): Promise<void> {
    if (looking) return
    looking = true
    const stamps = await atRest()
    looking = false
    if (closed) return
    // Taken before the caller reads: what is written from here on is another change.
    seen = stamps
    changed()
  }

  async function atRest(): Promise<string> {
    let stamps = await stampsOf(files())
    for (let looks = 0; looks < MAX_LOOKS && !closed; looks++) {
      const before = events
      await sleep(rest, undefined, { ref: false })
      const next = await stampsOf(files())
      if (next === stamps && events === before) break
      stamps = next
    }
    return stamps
  }

  async function poll(): Promise<void> {
    const targets = await targetsOf(files())
    if (closed) return
    directories.follow(targets)
    const stamps = await stampsOf(files())
    if (seen === undefined && readAt !== undefined) {
      seen = stamps
      if (await isWrittenSince(files(), readAt - TIME_STEP)) await look()
    } else if (stamps !== seen) await look()
  }

  const timer = setInterval(() => void poll(), pollEvery)
  timer.unref()
  // At once: what is changed from here on is heard of.
  directories.follow([])
  if (readAt === undefined) void poll()
  return {
    close() {
      closed = true
      clearInterval(timer)
      directories.close()
    },
  }
}

/** Listens to the directories of the files and of their targets. @param heard called at each event that concerns them */
function listenToDirectories(
  { files, alsoNames, unwatched }: Pick<WatchOptions, 'files' | 'alsoNames' | 'unwatched'>,
  heard: () => void,
) {
  const watchers = new Map<string, FSWatcher>()
  const reported = new Set<string>()
  /** Names of the files and, behind links, of their targets. */
  let names = new Set<string>()
  /** Of the files, without their targets. */
  let directories = new Set<string>()

  function isOfInterest(directory: string, name: string | null): boolean {
    if (name === null || name === CONFIG_MAP_LINK || names.has(name)) return true
    return alsoNames?.test(name) === true && directories.has(directory)
  }

  function listen(directory: string): void {
    try {
      const watcher = watch(directory, { persistent: false }, (_event, name) => {
        if (isOfInterest(directory, name)) heard()
      })
      watcher.on('error', (error) => lost(directory, error))
      watchers.set(directory, watcher)
    } catch (error) {
      lost(directory, error)
    }
  }

  function lost(directory: string, error: unknown): void {
    watchers.get(directory)?.close()
    watchers.delete(directory)
    if (!reported.has(directory)) unwatched(directory, error)
    reported.add(directory)
  }

  return {
    /** Asks for the files anew. @param targets where links lead */
    follow(targets: readonly string[]): void {
      const paths = files().map((file) => resolve(file))
      names = new Set([...paths, ...targets].map((path) => basename(path)))
      directories = new Set(paths.map((path) => dirname(path)))
      const wanted = new Set([...directories, ...targets.map((path) => dirname(path))])
      for (const [directory, watcher] of watchers) {
        if (wanted.has(directory)) continue
        watcher.close()
        watchers.delete(directory)
      }
      for (const directory of wanted) if (!watchers.has(directory)) listen(directory)
    },
    close(): void {
      for (const watcher of watchers.values()) watcher.close()
    },
  }
}

/** Changes when one of them is written, replaced or removed, or its link is turned. */
const stampsOf = async (files: readonly string[]): Promise<string> =>
  (await Promise.all(files.map(stampOf))).join(' ')

/** Where the files lie, behind all links; one that is missing is left out until it is there. */
async function targetsOf(files: readonly string[]): Promise<readonly string[]> {
  const targets = await Promise.allSettled(files.map((file) => realpath(file)))
  return targets.flatMap((target) => (target.status === 'fulfilled' ? [target.value] : []))
}

async function isWrittenSince(files: readonly string[], time: number): Promise<boolean> {
  const times = files.map(async (file) => {
    try {
      const { mtimeMs, ctimeMs } = await stat(file)
      return Math.max(mtimeMs, ctimeMs)
    } catch {
      // It is gone: that is a change.
      return Number.POSITIVE_INFINITY
    }
  })
  return Math.max(...(await Promise.all(times)), 0) >= time
}
