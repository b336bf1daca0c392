/** Certificates of authorities and makers that exist in tests alone. */
import 'reflect-metadata'
import { KeyObject, type webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

const ES256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

export interface Issued {
  readonly certificate: x509.X509Certificate
  /** As JSON Web Signatures and attestation statements carry it: DER, base64. */
  readonly base64: string
  readonly der: Buffer
  readonly keys: webcrypto.CryptoKeyPair
  readonly privateKey: KeyObject
}

/** @param by the issuer; undefined: it signs itself */
export async function issue(
  name: string,
  {
    by,
    isAuthority = true,
    host,
    until = '2049-01-01',
  }: {
    readonly by?: Issued
    readonly isAuthority?: boolean
    readonly host?: string
    readonly until?: string
  } = {},
): Promise<Issued> {
  const keys = await crypto.subtle.generateKey(ES256, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: Buffer.from(crypto.getRandomValues(new Uint8Array(8))).toString('hex'),
    subject: name,
    issuer: by?.certificate.subject ?? name,
    notBefore: new Date('2020-01-01'),
    notAfter: new Date(until),
    signingAlgorithm: ES256,
    publicKey: keys.publicKey,
    signingKey: (by?.keys ?? keys).privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(isAuthority, undefined, true),
      ...(host === undefined
        ? []
        : [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: host }])]),
    ],
  })
  const der = Buffer.from(certificate.rawData)
  return {
    ...{ certificate, keys, der, base64: der.toString('base64') },
    privateKey: KeyObject.from(keys.privateKey),
  }
}
