import { type FSWatcher, watch } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BaseLogger } from 'pino'
import { type Stamp, stampOf } from '../../../files/stamp.ts'

export interface WatchOptions {
  readonly path: string
  /** Called when the file has come to rest or is gone, after each change and now and then without one. */
  readonly changed: () => void
  readonly log: Pick<BaseLogger, 'warn'>
  /** How often the file is looked at without being told, in milliseconds. */
  readonly pollEvery?: number
  /** How long the file has to look the same before it is read, in milliseconds. */
  readonly rest?: number
}

/** Network file systems, single-file mounts and exhausted inotify limits tell nothing: one stat in so many ms does. */
const POLL_EVERY = 5000
/** An editor that writes in place is done when the file looks the same twice, this many ms apart. */
const REST = 60
const MAX_LOOKS = 50

/** Watches the directories in which the name and, behind links, the file lie: a rename ends a watch on a file. */
export function watchFile(options: WatchOptions): { close(): void } {
  const { path, changed, log, pollEvery = POLL_EVERY, rest = REST } = options
  let names = [basename(path)]
  const watchers = new Map<string, FSWatcher>()
  let closed = false
  let looking = false
  let again = false
  let warned = false
  /** No stamp is empty: the first look always tells, of what happened before there was a watch. */
  let seen: Stamp | undefined = ''

  function follow(directory: string): void {
    if (closed || watchers.has(directory)) return
    try {
      const watcher = watch(directory, { persistent: false }, (_, name) => {
        // `..data` is the link that Kubernetes turns when a config map changes.
        if (name === null || names.includes(name) || name === '..data') void look()
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
    if (!warned)
      log.warn({ err: error, directory }, 'the users file is not watched; it is polled instead')
    warned = true
  }

  /** One look at a time; what happens meanwhile is looked at afterwards. */
  async function look(): Promise<void> {
    if (looking) {
      again = true
      return
    }
    looking = true
    try {
      do {
        again = false
        const stamp = await atRest()
        if (closed) return
        seen = stamp
        changed()
      } while (again)
    } finally {
      looking = false
    }
  }

  async function atRest(): Promise<Stamp | undefined> {
    let stamp = await stampOf(path)
    for (let i = 0; i < MAX_LOOKS && !closed; i++) {
      await sleep(rest, undefined, { ref: false })
      const next = await stampOf(path)
      if (next === stamp) break
      stamp = next
    }
    return stamp
  }

  async function poll(): Promise<void> {
    let target = path
    try {
      target = await realpath(path)
    } catch {
      // Nothing there to follow: the name's own directory says when it comes.
    }
    names = [basename(path), basename(target)]
    const directories = [dirname(path), dirname(target)]
    for (const [directory, watcher] of watchers) {
      if (directories.includes(directory)) continue
      watcher.close()
      watchers.delete(directory)
    }
    for (const directory of directories) follow(directory)
    if ((await stampOf(path)) !== seen) await look()
  }

  const timer = setInterval(() => void poll(), pollEvery)
  timer.unref()
  void poll()
  return {
    close() {
      closed = true
      clearInterval(timer)
      for (const watcher of watchers.values()) watcher.close()
    },
  }
}
