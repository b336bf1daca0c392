import { html } from 'ghtml'

const UNITS = [
  ['year', 365 * 86_400_000],
  ['month', 30 * 86_400_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const

/**
 * How long ago something was, in the user's language. The exact moment appears on hover and is read to screen readers: in
 * UTC, which the script turns into the browser's time zone.
 * @returns markup
 */
export function ago(time: number, now: number, language: string): string {
  const format = new Intl.RelativeTimeFormat(language, { numeric: 'auto' })
  const past = Math.max(0, now - time)
  const [unit, length] = UNITS.find(([, ms]) => past >= ms) ?? (['second', 1000] as const)
  // Under a minute it is "now": seconds do not matter here.
  const text =
    unit === 'second' ? format.format(0, unit) : format.format(-Math.floor(past / length), unit)
  const moment = new Date(time)
  const exact = `${new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' }).format(moment)} UTC`
  return html`<time datetime="${moment.toISOString()}" title="${exact}">${text}<span class="visually-hidden"> (${exact})</span></time>`
}
