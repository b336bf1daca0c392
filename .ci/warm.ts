/**
 * Leaves dist/.cache behind: what V8 compiled at a start, so that the image does not compile it again. Node looks for it by
 * the user it runs as; the image runs as `node`.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** The user `node` of the base image. */
const UID = 1000

const folder = mkdtempSync(join(tmpdir(), 'vestibule-warm-'))
const socketPath = join(folder, 'vestibule.sock')
const main = resolve('dist/main.js')
const env = {
  ...process.env,
  VESTIBULE_SERVER_ADDRESS: `unix://${socketPath}`,
  VESTIBULE_DATA_DIRECTORY: join(folder, 'data'),
  // A file: what reads one is compiled as well.
  VESTIBULE_CONFIG: resolve('deploy/image/config.yml'),
}
const get = async (path: string): Promise<void> => {
  const sent = request({ socketPath, path, headers: { host: 'auth.vestibule.localhost:9091' } })
  sent.end()
  const [answer] = await once(sent, 'response')
  answer.resume()
  await once(answer, 'end')
}

try {
  const server = spawn(process.execPath, [main, 'serve'], {
    env,
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(server, 'exit')
  let said = ''
  for await (const chunk of server.stdout) {
    said += chunk
    if (/listening on/.test(said)) break
  }
  server.stdout.resume()
  for (const path of ['/api/health', '/', '/api/verify']) await get(path)
  spawnSync(process.execPath, [main, 'healthcheck'], { env, cwd: folder, stdio: 'inherit' })
  server.kill('SIGTERM')
  const [status] = await ended
  if (status !== 0) throw new Error(`the server ended with ${status}`)
  for (const name of readdirSync('dist/.cache'))
    renameSync(join('dist/.cache', name), join('dist/.cache', name.replace(/-\d+$/, `-${UID}`)))
} finally {
  rmSync(folder, { recursive: true, force: true })
}
