import type { X509Certificate } from 'node:crypto'

/** Longer ones are none of an authenticator or of the FIDO Alliance. */
const MAX_CHAIN = 8

/**
 * Whether certificates, leaf first, lead to one of the roots: each is within its time, and signed by the next, which is that of
 * an authority. Revocation lists are not asked: the server asks no other host.
 * @returns why not; undefined: they do
 */
export function whyNoChain(
  certificates: readonly X509Certificate[],
  roots: readonly X509Certificate[],
  now: number,
): string | undefined {
  if (certificates.length === 0) return 'there is no certificate'
  if (certificates.length > MAX_CHAIN) return 'there are too many certificates'
  for (const [index, certificate] of certificates.entries()) {
    if (!isCurrent(certificate, now)) return `the certificate of ${nameOf(certificate)} is over`
    const ends = roots.some(
      (root) =>
        root.fingerprint256 === certificate.fingerprint256 ||
        (isCurrent(root, now) && hasIssued(root, certificate)),
    )
    if (ends) return undefined
    const next = certificates[index + 1]
    if (next === undefined) return 'the certificates lead to no known root'
    if (!hasIssued(next, certificate))
      return `the certificate of ${nameOf(certificate)} is not signed by the next one`
  }
  return 'the certificates lead to no known root'
}

const hasIssued = (issuer: X509Certificate, certificate: X509Certificate): boolean =>
  issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)

const isCurrent = ({ validFromDate, validToDate }: X509Certificate, now: number): boolean =>
  validFromDate.getTime() <= now && now <= validToDate.getTime()

const nameOf = ({ subject }: X509Certificate): string =>
  JSON.stringify(subject.split('\n').at(-1)?.slice(0, 80) ?? '')
