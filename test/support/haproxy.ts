import type { TestContext } from 'node:test'
import { type ProxySetup, proxies } from '../../src/features/proxy-config/index.ts'
import { folderWith, missing, startProgram } from './program.ts'
import type { ProxyUnderTest } from './proxy-proofs.ts'

/** @param others in place of what is printed, by the name of the file */
export async function startHaproxy(
  t: Pick<TestContext, 'after'>,
  setup: ProxySetup,
  others: Readonly<Record<string, string>> = {},
): Promise<void> {
  const printed = Object.fromEntries(proxies.haproxy(setup).map(({ name, text }) => [name, text]))
  const { 'haproxy.cfg': config = '', ...files } = { ...printed, ...others }
  const folder = folderWith(t, files)
  const own = folderWith(t, { 'haproxy.cfg': config.replaceAll('/etc/haproxy/', `${folder}/`) })
  const args = ['-db', '-f', `${own}/haproxy.cfg`, '-f', `${folder}/apps.cfg`]
  await startProgram(t, 'haproxy', args, { folder, port: Number(setup.listen.split(':').at(-1)) })
}

export const haproxyUnderTest: ProxyUnderTest = {
  name: 'HAProxy',
  missing: missing('haproxy'),
  cannot: {},
  start: (t, setup) => startHaproxy(t, setup),
  // It knows HTTP/2 by its first bytes.
  http2: (t, setup) => startHaproxy(t, setup),
}
