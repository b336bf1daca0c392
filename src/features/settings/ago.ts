import { html } from 'ghtml'

const UNITS = [
  ['year', 365 * 86_400_000],
  ['month', 30 * 86_400_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const

/**
 * How long ago something was, in the person's language: a time of day would need their time zone, which nobody tells us.
 * @returns markup: a `time` element with the exact moment
 */
export function ago(time: number, now: number, language: string): string {
  const format = new Intl.RelativeTimeFormat(language, { numeric: 'auto' })
  const past = Math.max(0, now - time)
  const [unit, length] = UNITS.find(([, ms]) => past >= ms) ?? (['second', 1000] as const)
  // Under a minute it is "now": nobody counts the seconds.
  const text =
    unit === 'second' ? format.format(0, unit) : format.format(-Math.floor(past / length), unit)
  return html`<time datetime="${new Date(time).toISOString()}">${text}</time>`
}
