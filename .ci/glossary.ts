/**
 * Holds src/ to docs/glossary.md: no word of its column "Not" in the name of a file or of a declaration, and none of the
 * phrases that it bans from comments and texts, messages included (`N` at the end of one is any number).
 *
 * What stood there before the rule is counted by folder in glossary-budget.json. A count may fall and never rise.
 *
 *   node .ci/glossary.ts            the check; fails where a count is above its budget
 *   node .ci/glossary.ts --counts   the counts as well
 *   node .ci/glossary.ts --list     every place
 *   node .ci/glossary.ts --update   takes the counts over as budget, if no sum has risen
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { commentsIn, declaredIn, type Passage, parse, textsIn } from './source.ts'

const GLOSSARY = 'docs/glossary.md'
/** How many places of a folder are shown where its budget is passed. */
const SHOWN = 20
const BUDGET = '.ci/glossary-budget.json'

const KINDS = ['names', 'comments', 'texts'] as const

interface Forbidden {
  readonly parts: readonly string[]
  readonly instead: string
  readonly scope: 'everywhere' | 'in' | 'outside'
  readonly folders: readonly string[]
}

type Counts = Readonly<Record<string, number>>
interface Found {
  readonly kind: (typeof KINDS)[number]
  readonly folder: string
  readonly sentence: string
}

/** `banDesk`, `ban-desk`, `BAN_DESK` → ban, desk */
const partsOf = (name: string): readonly string[] =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((part) => part !== '')

function forbiddenIn(glossary: string): readonly Forbidden[] {
  const words: Forbidden[] = []
  for (const line of glossary.split('\n')) {
    const [, word = '', , not = ''] = line.split('|').map((cell) => cell.trim())
    const [list = '', scope = 'everywhere', folders = ''] = not.split(/ (in|outside) (?=`src)/)
    for (const [, name = ''] of list.matchAll(/`([\w-]+)`/g)) {
      if (scope !== 'everywhere' && scope !== 'in' && scope !== 'outside') continue
      words.push({
        parts: partsOf(name),
        instead: word,
        scope,
        folders: [...folders.matchAll(/`([^`]+)`/g)].map(([, folder = '']) => `${folder}/`),
      })
    }
  }
  return words
}

function phrasesIn(glossary: string): RegExp {
  const [, list = ''] = /Not in comments and texts: (.+?)(?:\n\n|$)/s.exec(glossary) ?? []
  const phrases = [...list.matchAll(/"([^"]+)"/g)].map(([, phrase = '']) =>
    phrase.replace(/ N$/, 's? \\d+'),
  )
  if (phrases.length === 0) throw new Error(`${GLOSSARY} bans no phrase`)
  return new RegExp(`\\b(?:${phrases.join('|')})\\b`, 'gi')
}

const appliesTo = ({ scope, folders }: Forbidden, file: string): boolean =>
  scope === 'everywhere' || folders.some((folder) => file.startsWith(folder)) === (scope === 'in')

const holds = (parts: readonly string[], { parts: forbidden }: Forbidden): boolean =>
  parts.some((_, at) => forbidden.every((part, offset) => parts[at + offset] === part))

/** The first folder below src/; `src` for what lies beside the folders. */
const folderOf = (file: string): string => {
  const parts = file.split('/')
  return parts.length > 2 ? parts.slice(0, 2).join('/') : 'src'
}

function search(): readonly Found[] {
  const glossary = readFileSync(GLOSSARY, 'utf8')
  const forbidden = forbiddenIn(glossary)
  if (forbidden.length === 0) throw new Error(`${GLOSSARY} forbids no word`)
  const phrases = phrasesIn(glossary)
  const found: Found[] = []
  function said(kind: 'comments' | 'texts', file: string, passages: readonly Passage[]): void {
    for (const { text, line } of passages) {
      for (const { 0: phrase, index } of text.matchAll(phrases)) {
        const below = text.slice(0, index).split('\n').length - 1
        const sentence = `${file}:${line + below} says "${phrase}" in ${kind}`
        found.push({ kind, folder: folderOf(file), sentence })
      }
    }
  }
  for (const file of globSync('src/**/*.ts').sort()) {
    const folder = folderOf(file)
    const words = forbidden.filter((word) => appliesTo(word, file))
    const name = (what: string, parts: readonly string[]): void => {
      for (const word of words)
        if (holds(parts, word))
          found.push({
            ...{ kind: 'names', folder },
            sentence: `${what}: not "${word.parts.join(' ')}" but "${word.instead}"`,
          })
    }
    name(file, partsOf(basename(file, '.ts')))
    const source = parse(file)
    for (const declared of declaredIn(source))
      name(`${file}:${declared.line} ${declared.name}`, partsOf(declared.name))
    said('comments', file, commentsIn(source))
    said('texts', file, textsIn(source))
  }
  for (const file of globSync('src/**/*.json').sort())
    said('texts', file, [{ text: readFileSync(file, 'utf8'), line: 1 }])
  return found
}

const sum = (counts: Counts): number => Object.values(counts).reduce((a, b) => a + b, 0)

const found = search()
const counts = (kind: Found['kind']): Counts => {
  const byFolder: Record<string, number> = {}
  for (const { folder } of found.filter((one) => one.kind === kind))
    byFolder[folder] = (byFolder[folder] ?? 0) + 1
  return byFolder
}
const now = { names: counts('names'), comments: counts('comments'), texts: counts('texts') }
// The file is written below, in this shape.
const budget = JSON.parse(readFileSync(BUDGET, 'utf8')) as Readonly<Record<Found['kind'], Counts>>

if (process.argv.includes('--list')) for (const { sentence } of found) console.log(sentence)
if (process.argv.includes('--counts')) console.log(now)

if (process.argv.includes('--update')) {
  if (KINDS.some((kind) => sum(now[kind]) > sum(budget[kind]))) {
    console.error('a sum has risen: mend the names, comments or texts instead')
    process.exit(1)
  }
  writeFileSync(BUDGET, `${JSON.stringify(now, null, 2)}\n`)
  process.exit(0)
}

let failed = false
for (const kind of KINDS) {
  for (const [folder, count] of Object.entries(now[kind])) {
    const allowed = budget[kind][folder] ?? 0
    if (count <= allowed) continue
    failed = true
    console.error(`${folder}: ${count} ${kind} that ${GLOSSARY} forbids, ${allowed} are budgeted`)
    const here = found.filter((one) => one.kind === kind && one.folder === folder)
    for (const { sentence } of here.slice(0, SHOWN)) console.error(`  ${sentence}`)
    if (here.length > SHOWN) console.error('  … (--list has them all)')
  }
}
process.exit(failed ? 1 : 0)
