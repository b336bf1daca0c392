import { acceptedTypes } from '../../http/accept.ts'
import type { Fields } from './fields.ts'

/**
 * Whether the caller is a browser that is opening a page: only such a caller is sent to the portal or shown a page
 * (requirement 28). XMLHttpRequest, an Accept without text/html (the wildcard counts only first) or a Sec-Fetch-Mode other than
 * `navigate` say that a script or a program waits for data.
 */
export function isNavigation({ accept, requestedWith, fetchMode }: Fields): boolean {
  if (requestedWith !== undefined && requestedWith.toLowerCase() === 'xmlhttprequest') return false
  if (fetchMode !== undefined && fetchMode !== '' && fetchMode.toLowerCase() !== 'navigate')
    return false
  return acceptsHtml(accept ?? '')
}

function acceptsHtml(accept: string): boolean {
  return acceptedTypes(accept).some(
    (type, i) => type === 'text/html' || (i === 0 && type === '*/*'),
  )
}

/** Whether Accept names application/json: then a 401 says where to sign in, in its body. */
export function acceptsJson({ accept }: Fields): boolean {
  return accept !== undefined && acceptedTypes(accept).includes('application/json')
}
