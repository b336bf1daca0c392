/**
 * Makes dist/: what the image and the npm package run, and the licences of what is inside.
 *
 *   node .ci/build.ts [folder=dist]
 */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundle } from './bundle.ts'
import { licences } from './licences.ts'

const target = process.argv[2] ?? 'dist'
rmSync(target, { recursive: true, force: true })
const inputs = await bundle(target)
writeFileSync(join(target, 'THIRD-PARTY-LICENCES.txt'), licences(inputs))
