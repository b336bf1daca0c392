import { printable } from '../kernel/printable.ts'
import type { Origin } from './tree.ts'

/** One thing that is wrong with the configuration. Holds no secret: `found` never quotes one. */
export interface Fault {
  /** The file as it was named, or the environment variable. */
  readonly source: string
  /** From 1; absent for the environment. Of the key, or of the item of a list. */
  readonly line?: number
  readonly column?: number
  /** As it was written: `access_control.rules[0].policy`; empty for the document itself. */
  readonly path: string
  readonly message: string
  /** What stands there, in words or quoted; absent when naming it would say nothing, or too much. */
  readonly found?: string
  readonly allowed?: string
  /** The known key, or variable, that comes closest to an unknown one. */
  readonly nearest?: string
  /** About something that is not written: it stands at the place of what is around it. */
  readonly isAbsent?: true
}

/** Something the operator should know once, at start; the configuration is accepted. */
export interface Notice {
  readonly source: string
  readonly line?: number
  readonly column?: number
  readonly path: string
  readonly message: string
}

/** The message of a fault that `found` and `allowed` explain by themselves. */
export const NOT_ALLOWED = 'is not an allowed value'

/** More lines than a person reads; the rest is counted. */
const MAX_LINES = 100

/** The place of a fault or notice, ready to be spread into it. */
export function placeOf(at: Origin): Pick<Fault, 'source' | 'line' | 'column'> {
  return {
    source: at.source,
    ...(at.line !== undefined && { line: at.line }),
    ...(at.column !== undefined && { column: at.column }),
  }
}

/** `config.yml:12:5 access_control.rules[0].policy`, or the variable's name and the path. */
export function formatPlace(of: Pick<Fault, 'source' | 'line' | 'column' | 'path'>): string {
  const place = of.line === undefined ? of.source : `${of.source}:${of.line}:${of.column ?? 1}`
  return of.path === '' ? place : `${place} ${of.path}`
}

/** The text for the terminal: one line a fault, at most 100 and a count of the rest. */
export function formatFaults(faults: readonly Fault[]): string {
  const lines = faults.slice(0, MAX_LINES).map(formatFault)
  if (faults.length > MAX_LINES) lines.push(`… and ${faults.length - MAX_LINES} more`)
  return lines.join('\n')
}

/** One fault in one line; what cannot be seen is spelled out. */
export function formatFault(fault: Fault): string {
  const parts: string[] = []
  if (fault.message !== NOT_ALLOWED) parts.push(fault.message)
  if (fault.found !== undefined) parts.push(`found ${fault.found}`)
  if (fault.allowed !== undefined) parts.push(`allowed: ${fault.allowed}`)
  if (fault.nearest !== undefined) parts.push(`did you mean ${fault.nearest}?`)
  return printable(`${formatPlace(fault)}: ${parts.join('; ')}`)
}

/** One notice in one line. */
export const formatNotice = (notice: Notice): string => `${formatPlace(notice)}: ${notice.message}`

/**
 * By source in the order of reading, then what is written before what is missing (which may only be misspelt), then by
 * place; what is said twice is said once.
 */
export function sortFaults<F extends Fault>(faults: readonly F[], sources: readonly string[]): F[] {
  const seen = new Set<string>()
  const rank = (fault: Fault) => {
    const index = sources.indexOf(fault.source)
    return index === -1 ? sources.length : index
  }
  return faults
    .filter((fault) => {
      const key = `${formatPlace(fault)}\n${fault.message}`
      return seen.has(key) ? false : seen.add(key)
    })
    .sort(
      (a, b) =>
        rank(a) - rank(b) ||
        (a.source < b.source ? -1 : Number(a.source > b.source)) ||
        Number(a.isAbsent ?? false) - Number(b.isAbsent ?? false) ||
        (a.line ?? 0) - (b.line ?? 0) ||
        (a.column ?? 0) - (b.column ?? 0),
    )
}
