import { InvalidArgumentError } from 'commander'

/** Reads a whole number for an option. */
export function integer(min: number, max: number, unit = ''): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d{1,15}$/.test(text) && value >= min && value <= max) return value
    throw new InvalidArgumentError(`It takes a whole number from ${min} to ${max}${unit}.`)
  }
}
