/** Makes the bundle that `npm start` runs in a checkout (checkout.cjs). Quiet: without it src/ is run as it is. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { setPriority } from 'node:os'
import { basename, join } from 'node:path'

interface Checkout {
  readonly cache: string
  isOursAlone(directory: string): boolean
  mark(path: string): string
}
// The module's own exports.
const { cache, isOursAlone, mark } = createRequire(import.meta.url)('./checkout.cjs') as Checkout

const KEPT = 4

setPriority(10)
mkdirSync(cache, { recursive: true, mode: 0o700 })
if (!isOursAlone('node_modules') || !isOursAlone(cache)) process.exit(1)
const directory = mkdtempSync(join(cache, 'bundle-'))
try {
  const begun = Date.now()
  const { bundle } = await import('./bundle.ts')
  const inputs = ['.ci/bundle.ts', ...Object.keys(await bundle(directory))]
  const marks = Object.fromEntries(inputs.map((path) => [path, mark(path)]))
  // A file that was saved while it was bundled may have gone in as it was before.
  if (inputs.some((path) => statSync(path).mtimeMs >= begun)) throw new Error('changed meanwhile')
  const record = join(directory, 'current.json')
  writeFileSync(record, JSON.stringify({ directory: basename(directory), marks }))
  renameSync(record, join(cache, 'current.json'))
} catch {
  rmSync(directory, { recursive: true, force: true })
  process.exit(1)
}
// A server that runs an older one may still load a part of it.
const older = readdirSync(cache)
  .filter((name) => name.startsWith('bundle-') && name !== basename(directory))
  .map((name) => ({ name, made: statSync(join(cache, name)).mtimeMs }))
  .sort((a, b) => b.made - a.made)
for (const { name } of older.slice(KEPT)) rmSync(join(cache, name), { recursive: true })
