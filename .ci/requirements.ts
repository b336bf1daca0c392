/** Holds docs/requirements.md to its word: what is built names a test, and what the code cites is there. */
import { globSync, readFileSync } from 'node:fs'

const SECTION = /^## (?<number>\d+) .+$/gm
const ADVISORY = /^\| (?<number>\d+) \|/gm
const CITED = /\b(?<kind>requirement|advisor)(?:s|y|ies)? (?<numbers>\d+(?:(?:, | and )\d+)*)/gi

/** @returns a line per fault */
export function checkRequirements(page: string): readonly string[] {
  const faults: string[] = []
  const [body = '', advisories = ''] = page.split('\n## Advisories\n')
  const heads = [...body.matchAll(SECTION)]
  const requirements = new Set<string>()
  for (const [index, head] of heads.entries()) {
    const number = head.groups?.['number'] ?? ''
    const section = body.slice(head.index, heads[index + 1]?.index)
    if (requirements.has(number)) faults.push(`requirement ${number} is there twice`)
    requirements.add(number)
    const built = !section.includes('**Not built yet.**')
    const shown = /^- \S+: /m.test(section)
    if (built && !shown) faults.push(`requirement ${number} is built and names no test`)
    if (!built && shown) faults.push(`requirement ${number} is not built yet and names a test`)
  }
  const known = {
    requirement: requirements,
    advisor: new Set([...advisories.matchAll(ADVISORY)].map(({ groups }) => groups?.['number'])),
  }
  for (const file of globSync(['src/**/*.ts', 'test/**/*.ts', 'docs/**/*.md'])) {
    for (const { 0: text, groups } of readFileSync(file, 'utf8').matchAll(CITED)) {
      const kind = groups?.['kind']?.toLowerCase() === 'advisor' ? 'advisor' : 'requirement'
      for (const number of groups?.['numbers']?.match(/\d+/g) ?? [])
        if (!known[kind].has(number)) faults.push(`${file} cites ${text}: it has no ${number}`)
    }
  }
  return faults.map((fault) => `docs/requirements.md: ${fault}`)
}
