/**
 * The same text in memory of its own. V8 makes a slice of a text a view of it: a host of twenty characters that is kept
 * for long keeps the request's 64 KiB that it was cut from. For what outlives a request.
 */
export function detach(text: string): string {
  const copy = Buffer.from(text, 'latin1').toString('latin1')
  return copy === text ? copy : Buffer.from(text, 'utf16le').toString('utf16le')
}
