import type { FastifyRequest } from 'fastify'
import { AppError } from '../kernel/errors.ts'

/**
 * Refuses writes that another site started (advisory 14, login CSRF): `Sec-Fetch-Site: same-origin`, or without that
 * header an Origin equal to a configured portal's; with neither, JSON passes (no browser sends it so) and forms don't.
 *
 * @param origins the configured portals' origins
 * @throws AppError CROSS_ORIGIN
 */
export function requireSameOrigin(request: FastifyRequest, origins: ReadonlySet<string>): void {
  const { 'sec-fetch-site': site, origin, 'content-type': type } = request.headers
  if (site !== undefined) {
    if (site === 'same-origin') return
    throw new AppError('CROSS_ORIGIN', { reason: 'Sec-Fetch-Site is not same-origin' })
  }
  if (origin !== undefined) {
    if (origins.has(origin)) return
    throw new AppError('CROSS_ORIGIN', { reason: 'Origin is no configured portal' })
  }
  // A form has one of three content types (HTML §4.10.21.3); none of them passes without an origin.
  if (type === undefined || /^application\/json\s*(;|$)/i.test(type)) return
  throw new AppError('CROSS_ORIGIN', { reason: 'a form post without Origin and Sec-Fetch-Site' })
}
