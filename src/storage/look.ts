import type { StartPlace, StartReport } from '../kernel/feature.ts'
import { readCertificates } from './certificates.ts'

const CERTIFICATES = ['certificates_directory']

/** Whether the folder of certificates can be used. */
export function lookAtCertificates(given: string, place: StartPlace, report: StartReport): void {
  if (given === '') return
  const folder = place.resolve(given)
  const { certificates, problems } = readCertificates(folder)
  for (const { problem, hint } of problems)
    report.fault(CERTIFICATES, problem.startsWith(':') ? problem.slice(2) : problem, hint)
  if (problems.length === 0 && certificates.length === 0)
    report.warn(
      CERTIFICATES,
      'holds no certificate (*.pem, *.crt, *.cer): none is trusted besides the usual',
    )
}
