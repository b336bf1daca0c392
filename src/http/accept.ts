/** Media ranges of an Accept header that are looked at. Browsers send eight. */
const MAX_RANGES = 32

/** The media types that an Accept header names, in order, in lower case and without parameters. */
export function acceptedTypes(accept: string): readonly string[] {
  return accept
    .split(',', MAX_RANGES)
    .map((range) => (range.split(';', 1)[0] ?? '').trim().toLowerCase())
}
