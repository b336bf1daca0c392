import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal, systemCode } from '../kernel/refusal.ts'

/**
 * All certificates that connections of ours trust: those of Node, and those in a folder (`*.pem`, `*.crt`, `*.cer`, PEM).
 *
 * @param folder empty: none
 * @returns undefined: those of Node alone
 * @throws Refusal when the folder or a file of it cannot be read, or a file holds no certificate
 */
export function trustedCertificates(folder: string): readonly string[] | undefined {
  if (folder === '') return undefined
  try {
    const own = globSync('*.{pem,crt,cer}', { cwd: folder }).sort()
    if (own.length === 0)
      throw new Refusal(
        `there is no certificate in certificates_directory (${folder})`,
        'its files are called *.pem, *.crt or *.cer',
      )
    // Loaded here: whoever trusts the usual ones has no use for it.
    const { getCACertificates } = process.getBuiltinModule('node:tls')
    return [
      ...getCACertificates('default'),
      ...own.map((name) => readCertificate(join(folder, name))),
    ]
  } catch (error) {
    if (error instanceof Refusal) throw error
    throw new Refusal(
      `certificates_directory ${folder} cannot be read (${systemCode(error)})`,
      undefined,
      { cause: error },
    )
  }
}

function readCertificate(path: string): string {
  const text = readFileSync(path, 'latin1')
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text
  throw new Refusal(`${path} holds no certificate`, 'certificates are read in PEM')
}
