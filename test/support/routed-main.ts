/** The server as `src/main.ts serve` starts it, but for one thing: every request goes through Fastify's router. */
import { keepTickObject } from '../../src/server/tick-object.ts'

keepTickObject()
const { serve } = await import('../../src/server/index.ts')
const at = process.argv.indexOf('--config')
process.exitCode = await serve({
  files: at === -1 ? [] : [process.argv[at + 1] ?? ''],
  env: process.env,
  cwd: process.cwd(),
  stdout: process.stdout,
  stderr: process.stderr,
  isTTY: false,
  version: 'test',
  entrance: 'router',
})
process.exit()
