import type { TestContext } from 'node:test'
import { type ProxySetup, proxies } from '../../src/features/proxy-config/index.ts'
import { folderWith, missing, startProgram } from './program.ts'
import type { ProxyUnderTest } from './proxy-proofs.ts'

export { freePort } from './port.ts'

/** Why tests that need nginx can't run here; undefined when they can. */
export const noNginx: string | undefined = missing('nginx')

/** Runs the real nginx with this text inside http { }, in a folder of its own, until the test ends. */
export async function startNginx(
  t: Pick<TestContext, 'after'>,
  httpBlock: string,
  port: number,
  modules: readonly string[] = [],
  beside: Readonly<Record<string, string>> = {},
): Promise<void> {
  const folder = folderWith(t, {
    ...beside,
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

/** @param listening stands behind each `listen` */
function startWithFiles(
  t: Pick<TestContext, 'after'>,
  setup: ProxySetup,
  listening: string,
): Promise<void> {
  const files = proxies
    .nginx(setup)
    .map(({ name, text }) => [
      name,
      text.replaceAll(`listen ${setup.listen}`, `listen ${setup.listen}${listening}`),
    ])
  // What says that it goes beside nginx.conf is there, the others are in conf.d.
  return startNginx(
    t,
    'include vestibule-http.conf;\ninclude app.conf;',
    Number(setup.listen.split(':').at(-1)),
    [],
    Object.fromEntries(files),
  )
}

export const nginxUnderTest: ProxyUnderTest = {
  name: 'nginx',
  missing: noNginx,
  cannot: {},
  start: (t, setup) => startWithFiles(t, setup, ''),
  // Old ones speak nothing else then.
  http2: (t, setup) => startWithFiles(t, setup, ' http2'),
}
