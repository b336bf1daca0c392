/**
 * The numbers of the migrations: each once, and none left out. A migration that came later with a lower number would run
 * before its neighbours in a new database and after them in an old one, and the two would differ. Exit 1 and a line per
 * fault.
 */
import { pathToFileURL } from 'node:url'
import { migrations } from '../src/features.ts'

/** Never used, and never to be: databases exist that have 0009 without them. */
const RETIRED: readonly number[] = [4, 6, 7, 8]

/** @returns what is wrong with these names, a sentence each */
export function faultsOf(names: readonly string[], retired = RETIRED): string[] {
  const faults: string[] = []
  const byNumber = new Map<number, string>()
  for (const name of names) {
    const [, digits] = /^(\d{4})_[a-z0-9_]+$/.exec(name) ?? []
    if (digits === undefined) {
      faults.push(`the migration ${name} is not called NNNN_what`)
      continue
    }
    const number = Number(digits)
    const other = byNumber.get(number)
    if (other !== undefined) faults.push(`the migrations ${other} and ${name} have one number`)
    if (retired.includes(number))
      faults.push(`the migration ${name} has a number that databases have passed already`)
    byNumber.set(number, name)
  }
  const last = Math.max(0, ...byNumber.keys())
  for (let number = 1; number < last; number++) {
    if (!byNumber.has(number) && !retired.includes(number))
      faults.push(`no migration has the number ${String(number).padStart(4, '0')}`)
  }
  return faults
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const faults = faultsOf(Object.keys(migrations))
  if (faults.length > 0) {
    console.error(faults.join('\n'))
    process.exit(1)
  }
}
