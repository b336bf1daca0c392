/** The metadata file of the FIDO Alliance (MDS3): a JSON Web Signature whose certificates come along with it. */
import { X509Certificate } from 'node:crypto'
import { z } from 'zod'
import { OperatorError } from '../../../../../kernel/operator-error.ts'
import { whyNoChain } from './chain.ts'

/** What is known of a model of authenticators. */
export interface Model {
  readonly statuses: readonly string[]
  /** Certificates that the makers' certificates lead to: DER, base64. */
  readonly roots: readonly string[]
}

export interface Blob {
  /** Later files have higher ones. */
  readonly number: number
  /** The end of the day on which the next one is due. */
  readonly expiresAt: number
  /** By AAGUID, small letters with dashes. */
  readonly models: ReadonlyMap<string, Model>
}

export interface BlobTrust {
  readonly roots: readonly X509Certificate[]
  /** The host name in the certificate that signed it: a root signs certificates of many. */
  readonly signer: string
  readonly now: number
}

/** FIDO Metadata Service v3.0, §3.1.7: the Alliance signs with RS256; the others are of the same strength. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512']
const DAY = 86_400_000

const Header = z.object({ x5c: z.array(z.base64().max(16_384)).min(1).max(8) })
const Payload = z.object({
  no: z.int().min(0),
  nextUpdate: z.iso.date(),
  entries: z.array(
    z.object({
      aaguid: z.guid().toLowerCase().optional(),
      statusReports: z.array(z.object({ status: z.string() })).default([]),
      metadataStatement: z
        .object({ attestationRootCertificates: z.array(z.string()).default([]) })
        .optional(),
    }),
  ),
})

/** @throws OperatorError when it is not what the Alliance signed; whether it is out of date is the caller's to say */
export async function readBlob(text: string, { roots, signer, now }: BlobTrust): Promise<Blob> {
  const { compactVerify, decodeProtectedHeader } = await import('jose')
  const token = text.trim()
  const header = Header.safeParse(attempt(() => decodeProtectedHeader(token)))
  const certificates = header.data && attempt(() => header.data.x5c.map(certificateOf))
  const [leaf] = certificates ?? []
  if (certificates === undefined || leaf === undefined)
    throw new OperatorError('it is no signed metadata with certificates')
  const broken = whyNoChain(certificates, roots, now)
  if (broken !== undefined) throw new OperatorError(broken)
  if (leaf.checkHost(signer) === undefined)
    throw new OperatorError(`it is signed by another host than ${signer}`)
  let payload: Uint8Array
  try {
    payload = (await compactVerify(token, leaf.publicKey, { algorithms: ALGORITHMS })).payload
  } catch (error) {
    throw new OperatorError('its signature is not right', undefined, { cause: error })
  }
  const read = Payload.safeParse(attempt(() => JSON.parse(new TextDecoder().decode(payload))))
  if (!read.success) throw new OperatorError('it is signed, and no metadata')
  const { no: number, nextUpdate, entries } = read.data
  const models = new Map<string, Model>()
  for (const { aaguid, statusReports, metadataStatement } of entries)
    if (aaguid !== undefined)
      models.set(aaguid, {
        statuses: statusReports.map(({ status }) => status),
        roots: metadataStatement?.attestationRootCertificates ?? [],
      })
  return { number, expiresAt: Date.parse(nextUpdate) + DAY, models }
}

/** @throws Error for what is no certificate */
export const certificateOf = (base64: string): X509Certificate =>
  new X509Certificate(Buffer.from(base64, 'base64'))

/** Parsers say "no" by throwing. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}
