const SECOND = 1000
const DAY = 86_400 * SECOND
/** Authelia's units: a year is 365 days, a month 30. Case matters: `M` is a month, `m` a minute. */
const UNITS: Readonly<Record<string, number>> = {
  y: 365 * DAY,
  M: 30 * DAY,
  w: 7 * DAY,
  d: DAY,
  h: 3600 * SECOND,
  m: 60 * SECOND,
  s: SECOND,
  ms: 1,
}
const LONG: Readonly<Record<string, number>> = {
  year: 365 * DAY,
  month: 30 * DAY,
  week: 7 * DAY,
  day: DAY,
  hour: 3600 * SECOND,
  minute: 60 * SECOND,
  second: SECOND,
  millisecond: 1,
}

/**
 * Reads Authelia's form of a duration: a whole number of seconds, or `1h`, `1h30m`, `2 weeks and 1 day`.
 *
 * @returns milliseconds, or undefined when it is none. `-1` (a number or a string) reads as -1000: some keys use it for "off".
 */
export function parseDuration(value: string | number): number | undefined {
  if (typeof value === 'number') {
    const ms = value * SECOND
    return Number.isInteger(value) && value >= -1 && Number.isSafeInteger(ms) ? ms : undefined
  }
  const text = value.trim()
  if (text.length > 100) return undefined
  if (/^(-1|\d+)$/.test(text)) return parseDuration(Number(text))
  const parts = text.replace(/\s+and\s+/g, ' ').match(/\d+\s*[A-Za-z]+/g)
  if (
    parts === null ||
    parts.join('').replace(/\s/g, '') !== text.replace(/\s+and\s+/g, '').replace(/\s/g, '')
  )
    return undefined
  let sum = 0
  for (const part of parts) {
    const [, digits = '', unit = ''] = /^(\d+)\s*([A-Za-z]+)$/.exec(part) ?? []
    const size = UNITS[unit] ?? LONG[unit.toLowerCase().replace(/s$/, '')]
    if (size === undefined) return undefined
    sum += Number(digits) * size
  }
  return Number.isSafeInteger(sum) ? sum : undefined
}

/** A span as people say it: its two largest units, such as 1 hour and 30 minutes. */
export function durationParts(
  ms: number,
): readonly { readonly unit: string; readonly count: number }[] {
  const parts: { unit: string; count: number }[] = []
  let rest = ms
  for (const [unit, size] of Object.entries(LONG)) {
    if (unit === 'week') continue
    const count = Math.floor(rest / size)
    if (count === 0) continue
    parts.push({ unit, count })
    rest -= count * size
  }
  return parts.length === 0 ? [{ unit: 'second', count: 0 }] : parts.slice(0, 2)
}

/** Milliseconds in the words of a person: `1 hour 30 minutes`. */
export const formatDuration = (ms: number): string =>
  durationParts(ms)
    .map(({ unit, count }) => `${count} ${unit}${count === 1 ? '' : 's'}`)
    .join(' ')
