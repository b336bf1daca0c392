/** `npm run bench`: every bench in turn, each in a process of its own. */
import { spawnSync } from 'node:child_process'

for (const bench of [
  'verify',
  'tick-object',
  'connections',
  'dialects',
  'rules',
  'start',
  'page',
  'argon2',
  'redis',
  'users',
]) {
  console.log(`\n== ${bench}`)
  const { status } = spawnSync(process.execPath, [`bench/${bench}.ts`], { stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
