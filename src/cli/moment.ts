/** `2026-01-15 12:00:00Z`: UTC, as the offset of this terminal need not be the server's. */
export function moment(time: number): string {
  const date = new Date(time)
  return Number.isNaN(date.getTime())
    ? '?'
    : `${date.toISOString().slice(0, 19).replace('T', ' ')}Z`
}
