/** At most `count` within any span of `period` milliseconds. */
export interface Window {
  readonly count: number
  readonly period: number
}

/** All of them hold at once; none: nothing is limited. */
export type Windows = readonly Window[]

export type ParsedLimits =
  | { readonly ok: true; readonly windows: Windows }
  | { readonly ok: false; readonly problem: string; readonly allowed: string }

const SECOND = 1000
const DAY = 86_400 * SECOND
/** As in durations: a month is 30 days, a year 365. */
const PERIODS: Readonly<Record<string, number>> = {
  second: SECOND,
  minute: 60 * SECOND,
  hour: 3600 * SECOND,
  day: DAY,
  week: 7 * DAY,
  month: 30 * DAY,
  year: 365 * DAY,
}
const NAMES = Object.keys(PERIODS).join(', ')
const EXAMPLE = '1/second;5/minute;20/hour, 10 per 5 minutes, or disable'
/** Each counted failure is remembered by its time: eight bytes of it for every address. */
const MAX_COUNT = 10_000
const MAX_WINDOWS = 16
const MAX_LENGTH = 1000

/**
 * Reads limits as Frigate writes them: `N/period`, `N per period`, `N/Mperiods`, `N per M periods`, several of them
 * separated by `;`, `,` or `|`. `disable` is no limit at all.
 */
export function parseLimits(text: string): ParsedLimits {
  if (text.trim().toLowerCase() === 'disable') return { ok: true, windows: [] }
  if (text.length > MAX_LENGTH) return fault('is too long', EXAMPLE)
  const reader = new Reader(text)
  const windows: Window[] = []
  do {
    const window = reader.window()
    if ('ok' in window) return window
    windows.push(window)
    if (windows.length > MAX_WINDOWS) return fault(`has more than ${MAX_WINDOWS} limits`, EXAMPLE)
  } while (reader.take(/[;,|]/y) !== undefined)
  if (!reader.atEnd) return reader.fault('goes on with', 'one of ; , | and another limit')
  return { ok: true, windows }
}

type Fault = Extract<ParsedLimits, { ok: false }>
const fault = (problem: string, allowed: string): Fault => ({ ok: false, problem, allowed })

/** From left to right; says where it stopped. Positions count characters from 1. */
class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
    this.take(/\s*/y)
  }

  get atEnd(): boolean {
    return this.#at >= this.#text.length
  }

  /** Takes what stands here, and the blanks behind it. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    if (found === undefined) return undefined
    this.#at += found.length
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at++
    return found
  }

  fault(problem: string, allowed: string, at = this.#at): Fault {
    const [word = ''] = /^\w+|^./s.exec(this.#text.slice(at)) ?? []
    const seen = word === '' ? 'nothing' : JSON.stringify(word.slice(0, 20))
    return fault(`${problem} ${seen} at character ${at + 1}`, allowed)
  }

  /** A whole number from 1 on. */
  #number(most: number): number | Fault {
    const at = this.#at
    const digits = this.take(/\d+/y)
    if (digits === undefined) return this.fault('has', 'a number')
    const value = Number(digits)
    return value >= 1 && value <= most ? value : this.fault('has', `1 to ${most}`, at)
  }

  window(): Window | Fault {
    const count = this.#number(MAX_COUNT)
    if (typeof count !== 'number') return count
    if (this.take(/\/|per(?![a-z])/iy) === undefined)
      return this.fault('has', "/ or per, then a period, as in '5/minute'")
    const times = /\d/.test(this.#text[this.#at] ?? '') ? this.#number(1_000_000) : 1
    if (typeof times !== 'number') return times
    const at = this.#at
    const word = this.take(/[a-z]+/iy)?.toLowerCase() ?? ''
    const unit = PERIODS[word] ?? PERIODS[word.replace(/s$/, '')]
    if (unit === undefined) return this.fault('has', `one of ${NAMES}`, at)
    const period = times * unit
    return period <= 10 * 365 * DAY ? { count, period } : this.fault('has', 'at most ten years', at)
  }
}
