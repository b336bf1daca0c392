import type { Cli } from './invocation.ts'
import { formatTable } from './table.ts'

/** Prints what an operation found: as JSON, as one sentence when there is nothing, or as a table. */
export async function printList<T>(
  { print }: Pick<Cli, 'print'>,
  rows: readonly T[],
  {
    json,
    none,
    head,
    cells,
  }: {
    readonly json: true | undefined
    readonly none: string
    readonly head: readonly string[]
    /** Asked for a table alone: what it needs may have to be loaded. */
    readonly cells: () => Promise<(row: T) => string[]>
  },
): Promise<void> {
  if (json) print(`${JSON.stringify(rows, null, 2)}\n`)
  else if (rows.length === 0) print(`${none}\n`)
  else print(formatTable(head, rows.map(await cells())))
}
