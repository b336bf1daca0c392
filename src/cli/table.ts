import { printable } from '../kernel/printable.ts'

/** Columns side by side for a terminal, two spaces between them; cells hold text from outside and are made printable. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows].map((row) => row.map((cell) => printable(cell)))
  const widths = head.map((_, column) =>
    Math.max(...lines.map((line) => [...(line[column] ?? '')].length)),
  )
  const formatted = lines.map((line) =>
    line
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - [...cell].length))
      .join('  ')
      .trimEnd(),
  )
  return `${formatted.join('\n')}\n`
}
