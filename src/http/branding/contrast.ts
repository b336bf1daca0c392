/** Colours as WCAG 2.2 measures them. Written `#rgb` or `#rrggbb`. */

/** What text needs at least on its ground. */
export const READABLE = 4.5

type Rgb = readonly [number, number, number]

function parse(hex: string): Rgb {
  const digits = hex.slice(1)
  const full = digits.length === 3 ? [...digits].map((digit) => digit + digit).join('') : digits
  const part = (at: number): number => Number.parseInt(full.slice(at, at + 2), 16)
  return [part(0), part(2), part(4)]
}

function luminance(hex: string): number {
  const [r, g, b] = parse(hex).map((value) => {
    const part = value / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  }) as [number, number, number] // as many as went in
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

/** From 1, the same colour, to 21, black on white. */
export function contrast(one: string, other: string): number {
  const [a, b] = [luminance(one), luminance(other)]
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
}

/** White, or black where white would be hard to read. One of the two is readable on every colour. */
export const inkOn = (ground: string): string =>
  contrast('#ffffff', ground) >= READABLE ? '#ffffff' : '#000000'

/** The colour itself, or the nearest to it towards white or black that is readable on the ground. */
export function readableOn(colour: string, ground: string): string {
  const end = inkOn(ground) === '#ffffff' ? 255 : 0
  for (let share = 0; share < 1; share += 0.04) {
    const parts = parse(colour).map((value) => Math.round(value + (end - value) * share))
    const mixed = `#${parts.map((value) => value.toString(16).padStart(2, '0')).join('')}`
    if (contrast(mixed, ground) >= READABLE) return mixed
  }
  return inkOn(ground)
}
