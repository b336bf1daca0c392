/** Where lines go. A sink never throws, never waits for a reader, and never grows without end. */
import { closeSync, fsyncSync, writeSync } from 'node:fs'
import type { Writable } from 'node:stream'
import { openAppendFile } from '../files/private-file.ts'
import type { EpochMs } from '../kernel/clock.ts'
import { OperatorError, systemCode } from '../kernel/operator-error.ts'
import { formatTime } from './line.ts'

export interface Sink {
  /** @returns whether the line was taken */
  write(line: string): boolean
  /** Resolves when what was written has been handed to the system, or after `patience` ms when nothing takes it. */
  flush(patience: number): Promise<void>
}

/** Behind a reader that has stopped, this much is kept; what comes after it is dropped and counted. */
const MAX_WAITING = 4 * 1024 * 1024

/**
 * A stream that may break (a closed pipe) or stand still (a reader that stopped): neither may stop the server.
 * @param onDropped called with a count when a reader that stood still reads again
 */
export function streamSink(out: Writable, onDropped: (count: number) => void): Sink {
  let broken = false
  let dropped = 0
  out.on('error', () => {
    broken = true
  })
  out.on('drain', () => {
    const count = dropped
    dropped = 0
    if (count > 0) onDropped(count)
  })
  return {
    write(line) {
      if (broken || out.destroyed || out.writableEnded) return false
      if (out.writableLength > MAX_WAITING) {
        dropped++
        return false
      }
      out.write(line)
      return true
    },
    async flush(patience) {
      if (broken || out.destroyed || out.writableLength === 0) return
      const { promise, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, patience)
      out.write('', () => resolve())
      await promise
      clearTimeout(timer)
    },
  }
}

export interface FileSink extends Sink {
  /**
   * Opens the path anew, for a file that was moved away. The old one is closed only once the new one is open.
   * @throws OperatorError when it cannot be opened; the old one is kept
   */
  reopen(): void
  close(): void
}

/**
 * A file that is appended to, made with mode 0600. Written synchronously: once an answer has left, its line is there.
 * @param onTrouble called when a write fails for the first time since one succeeded (a full disk)
 * @throws OperatorError when it cannot be opened
 */
export function openFileSink(path: string, onTrouble: (error: unknown) => void): FileSink {
  let descriptor: number | undefined = open(path)
  let troubled = false
  return {
    write(line) {
      if (descriptor === undefined) return false
      try {
        writeAll(descriptor, Buffer.from(line))
        troubled = false
        return true
      } catch (error) {
        if (!troubled) {
          troubled = true
          onTrouble(error)
        }
        return false
      }
    },
    async flush() {
      if (descriptor === undefined) return
      try {
        fsyncSync(descriptor)
      } catch {
        // A pipe or a device has nothing to sync; a disk that fails has failed the writes before.
      }
    },
    reopen() {
      const next = open(path)
      if (descriptor !== undefined) closeSync(descriptor)
      descriptor = next
    },
    close() {
      if (descriptor !== undefined) closeSync(descriptor)
      descriptor = undefined
    },
  }
}

function open(path: string): number {
  try {
    return openAppendFile(path)
  } catch (error) {
    throw new OperatorError(
      `the log file ${path} cannot be opened (${systemCode(error)})`,
      'log.file_path must name a file in a directory that exists and that this user may write to',
      { cause: error },
    )
  }
}

function writeAll(descriptor: number, bytes: Buffer): void {
  let written = 0
  while (written < bytes.length) written += writeSync(descriptor, bytes, written)
}

/**
 * Puts the time of the start into a file name: `%d` and `{datetime}` as RFC 3339, `{datetime:2006-01-02}` by a layout of
 * Go's reference time (year, month, day, hour, minute, second).
 */
export function expandLogPath(path: string, time: EpochMs): string {
  const stamp = formatTime(time)
  const parts: Readonly<Record<string, string>> = {
    '2006': stamp.slice(0, 4),
    '01': stamp.slice(5, 7),
    '02': stamp.slice(8, 10),
    '15': stamp.slice(11, 13),
    '04': stamp.slice(14, 16),
    '05': stamp.slice(17, 19),
  }
  return path
    .replaceAll('%d', stamp)
    .replace(/\{datetime(?::([^{}]*))?\}/g, (_all, layout: string | undefined) =>
      layout === undefined
        ? stamp
        : layout.replace(/2006|01|02|15|04|05/g, (token) => parts[token] ?? token),
    )
}
