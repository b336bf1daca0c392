/** Makes dist/ for the image: JavaScript from src/, and the files that are not code beside it. */
import { spawnSync } from 'node:child_process'
import { cpSync, globSync, rmSync } from 'node:fs'

rmSync('dist', { recursive: true, force: true })
const tsc = spawnSync(
  process.execPath,
  ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'],
  {
    stdio: 'inherit',
  },
)
if (tsc.status !== 0) process.exit(tsc.status ?? 1)
for (const file of globSync('src/**/*.{css,ico,js,json,png,svg}')) {
  cpSync(file, file.replace(/^src/, 'dist'))
}
