import type { Target } from './question.ts'
import { isCanonical, readPath, type UnreadablePath } from './readings.ts'

export type TargetReadings =
  | { readonly paths: readonly string[]; readonly queries: readonly (string | undefined)[] }
  | { readonly refusal: UnreadablePath }

/**
 * Every reading of path and query. A raw `#` ends the query for what parses URLs, and one in the path leaves no query
 * at all (advisory 9).
 */
export function readTarget(target: Target): TargetReadings {
  const { path } = target
  const query = queryOf(target)
  if (isPlain(path, query)) return { paths: [path], queries: [query] }
  const readings = readPath(path)
  if ('refusal' in readings) return readings
  const queries = new Set([query])
  if (query?.includes('#')) queries.add(query.slice(0, query.indexOf('#')) || undefined)
  if (path.includes('#')) queries.add(undefined)
  return { paths: readings.paths, queries: [...queries] }
}

/** A question mark with nothing behind it is no query, as for Authelia. */
export function queryOf({ query }: Target): string | undefined {
  return query === '' ? undefined : query
}

/** One reading, itself: what nearly every request has. */
export function isPlain(path: string, query: string | undefined): boolean {
  return (query === undefined || !query.includes('#')) && isCanonical(path)
}
