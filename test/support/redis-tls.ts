import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** An authority, a certificate for 127.0.0.1 and localhost, and one for a client; all PEM. */
export interface Certificates {
  readonly authority: string
  readonly server: { readonly certificate: string; readonly key: string }
  readonly client: { readonly certificate: string; readonly key: string }
}

/** Files in this folder: `ca.pem`, `server.pem`, `server.key`, `client.pem`, `client.key`. */
export function makeCertificates(folder: string): Certificates {
  const at = (name: string) => join(folder, name)
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl(
    ...['req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem'],
    ...['-subj', '/CN=test authority', '-days', '2'],
  )
  for (const name of ['server', 'client']) {
    writeFileSync(at(`${name}.ext`), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n')
    openssl(
      ...['req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`],
    )
    openssl(
      ...['x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key'],
      ...['-CAcreateserial', '-out', `${name}.pem`, '-days', '2', '-extfile', `${name}.ext`],
    )
  }
  const read = (name: string) => readFileSync(at(name), 'utf8')
  return {
    authority: read('ca.pem'),
    server: { certificate: read('server.pem'), key: read('server.key') },
    client: { certificate: read('client.pem'), key: read('client.key') },
  }
}
