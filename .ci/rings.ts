/**
 * The architecture's directions and entry points: who may import whom (docs/decisions/001-architecture.md). Exit 1 and a line
 * per fault. That imports make no circle, types counted, is checked by Biome (noImportCycles).
 */
import { existsSync, globSync, readFileSync } from 'node:fs'
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
/** What a manifest may import beside files of its own folder: the kernel, and the manifests whose slices it reads. */
const LEAF = /(^src\/kernel\/)|(\.json$)|(\/manifest\.ts$)/

/** Layers and features that are entered by `index.ts` alone, or by what they declare: `manifest.ts`, `operations.ts`. */
const INDEXED = /^src\/(config|storage\/redis|storage|log|features\/[^/]+)\//
/** Collections of single files, each an entry point of its own; what lies in their folders is theirs. */
const COLLECTION = /^src\/(kernel|files|http|control|server)\//
/** Entered by themselves, so that a command or a thread that needs no more loads no more. */
const ALONE: readonly string[] = [
  // The JSON schema, for one command.
  'src/config/schema.ts',
  // The users file is YAML too, and is read in a thread of its own.
  'src/config/nearest.ts',
  'src/config/tree.ts',
  'src/config/yaml-faults.ts',
  // `doctor redis` speaks to Redis without the sessions' client.
  'src/storage/redis/doctor.ts',
  // A method of second factors declares its own configuration and tables.
  'src/features/second-factor/methods/webauthn/manifest.ts',
]

/** The layer or feature that a file lies in, as a folder; undefined where there are no entry points. */
const partOf = (file: string): string | undefined =>
  (INDEXED.exec(file) ?? COLLECTION.exec(file))?.[0].slice(0, -1)

function isEntry(target: string): boolean {
  if (ALONE.includes(target)) return true
  if (dirname(target) !== partOf(target)) return false
  return COLLECTION.test(target) || /\/(index|manifest|operations)\.ts$/.test(target)
}

const ringOf = (file: string): number => {
  const first = file.split('/')[1] ?? ''
  const ring = RINGS.findIndex((names) => names.includes(first))
  return ring === -1 ? RINGS.length - 1 : ring
}
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
    const [from, to] = [partOf(file), partOf(target)]
    if (to !== undefined && from !== to && !isEntry(target))
      faults.push(`${file} enters ${to} past its index: ${target}`)
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
for (const file of ALONE)
  if (!existsSync(file)) faults.push(`${file} is named in .ci/rings.ts and does not exist`)
if (faults.length > 0) {
  console.error(faults.join('\n'))
  process.exit(1)
}
