/** Makes dist/: what the image and the npm package run, and the licences of what is inside. */
import { rmSync, writeFileSync } from 'node:fs'
import { bundle } from './bundle.ts'
import { licences } from './licences.ts'

rmSync('dist', { recursive: true, force: true })
const inputs = await bundle('dist')
writeFileSync('dist/THIRD-PARTY-LICENCES.txt', licences(inputs))
