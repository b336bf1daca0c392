/** The weight of the first view of the login page, as a browser with an empty cache gets it. `node bench/page.ts` */
import { gzipSync } from 'node:zlib'
import { startVestibule } from './processes.ts'

const server = await startVestibule({ default_policy: 'one_factor' })
try {
  const get = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, {
      headers: { 'x-forwarded-host': 'auth.bench.localhost', 'accept-encoding': 'identity' },
    })
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`)
    return Buffer.from(await answer.arrayBuffer())
  }
  const html = await get('/?rd=http%3A%2F%2Fapp.bench.localhost%3A8080%2F&rm=GET')
  const assets = [...html.toString().matchAll(/(?:src|href)="(\/static\/[^"]+)"/g)].map(
    ([, url]) => url ?? '',
  )
  let total = 0
  for (const [name, bytes] of [
    ['/', html] as const,
    ...(await Promise.all(assets.map(async (url) => [url, await get(url)] as const))),
  ]) {
    const packed = gzipSync(bytes, { level: 9 }).length
    total += packed
    console.log(
      `${name.padEnd(40)} ${String(bytes.length).padStart(6)} bytes, ${String(packed).padStart(5)} gzip`,
    )
  }
  console.log(
    `first view: ${1 + assets.length} requests (promise ≤ 3), ${(total / 1024).toFixed(1)} KB gzip (promise ≤ 15)`,
  )
} finally {
  await server.stop()
}
