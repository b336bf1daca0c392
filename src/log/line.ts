/** One event as one line: logfmt, JSON, or short and coloured for a terminal. Pure. */
import type { EpochMs } from '../kernel/clock.ts'
import { escapeUnits, printable } from '../kernel/printable.ts'
import { isSensitive } from './fields.ts'

export interface Entry {
  readonly time: EpochMs
  /** pino's: 10 trace … 60 fatal. */
  readonly level: number
  readonly msg: string
  /** Plain data, as JSON would carry it. */
  readonly fields: Readonly<Record<string, unknown>>
}

/** Longer texts end in `…`; a target URL (16 KiB) is the longest text that a client can make the server write. */
const MAX_TEXT = 4096
const MAX_DEPTH = 6

/**
 * fail2ban's filters look for `level=info` and `remote_ip=1.2.3.4` anywhere in a line, quoted or not (requirement 21). So
 * that text from outside can neither hide its line nor accuse a stranger, the `=` or `:` behind these words is spelled
 * `\u003d`: the same character to what parses the line.
 */
const FORGERY = /(level|remote_ip)((?:\\*["'])?)([=:])/gi

/** What needs no quotes; logrus' set, which Authelia prints. */
const BARE = /^[A-Za-z0-9._/@^+-]+$/

const LEVELS = {
  trace: { name: 'trace', short: 'TRACE', colour: 90 },
  debug: { name: 'debug', short: 'DEBUG', colour: 36 },
  info: { name: 'info', short: 'INFO ', colour: 32 },
  warn: { name: 'warning', short: 'WARN ', colour: 33 },
  error: { name: 'error', short: 'ERROR', colour: 31 },
  fatal: { name: 'fatal', short: 'FATAL', colour: 35 },
} as const

function levelOf(level: number): (typeof LEVELS)[keyof typeof LEVELS] {
  if (level >= 60) return LEVELS.fatal
  if (level >= 50) return LEVELS.error
  if (level >= 40) return LEVELS.warn
  if (level >= 30) return LEVELS.info
  return level >= 20 ? LEVELS.debug : LEVELS.trace
}

/** `time="2020-01-01T00:00:00+11:00" level=info msg="…" key=value … path=/x remote_ip=192.0.2.1` */
export function textLine(entry: Entry): string {
  let line = `time="${formatTime(entry.time)}" level=${levelOf(entry.level).name} msg=${quote(entry.msg)}`
  for (const [key, value] of ordered(entry.fields)) line += ` ${key}=${textValue(value)}`
  return `${line}\n`
}

/** `{"level":"info","msg":"…","time":"…","key":"value",…,"path":"/x","remote_ip":"192.0.2.1"}` */
export function jsonLine(entry: Entry): string {
  let line = `{"level":"${levelOf(entry.level).name}","msg":${quote(entry.msg)},"time":"${formatTime(entry.time)}"`
  for (const [key, value] of ordered(entry.fields)) line += `,"${key}":${encode(value, 0)}`
  return `${line}}\n`
}

/** `12:00:00 INFO  message  key=value`, with colours. */
export function prettyLine(entry: Entry): string {
  const { short, colour } = levelOf(entry.level)
  const fields = ordered(entry.fields).map(([key, value]) => `${key}=${textValue(value)}`)
  const tail = fields.length === 0 ? '' : `  ${dim(fields.join(' '))}`
  return `${dim(formatTime(entry.time).slice(11, 19))} \x1b[${colour}m${short}\x1b[0m ${printable(cut(entry.msg))}${tail}\n`
}

const dim = (text: string): string => `\x1b[2m${text}\x1b[0m`

/**
 * Alphabetical, but `path` and `remote_ip` last: the published filters want them side by side at the end, and of two
 * `remote_ip=` in a line the last one counts.
 */
function ordered(fields: Readonly<Record<string, unknown>>): [string, unknown][] {
  const entries: [string, unknown][] = []
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue
    // A field cannot pass for what the line itself says; logrus renames it the same way.
    const key = name === 'level' || name === 'msg' || name === 'time' ? `fields.${name}` : name
    entries.push([
      key.replace(/[^A-Za-z0-9_.-]/g, '_').slice(0, 64),
      isSensitive(name) ? '[redacted]' : value,
    ])
  }
  const rank = (key: string): number => (key === 'remote_ip' ? 2 : key === 'path' ? 1 : 0)
  return entries.sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0))
}

function textValue(value: unknown): string {
  if (typeof value === 'string')
    return BARE.test(value) && value.length <= MAX_TEXT ? value : quote(value)
  const encoded = encode(value, 0)
  return BARE.test(encoded) ? encoded : quote(encoded)
}

function encode(value: unknown, depth: number): string {
  if (typeof value === 'string') return quote(value)
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'null'
  if (typeof value === 'boolean') return String(value)
  if (typeof value !== 'object' || value === null) return 'null'
  if (depth >= MAX_DEPTH) return '"…"'
  if (Array.isArray(value)) return `[${value.map((item) => encode(item, depth + 1)).join(',')}]`
  const members = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .map(
      ([key, item]) =>
        `${quote(key)}:${isSensitive(key) ? '"[redacted]"' : encode(item, depth + 1)}`,
    )
  return `{${members.join(',')}}`
}

/** A JSON string on one line, of printable characters only, that no filter takes for a field. */
function quote(text: string): string {
  return printable(JSON.stringify(cut(text))).replace(
    FORGERY,
    (_all, word: string, mark: string, sign: string) => `${word}${mark}${escapeUnits(sign)}`,
  )
}

function cut(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}…`
}

let lastSecond = Number.NaN
let lastText = ''

/** RFC 3339 in local time, seconds, `Z` when the offset is zero, as Go prints it. */
export function formatTime(time: EpochMs): string {
  const second = Math.floor(time / 1000)
  if (second === lastSecond) return lastText
  const date = new Date(time)
  const offset = -date.getTimezoneOffset()
  const local = new Date(time + offset * 60_000).toISOString().slice(0, 19)
  lastSecond = second
  lastText = `${local}${formatOffset(offset)}`
  return lastText
}

function formatOffset(minutes: number): string {
  if (minutes === 0) return 'Z'
  const two = (n: number): string => String(n).padStart(2, '0')
  const size = Math.abs(minutes)
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`
}
