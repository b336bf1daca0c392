import type { FastifyRequest } from 'fastify'
import { acceptedTypes } from '../../http/accept.ts'

/**
 * Whether a browser opens a page in a tab: only then may it be sent to another domain and back. What scripts, frames, images
 * and programs ask for gets its answer here.
 */
export function isPageNavigation({ method, headers }: FastifyRequest): boolean {
  if (method !== 'GET') return false
  const {
    accept = '',
    'x-requested-with': by,
    'sec-fetch-mode': mode,
    'sec-fetch-dest': dest,
  } = headers
  if (typeof by === 'string' && by.toLowerCase() === 'xmlhttprequest') return false
  if (dest !== undefined && dest !== 'document') return false
  if (mode !== undefined) return mode === 'navigate'
  return acceptedTypes(accept).includes('text/html')
}
