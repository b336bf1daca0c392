/** What the fuzz drill has found: counted by kind, the first of each made as small as it gets. */
import type { Finding, Weight } from './judge.ts'
import type { Question } from './questions.ts'
import type { Cookie } from './scene.ts'

const EXAMPLES = 3
/** How often a request is sent again to make it smaller. */
const MAX_TRIES = 300

interface Kind {
  count: number
  readonly weight: Weight
  readonly examples: { readonly question: Question; readonly finding: Finding }[]
}

export function createFindings() {
  const kinds = new Map<string, Kind>()
  return {
    add(question: Question, finding: Finding): void {
      const { weight, kind: name } = finding
      const kind = kinds.get(name) ?? { count: 0, weight, examples: [] }
      kind.count++
      if (kind.examples.length < EXAMPLES) kind.examples.push({ question, finding })
      kinds.set(name, kind)
    },
    count: (weight: Weight) =>
      [...kinds.values()].reduce((sum, kind) => sum + (kind.weight === weight ? kind.count : 0), 0),
    /** Violations first. */
    kinds: () => [...kinds].sort(([, a], [, b]) => (a.weight < b.weight ? 1 : -1)),
  }
}

/**
 * Takes away from a request whatever it takes to show the finding: lines, then runs of characters, ever shorter.
 * @param fails whether a request still shows it
 */
export async function minimise(
  bytes: string,
  fails: (bytes: string) => Promise<boolean>,
): Promise<string> {
  let smallest = bytes
  let tries = 0
  const attempt = async (candidate: string): Promise<boolean> => {
    if (candidate.length >= smallest.length || tries++ >= MAX_TRIES) return false
    if (!(await fails(candidate))) return false
    smallest = candidate
    return true
  }
  const [first = '', ...lines] = bytes.split('\r\n')
  let kept = lines
  // From the end: the blank line goes last of all, if at all.
  for (let i = kept.length - 1; i >= 0; i--) {
    const without = kept.filter((_, n) => n !== i)
    if (await attempt([first, ...without].join('\r\n'))) kept = without
  }
  for (let size = 2 ** 15; size >= 1; size /= 2) {
    for (let at = 0; at < smallest.length; ) {
      if (size > smallest.length) break
      if (!(await attempt(smallest.slice(0, at) + smallest.slice(at + size)))) at += size
    }
  }
  return smallest
}

/** Bytes as a JavaScript text that can be pasted, with names in place of the cookies. */
export function spell(bytes: string, cookies: readonly Cookie[]): string {
  let text = bytes
  for (const { value, domain, person, state } of cookies)
    text = text.replaceAll(value, `<${state} session of ${person.name} at ${domain}>`)
  if (text.length > 3000)
    text = `${text.slice(0, 2000)}<…${text.length - 3000}…>${text.slice(-1000)}`
  return JSON.stringify(text).replace(
    /[^\x20-\x7e]/g,
    (char) =>
      `\\${char.charCodeAt(0) > 0xff ? 'u' : 'x'}${char
        .charCodeAt(0)
        .toString(16)
        .padStart(char.charCodeAt(0) > 0xff ? 4 : 2, '0')}`,
  )
}
