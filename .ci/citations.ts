/**
 * What the pages say about files: links, tests and names in the code. A page names the thing (a test, an exported name);
 * where it stands is looked up, so that a file that moves costs nothing but `npm run docs`.
 *
 *   [`createAccess`](../src/features/access/index.ts)      the file declares the name
 *   - [access/hosts.test.ts](../test/access/hosts.test.ts): the name of a test      the file has the test
 *   - ?: the name of a test, [`createAccess`](?)           new ones: `npm run docs` finds the file
 */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, dirname, join, normalize, relative } from 'node:path'
import { closest } from 'fastest-levenshtein'
import { testsIn, topLevelIn } from './source.ts'

export interface Cited {
  /** The page, with every path that could be corrected. */
  readonly text: string
  readonly faults: readonly string[]
}

const TEST = /^- (?:\?|\[[^\]]*\]\((?<path>[^)]+)\)): (?<name>.+)$/gm
const NAME = /\[`(?<name>\w+)`\]\((?<path>[^)#]+\.ts|\?)\)/g
const LINK = /\]\((?<path>[^?)#\s:][^)#\s:]*)?(?:#(?<anchor>[^)\s]*))?\)/g
const IN_CODE = /`(?<path>(?:src|test|docs|bench|deploy|\.ci)\/[\w./-]+)`/g

/** @param page path of the page from the root, to read its relative links */
export function cite(page: string, text: string): Cited {
  const faults: string[] = []
  const fault = (what: string): void => void faults.push(`${page}: ${what}`)
  const target = (path: string): string => normalize(join(dirname(page), path))
  const link = (file: string): string => relative(dirname(page), file)

  const mended = text
    .replace(TEST, (line, path: string | undefined, name: string) => {
      if (path !== undefined && testsIn(target(path)).has(name)) return line
      if (path !== undefined && !/\.ts$/.test(path)) return line
      const file = findOne(testFiles(), testsIn, name, path)
      if (file === undefined) {
        fault(`no test (or several) is called "${name}"${nearest(name)}`)
        return line
      }
      return `- [${file.slice('test/'.length)}](${link(file)}): ${name}`
    })
    .replace(NAME, (line, name: string, path: string) => {
      if (topLevelIn(target(path)).has(name)) return line
      const file = findOne(sourceFiles(), topLevelIn, name, path)
      if (file === undefined) {
        fault(`nothing (or several things) in src is called \`${name}\``)
        return line
      }
      return `[\`${name}\`](${link(file)})`
    })
  for (const { groups } of mended.matchAll(LINK)) {
    const { path = '', anchor } = groups ?? {}
    const file = path === '' ? page : target(path)
    if (path !== '' && !existsSync(file)) fault(`the link leads nowhere: ${path}`)
    else if (anchor !== undefined && file.endsWith('.md')) {
      const there = file === page ? mended : readFileSync(file, 'utf8')
      if (!anchorsOf(there).has(anchor)) fault(`the link leads to no heading: ${path}#${anchor}`)
    }
  }
  for (const { groups } of mended.matchAll(IN_CODE)) {
    const path = groups?.['path'] ?? ''
    if (!existsSync(path)) fault(`there is no ${path}`)
  }
  return { text: mended, faults }
}

/** Headings of a page as GitHub and its like name them in links. */
const anchorsOf = (text: string): ReadonlySet<string> =>
  new Set(
    [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )

const testFiles = (): readonly string[] =>
  globSync(['test/**/*.test.ts', 'test/conformance/*.ts', 'test/support/*.ts'])
const sourceFiles = (): readonly string[] => globSync('src/**/*.ts')

const known = new Map<string, ReadonlySet<string>>()
function namesOf(file: string, read: (file: string) => ReadonlySet<string>): ReadonlySet<string> {
  const names = known.get(file) ?? read(file)
  known.set(file, names)
  return names
}

/** The only file with the name; of several the one that is called as the file was that had it. */
function findOne(
  files: readonly string[],
  read: (file: string) => ReadonlySet<string>,
  name: string,
  was = '',
): string | undefined {
  const found = files.filter((file) => namesOf(file, read).has(name))
  if (found.length === 1) return found[0]
  const same = found.filter((file) => basename(file) === basename(was))
  return same.length === 1 ? same[0] : undefined
}

function nearest(name: string): string {
  const names = testFiles().flatMap((file) => [...namesOf(file, testsIn)])
  return names.length === 0 ? '' : `; the nearest is "${closest(name, names)}"`
}
