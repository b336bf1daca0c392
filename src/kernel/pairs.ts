/**
 * Pairs of a query or a form that are read. No form or link of ours has more than six; who sends thousands wants to keep
 * the server busy with names that nothing asks for.
 */
const MAX_PAIRS = 50

/** The text of the first pairs; what stands behind them is not looked at. */
export function firstPairs(text: string): string {
  let at = -1
  for (let count = 0; count < MAX_PAIRS; count++) {
    at = text.indexOf('&', at + 1)
    if (at === -1) return text
  }
  return text.slice(0, at)
}

/**
 * Reads a query, or a form (WHATWG URL §5.1), as far as `firstPairs` goes.
 * @returns an object without prototype; a name that came more than once has all its values
 */
export function readPairs(text: string): Readonly<Record<string, string | string[]>> {
  // Object.create gives `any`.
  const pairs = Object.create(null) as Record<string, string | string[]>
  if (text === '') return pairs
  for (const [name, value] of new URLSearchParams(firstPairs(text))) {
    const known = pairs[name]
    if (known === undefined) pairs[name] = value
    else if (Array.isArray(known)) known.push(value)
    else pairs[name] = [known, value]
  }
  return pairs
}
