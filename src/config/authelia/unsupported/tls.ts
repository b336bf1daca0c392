import type { Section } from './table.ts'

const VERSIONS = [
  'TLS1.0',
  'TLS 1.0',
  'TLS1.1',
  'TLS 1.1',
  'TLS1.2',
  'TLS 1.2',
  'TLS1.3',
  'TLS 1.3',
]

/** The rows of a connection that we open with TLS. */
export const tlsTo = (peer: string, least?: string): Section => ({
  '': `TLS to ${peer}.`,
  minimum_version: [VERSIONS, least, 'The oldest version of TLS that is spoken.'],
  maximum_version: [VERSIONS, undefined, 'The newest version of TLS that is spoken.'],
  skip_verify: [
    'flag',
    false,
    'Trusts any server that answers: an attacker on the network can read the traffic.',
  ],
  server_name: ['hostname', undefined, 'The name that the certificate must have.'],
  private_key: [
    'private key',
    undefined,
    'Our private key, where a certificate is asked of us. PEM.',
  ],
  certificate_chain: ['certificates', undefined, 'Our certificates, our own first. PEM.'],
})
