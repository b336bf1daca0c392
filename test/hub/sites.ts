import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { folderWith, missing } from '../support/program.ts'

export const noOpenssl = missing('openssl')

/**
 * A proxy with TLS for any host: `auth.…` is the portal, every other one an app behind it. Says no and passes `Location` on
 * as nginx does with our snippet.
 */
export async function startSites(
  t: Pick<TestContext, 'after'>,
  vestibule: () => number,
): Promise<number> {
  const folder = folderWith(t, {})
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(folder, name))
  const made = spawnSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-keyout', key ?? '', '-out', cert ?? '', '-days', '2', '-subj', '/CN=sites.test'],
  ])
  if (made.status !== 0) throw new Error(made.stderr.toString())
  const server = https.createServer(
    { key: readFileSync(key ?? ''), cert: readFileSync(cert ?? '') },
    (request, response) => {
      const host = request.headers.host ?? ''
      const isPortal = host.startsWith('auth.')
      const headers = { ...request.headers, 'x-forwarded-proto': 'https' }
      const asked = http.request(
        {
          host: '127.0.0.1',
          port: vestibule(),
          method: isPortal ? request.method : 'GET',
          path: isPortal ? request.url : '/verify',
          headers: isPortal
            ? headers
            : {
                cookie: request.headers.cookie ?? '',
                accept: request.headers.accept ?? '',
                'sec-fetch-mode': String(request.headers['sec-fetch-mode'] ?? ''),
                'x-original-url': `https://${host}${request.url}`,
                'x-original-method': request.method,
              },
        },
        (answer) => {
          const { statusCode = 502, headers: given } = answer
          if (isPortal) {
            response.writeHead(statusCode, given)
            answer.pipe(response)
            return
          }
          answer.resume()
          if (statusCode === 200) {
            response.writeHead(200, { 'content-type': 'text/html', 'cache-control': 'no-store' })
            response.end(
              `<!doctype html><title>app</title><h1>${host} for ${given['remote-user']}</h1>`,
            )
          } else if (given.location !== undefined) {
            response.writeHead(302, { location: given.location }).end()
          } else response.writeHead(statusCode).end()
        },
      )
      asked.on('error', () => response.destroy())
      request.pipe(asked)
    },
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}
