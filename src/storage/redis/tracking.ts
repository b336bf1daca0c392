import type { BaseLogger } from 'pino'
import type { Clock } from '../../kernel/clock.ts'
import type { Connection } from './connection.ts'
import { type Dialer, dismiss, type NodeAddress, type RedisClient } from './dial.ts'
import { toFault } from './fault.ts'
import { ATTEMPT, createArming, keyOf, type Line, mastersOf, newLine } from './tracking-line.ts'

/** How often the lines are asked for a sign of life. Milliseconds, as the next one. */
const BEAT = 100
/** For how long a sign of life counts, from when it was asked for. */
const TRUST = 250

/** Is told what changed in Redis, by any process, this one too. */
export interface Watcher {
  /** Keys below the watched prefix were written, deleted or have expired. Without the prefix. */
  changed(keys: readonly string[]): void
  /** Something may have been missed: nothing that was read before counts any longer. */
  lost(): void
}

/** Until when (wall time) watchers can believe what they read earlier. 0: not at all. A field, for it is read a lot. */
export interface Trust {
  until: number
}

export interface Tracking {
  readonly trust: Readonly<Trust>
  /** @param prefix of the keys; none begins with another one */
  watch(prefix: string, watcher: Watcher): void
  close(): void
}

interface TrackingOptions {
  readonly connection: Connection
  readonly dialer: Dialer
  readonly prefix: string
  readonly log: Pick<BaseLogger, 'warn'>
  readonly clock: Clock
}

/**
 * Redis' client tracking in broadcast mode: one line to the server, or one to each master of a cluster.
 *
 * Answers come in order, so a PONG says that whatever changed before its PING has been told. What is lost with a line cannot
 * be known, so that every loss, every silence and every change of masters is the same: nothing counts until all lines are
 * armed and proven again.
 */
export function createTracking(options: TrackingOptions): Tracking {
  const { connection, clock } = options
  const trust: Trust = { until: 0 }
  const watchers = createWatchers()
  const lose = (): void => {
    trust.until = 0
    watchers.lost()
  }
  const lines = createLines(options, watchers, { lose, armed: ask })
  let closed = false

  function ask(line: Line): void {
    const [asked, wall] = [performance.now(), clock.now()]
    line.redis?.ping().then(
      () => {
        line.askedAt = asked
        line.askedAtWall = wall
        believe()
      },
      // Its end is told by itself.
      () => {},
    )
  }

  function believe(): void {
    const { client } = connection
    if (client === undefined || !lines.cover(client)) return
    let oldest = Number.POSITIVE_INFINITY
    for (const line of lines.all()) {
      if (!line.proven) return
      oldest = Math.min(oldest, line.askedAtWall)
    }
    lines.isWarned = false
    trust.until = oldest + TRUST
  }

  function beat(): void {
    const { client } = connection
    if (client === undefined || closed || watchers.isEmpty()) return
    const now = performance.now()
    for (const line of [...lines.all()]) {
      if (!line.proven) continue
      if (now - line.askedAt <= TRUST) ask(line)
      else {
        lines.drop(line)
        lines.suspect()
      }
    }
    lines.follow(mastersOf(client))
  }

  function restart(): void {
    lines.dropAll()
    beat()
  }

  // Not the server's clock: silence on a wire is a matter of real time.
  const timer = setInterval(beat, BEAT).unref()
  connection.onChange((client) => {
    restart()
    if (client !== undefined && 'nodes' in client) {
      // A node that is new has no line yet.
      client.on('+node', lose)
      client.on('-node', lose)
    }
  })

  return {
    trust,
    watch(start, watcher) {
      watchers.add(start, watcher)
      restart()
    },
    close() {
      closed = true
      clearInterval(timer)
      lines.dropAll()
    },
  }
}

/** The watchers by the prefix of their keys. */
function createWatchers() {
  const watchers = new Map<string, Watcher>()
  const lost = (): void => {
    for (const watcher of watchers.values()) watcher.lost()
  }
  return {
    lost,
    add: (prefix: string, watcher: Watcher) => void watchers.set(prefix, watcher),
    isEmpty: () => watchers.size === 0,
    prefixes: () => watchers.keys(),
    told(keys: unknown): void {
      // Null: the database was flushed.
      if (!Array.isArray(keys)) {
        lost()
        return
      }
      const texts = keys.map(String)
      for (const [prefix, watcher] of watchers) {
        const mine = texts.filter((key) => key.startsWith(prefix))
        if (mine.length > 0) watcher.changed(mine.map((key) => key.slice(prefix.length)))
      }
    },
  }
}

/** The lines that are open or being opened: one to each master. Each one that comes or goes is told by `lose`. */
function createLines(
  { connection, dialer, prefix, log }: TrackingOptions,
  watchers: ReturnType<typeof createWatchers>,
  { lose, armed }: { readonly lose: () => void; readonly armed: (line: Line) => void },
) {
  const proofs = `${prefix}proof:`
  const arming = createArming({ connection, dialer, proofs, told: watchers.told })
  const lines = new Map<string, Line>()
  const isOpen = (line: Line): boolean => lines.get(keyOf(line.node)) === line

  function drop(line: Line): void {
    if (!isOpen(line)) return
    lines.delete(keyOf(line.node))
    lose()
    if (line.redis !== undefined) dismiss(line.redis)
  }

  function open(node: NodeAddress | undefined): void {
    const line = newLine(node)
    lines.set(keyOf(node), line)
    lose()
    const late = setTimeout(() => failed(new Error('it could not be armed in time')), 2 * ATTEMPT)
    const failed = (error: unknown): void => {
      clearTimeout(late)
      if (!isOpen(line)) return
      drop(line)
      if (!self.isWarned && connection.client !== undefined) {
        log.warn(
          { reason: toFault(error).message },
          'Redis does not tell of changes: every request asks it until it does',
        )
        self.isWarned = true
      }
      // If commands go where changes are not told, they may go to a server that is no master any longer.
      self.suspect()
    }
    const use = { isWanted: () => isOpen(line), ended: () => drop(line) }
    arming
      .arm(line, watchers.prefixes(), use)
      .then(() => {
        clearTimeout(late)
        if (!line.proven) return
        // A sign of life, but not one to believe in: it was not asked for over this line.
        line.askedAt = performance.now()
        armed(line)
      })
      .catch(failed)
  }

  const self = {
    /** That changes are not told was said, and they have not been since. */
    isWarned: false,
    drop,
    all: () => lines.values(),
    dropAll(): void {
      for (const line of [...lines.values()]) drop(line)
    },
    /** Opens lines to these masters, and drops those to others. */
    follow(masters: readonly (NodeAddress | undefined)[]): void {
      const wanted = new Set(masters.map(keyOf))
      for (const line of [...lines.values()]) if (!wanted.has(keyOf(line.node))) drop(line)
      for (const node of masters) if (!lines.has(keyOf(node))) open(node)
    },
    /** Whether there is a line to every master that commands may go to. */
    cover(client: RedisClient): boolean {
      const masters = mastersOf(client)
      return masters.length === lines.size && masters.every((node) => lines.has(keyOf(node)))
    },
    /** Asks the connection for commands whether it is still there; if it is not, it looks for a new one. */
    suspect(): void {
      connection.run((client) => client.get(`${proofs}none`)).catch(() => {})
    },
  }
  return self
}
