import { createServer } from 'node:net'
import type { TestContext } from 'node:test'
import { folderWith, missing, startProgram } from './program.ts'
import type { ProxyUnderTest } from './proxy-proofs.ts'
import { nginxSnippet } from './snippet.ts'

/** Why tests that need nginx can't run here; undefined when they can. */
export const noNginx: string | undefined = missing('nginx')

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new TypeError('no port')
  return address.port
}

/** Runs the real nginx with this text inside http { }, in a folder of its own, until the test ends. */
export async function startNginx(
  t: Pick<TestContext, 'after'>,
  httpBlock: string,
  port: number,
  modules: readonly string[] = [],
): Promise<void> {
  const folder = folderWith(t, {
    'nginx.conf': `${modules.map((module) => `load_module ${module};\n`).join('')}daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr warn;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 256; }
http {
access_log off;
client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
uwsgi_temp_path uwsgi; scgi_temp_path scgi;
${httpBlock}
}
`,
  })
  await startProgram(t, 'nginx', ['-p', folder, '-c', `${folder}/nginx.conf`], { folder, port })
}

export const nginxUnderTest: ProxyUnderTest = {
  name: 'nginx',
  missing: noNginx,
  cannot: {},
  start: (t, setup) => startNginx(t, nginxSnippet(setup), Number(setup.listen.split(':').at(-1))),
  http2: (t, setup) =>
    startNginx(
      t,
      // Old ones speak nothing else then.
      nginxSnippet(setup).replaceAll(`listen ${setup.listen}`, `listen ${setup.listen} http2`),
      Number(setup.listen.split(':').at(-1)),
    ),
}
