import { X509Certificate } from 'node:crypto'
import { globSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { OperatorError, systemCode } from '../kernel/operator-error.ts'

export interface CertificateFolder {
  readonly certificates: readonly string[]
  /** What is wrong with it, a sentence each; nothing of it may be used then. */
  readonly problems: readonly { readonly problem: string; readonly hint?: string }[]
}

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g

/** Reads a folder of certificates (`*.pem`, `*.crt`, `*.cer`, PEM) and looks at each of them. */
export function readCertificates(folder: string): CertificateFolder {
  const certificates: string[] = []
  const problems: { problem: string; hint?: string }[] = []
  let names: string[]
  try {
    // Throws when the folder cannot be read; a glob would find nothing and report nothing.
    readdirSync(folder)
    names = globSync('*.{pem,crt,cer}', { cwd: folder }).sort()
  } catch (error) {
    const problem = { ENOENT: 'does not exist', ENOTDIR: 'is no folder' }[systemCode(error)]
    return {
      certificates,
      problems: [{ problem: problem ?? `cannot be read (${systemCode(error)})` }],
    }
  }
  for (const name of names) {
    try {
      const text = readFileSync(join(folder, name), 'latin1')
      const problem = problemOf(text)
      if (problem === undefined) certificates.push(text)
      else problems.push({ problem: `: ${name} ${problem}`, hint: 'certificates are read in PEM' })
    } catch (error) {
      problems.push({ problem: `: ${name} cannot be read (${systemCode(error)})` })
    }
  }
  return { certificates, problems }
}

function problemOf(text: string): string | undefined {
  const blocks = text.match(BLOCK)
  if (blocks === null) return 'holds no certificate'
  try {
    for (const block of blocks) new X509Certificate(block)
    return undefined
  } catch {
    // Its own message speaks of ASN.1.
    return 'holds a certificate that cannot be read'
  }
}

/**
 * All certificates that connections of ours trust: those of Node, and those in a folder.
 *
 * @param folder empty: none
 * @returns undefined: those of Node alone
 * @throws OperatorError when the folder or a file of it cannot be read, or a file holds no certificate
 */
export function trustedCertificates(folder: string): readonly string[] | undefined {
  if (folder === '') return undefined
  const { certificates, problems } = readCertificates(folder)
  const [first] = problems
  if (first !== undefined)
    throw new OperatorError(
      `certificates_directory ${folder} ${first.problem}`.replace(' :', ':'),
      first.hint,
    )
  // A connection that needs one of it fails by itself, and says where to put it.
  if (certificates.length === 0) return undefined
  // Loaded here, because without configured certificates it is not needed.
  const { getCACertificates } = process.getBuiltinModule('node:tls')
  return [...getCACertificates('default'), ...certificates]
}
