/** The directions of imports between layers and features (docs/decisions/001-architecture.md). Exit 1 and a line per fault. */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import ts from 'typescript'

/** Inner to outer. A file may import its own ring or an inner one; log, storage, http and config are neighbours. */
const RINGS: readonly (readonly string[])[] = [
  ['kernel'],
  ['files'],
  ['config', 'storage', 'log'],
  ['http'],
  ['features'],
  ['root'],
]
/** What a manifest may import beside files of its own feature: it is a leaf. */
const LEAF = /(^src\/kernel\/)|(\.json$)/

const ringOf = (file: string): number => {
  const first = file.split('/')[1] ?? ''
  const ring = RINGS.findIndex((names) => names.includes(first))
  return ring === -1 ? RINGS.length - 1 : ring
}
const featureOf = (file: string): string | undefined => /^src\/features\/([^/]+)\//.exec(file)?.[1]

const faults: string[] = []
for (const file of globSync('src/**/*.ts')) {
  const { importedFiles } = ts.preProcessFile(readFileSync(file, 'utf8'), true, true)
  for (const { fileName } of importedFiles) {
    if (!fileName.startsWith('.')) {
      if (
        ringOf(file) === 0 &&
        /^(fastify|@fastify|kysely$|pino|node:(fs|net|http))/.test(fileName)
      )
        faults.push(`${file} is kernel and does IO: ${fileName}`)
      continue
    }
    const target = normalize(join(dirname(file), fileName))
    if (ringOf(target) > ringOf(file)) faults.push(`${file} reaches outward to ${target}`)
    const [from, to] = [featureOf(file), featureOf(target)]
    if (from && to && from !== to && !/\/(index|manifest)\.ts$/.test(target))
      faults.push(`${file} enters ${to} by the window: ${target}`)
    if (
      file.endsWith('/manifest.ts') &&
      !LEAF.test(target) &&
      !target.startsWith(`${dirname(file)}/`)
    )
      faults.push(`${file} is a leaf, but imports ${target}`)
  }
}
for (const file of globSync('src/**/*.ts')) {
  const touchesProcess = /\bprocess\.(exit|env)\b/.test(readFileSync(file, 'utf8'))
  if (touchesProcess && file !== 'src/main.ts')
    faults.push(`${file} touches process.exit or process.env: only src/main.ts may`)
}
if (faults.length > 0) {
  console.error(faults.join('\n'))
  process.exit(1)
}
