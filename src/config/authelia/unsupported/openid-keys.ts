/** The names of algorithms (RFC 7518), and the rows of a key. */
import type { Section } from './table.ts'

const SIZES = [256, 384, 512]
const algorithms = (...families: readonly string[]): string[] =>
  families.flatMap((family) => SIZES.map((size) => `${family}${size}`))

export const JWS_ASYMMETRIC = algorithms('RS', 'ES', 'PS')
export const JWS = algorithms('HS', 'RS', 'ES', 'PS')

export const JWE_ALGORITHMS = [
  'none',
  'RSA1_5',
  'RSA-OAEP',
  'RSA-OAEP-256',
  'A128KW',
  'A192KW',
  'A256KW',
  'dir',
  'ECDH-ES',
  'ECDH-ES+A128KW',
  'ECDH-ES+A192KW',
  'ECDH-ES+A256KW',
  'A128GCMKW',
  'A192GCMKW',
  'A256GCMKW',
  'PBES2-HS256+A128KW',
  'PBES2-HS384+A192KW',
  'PBES2-HS512+A256KW',
]
export const JWE_ENCODINGS = [
  'A128CBC-HS256',
  'A192CBC-HS384',
  'A256CBC-HS512',
  'A128GCM',
  'A192GCM',
  'A256GCM',
]

export const JWK: Section = {
  key_id: ['short name', undefined, 'The name of the key (`kid`).'],
  use: [['sig', 'enc'], 'sig', 'What the key is for: signatures or encryption.'],
  algorithm: [
    [...JWS, ...JWE_ALGORITHMS.slice(1)],
    undefined,
    'The algorithm that the key is used with.',
  ],
  key: ['private key', undefined, 'The private key in PEM.'],
  certificate_chain: ['certificates', undefined, 'Its certificates in PEM, its own first.'],
}

/** As above, for the key of a client. */
export const PUBLIC_JWK: Section = {
  ...JWK,
  key: ['public key', undefined, 'The public key in PEM.'],
}
