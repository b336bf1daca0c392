import type { FastifyRequest } from 'fastify'
import { AppError } from '../kernel/errors.ts'

/**
 * Refuses a proxy's question that reached a page. A proxy that is told to ask at `/` in place of `/verify` would read the
 * 200 of our sign-in page as "let it pass": everything would be let through. Only questions carry these headers; a proxy that
 * merely passes a person on to the portal sends neither.
 *
 * @throws AppError VERIFY_MALFORMED
 */
export function refuseQuestion({ headers }: FastifyRequest): void {
  if (headers['x-original-method'] === undefined && headers['x-forwarded-method'] === undefined)
    return
  throw new AppError('VERIFY_MALFORMED', {
    reason: 'a proxy asks here what it has to ask at /verify or below /api/authz/',
  })
}
