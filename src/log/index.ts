/**
 * The log: what the server says, line by line, to standard output or a file.
 *
 * Owns: the shape of a line, what may be printed of a value, where lines go, reopening for logrotate.
 * Does not own: what is logged (each feature), the audit trail (features/audit).
 * Configuration: `log`.
 */
import type { Writable } from 'node:stream'
import { format } from 'node:util'
import { type LogFn, type Logger, pino } from 'pino'
import { type Clock, systemClock } from '../kernel/clock.ts'
import { fieldsOf, messageOf } from './fields.ts'
import { type Entry, jsonLine, prettyLine, textLine } from './line.ts'
import type { LogConfig } from './manifest.ts'
import { expandLogPath, type FileSink, openFileSink, streamSink } from './sinks.ts'

export { messageOf } from './fields.ts'
export type { Logger }

export interface LogSettings {
  readonly level: LogConfig['level']
  readonly format: LogConfig['format']
  readonly filePath: string | undefined
  readonly keepStdout: boolean
  /** Standard output is a terminal: where the format is text, its lines are short and coloured. */
  readonly pretty: boolean
}

export interface Log {
  readonly log: Logger
  /** For SIGHUP: opens the file anew without truncating it. When that fails, says so and keeps the old one. */
  reopen(): void
  /**
   * Takes a new configuration while running. Children made by `log.child(bindings)` follow.
   * @throws OperatorError when the new file cannot be opened; all of the old stays
   */
  set(config: LogConfig): void
  /** Resolves when everything said so far has left, or half a second later when nothing reads it. */
  flush(): Promise<void>
  /** Flushes and closes the file. What is said afterwards goes to standard output. */
  close(): Promise<void>
}

/** How long a reader that stands still may hold up a shutdown. */
const PATIENCE = 500

export function logSettings(config: LogConfig, isTerminal: boolean): LogSettings {
  return {
    level: config.level,
    format: config.format,
    filePath: config.file_path,
    keepStdout: config.keep_stdout,
    pretty: isTerminal,
  }
}

/**
 * Starts the log. `remote_ip` of a line is its last field; values of fields named like secrets are redacted; an error goes
 * in as `log.error(error, 'sentence')` or as a field `err`.
 * @throws OperatorError when the file cannot be opened
 */
export function createLog(settings: LogSettings, out: Writable, clock: Clock = systemClock): Log {
  let current = settings
  const stdout = streamSink(out, (count) =>
    log.warn({ count }, 'Log lines were dropped because standard output was not read'),
  )
  let file = openFile(settings.filePath)

  const log: Logger = pino(
    {
      level: settings.level,
      base: null,
      hooks: {
        // pino filters by level and keeps the fields of children. The line is ours (docs/decisions/062).
        logMethod(args, _method, level) {
          const verbose = this.levelVal <= 20
          const { fields, msg } = readArguments(args, verbose, level >= 50)
          write({ time: clock.now(), level, msg, fields: { ...this.bindings(), ...fields } })
        },
      },
    },
    { write() {} },
  )

  function write(entry: Entry): void {
    const line = current.format === 'json' ? jsonLine(entry) : textLine(entry)
    const taken = file?.write(line) === true
    // A line that the disk refuses is still seen.
    if (taken && !current.keepStdout) return
    stdout.write(current.pretty && current.format === 'text' ? prettyLine(entry) : line)
  }

  function openFile(path: string | undefined): FileSink | undefined {
    if (path === undefined) return undefined
    return openFileSink(expandLogPath(path, clock.now()), (error) => {
      const fields = { error: messageOf(error) }
      const msg = 'The log file cannot be written; lines go to standard output meanwhile'
      write({ time: clock.now(), level: 50, msg, fields })
    })
  }

  return {
    log,
    reopen() {
      try {
        file?.reopen()
      } catch (error) {
        log.error(
          { error: messageOf(error) },
          'The log file cannot be opened again; the old one is kept',
        )
      }
    },
    set(config) {
      const next = logSettings(config, settings.pretty)
      if (next.filePath !== current.filePath) {
        const opened = openFile(next.filePath)
        file?.close()
        file = opened
      }
      current = next
      log.level = next.level
    },
    async flush() {
      await Promise.all([stdout.flush(PATIENCE), file?.flush(PATIENCE)])
    },
    async close() {
      await Promise.all([stdout.flush(PATIENCE), file?.flush(PATIENCE)])
      file?.close()
    },
  }
}

/** The arguments of a log call: fields as plain data, and the message. Never throws. */
function readArguments(
  [first, ...rest]: Parameters<LogFn>,
  verbose: boolean,
  severe: boolean,
): Pick<Entry, 'fields' | 'msg'> {
  if (typeof first !== 'object' || first === null)
    return { fields: {}, msg: messageFrom([first, ...rest]) }
  const msg = first instanceof Error && rest.length === 0 ? first.message : messageFrom(rest)
  try {
    return { fields: fieldsOf(first, { verbose, severe }), msg }
  } catch {
    // A getter that throws must not turn a log line into a crash.
    return { fields: { fields: '[unprintable]' }, msg }
  }
}

const messageFrom = ([msg, ...values]: readonly unknown[]): string =>
  values.length === 0 ? String(msg ?? '') : format(msg, ...values)
