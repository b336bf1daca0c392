import type { TestContext } from 'node:test'
import { type ProxySetup, proxies } from '../../src/features/proxy-config/index.ts'
import { folderWith, missing, startProgram } from './program.ts'
import type { ProxyUnderTest } from './proxy-proofs.ts'

/** @param lua in place of the vestibule.lua that belongs to the snippet */
export async function startHaproxy(
  t: Pick<TestContext, 'after'>,
  setup: ProxySetup,
  lua?: string,
): Promise<void> {
  const files = Object.fromEntries(proxies.haproxy(setup).map(({ name, text }) => [name, text]))
  const folder = folderWith(t, { 'vestibule.lua': lua ?? files['vestibule.lua'] ?? '' })
  const config = files['haproxy.cfg']?.replace('/etc/haproxy/', `${folder}/`) ?? ''
  const file = `${folderWith(t, { 'haproxy.cfg': config })}/haproxy.cfg`
  await startProgram(t, 'haproxy', ['-db', '-f', file], {
    folder,
    port: Number(setup.listen.split(':').at(-1)),
  })
}

export const haproxyUnderTest: ProxyUnderTest = {
  name: 'HAProxy',
  missing: missing('haproxy'),
  cannot: {},
  start: startHaproxy,
  // It knows HTTP/2 by its first bytes.
  http2: startHaproxy,
}
