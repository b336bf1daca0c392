/** Whether an answer of the portal keeps what every answer promises, whatever was asked. */
import { PASSWORD } from '../support/server.ts'
import { type Answer, valuesOf } from './http.ts'
import { covers, isLoopback } from './reference-target.ts'
import type { Cookie } from './scene.ts'
import { DOMAINS } from './world.ts'

/** Requirement 20, what is on every response that a browser may receive. */
const ALWAYS: Readonly<Record<string, RegExp>> = {
  'x-content-type-options': /^nosniff$/,
  'referrer-policy': /^strict-origin-when-cross-origin$/,
  'x-frame-options': /^DENY$/,
  'cache-control': /^(?:no-store|public, max-age=31536000, immutable)$/,
}
/** The icons under fixed names (/favicon.ico), and nothing else, are kept for a day. */
const OF_ICONS = { ...ALWAYS, 'cache-control': /^public, max-age=86400$/ }
const ICONS = /^image\/(?:vnd\.microsoft\.icon|png)$/
/** Right passwords as the forms and JSON write them. */
const RIGHT = [PASSWORD, PASSWORD.replace(' ', '+'), PASSWORD.replace(' ', '%20')]

/** @returns what is wrong, the same words for all of a kind; undefined when nothing is */
export function judgePortal(
  bytes: string,
  answer: Answer,
  cookies: readonly Cookie[],
): string | undefined {
  const { status, headers, body } = answer
  if (status >= 500 && !(status === 503 && valuesOf(headers, 'retry-after').length > 0))
    return '5xx'
  // A verify answer ends at the proxy; the other drill looks at those.
  if (valuesOf(headers, 'remote-user').length > 0) return undefined
  const isIcon = ICONS.test(valuesOf(headers, 'content-type')[0] ?? '')
  for (const [name, pattern] of Object.entries(isIcon ? OF_ICONS : ALWAYS)) {
    const values = valuesOf(headers, name)
    if (values.length !== 1 || !pattern.test(values[0] ?? '')) return `${status} without ${name}`
  }
  if (/\n\s+at .*(?:\.ts|node:)/.test(body)) return 'a stack trace'
  for (const location of valuesOf(headers, 'location'))
    if (!mayLeadTo(location)) return 'leads elsewhere'
  const isHtml = /^text\/html/.test(valuesOf(headers, 'content-type')[0] ?? '')
  const csp = valuesOf(headers, 'content-security-policy').join()
  if (isHtml && (!csp.includes("default-src 'none'") || csp.includes('unsafe')))
    return 'a page without its policy'
  for (const cookie of valuesOf(headers, 'set-cookie')) {
    const [, name = '', value] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
    if (!DOMAINS.some((domain) => domain.cookie === name) || value === '') continue
    if (!RIGHT.some((password) => bytes.includes(password))) return 'a session without the password'
    if (/sec-fetch-site: *(?:cross-site|same-site)\r/i.test(bytes)) return 'a session across sites'
  }
  const known = /"username":"([^"]+)"/.exec(body)?.[1]
  if (
    known !== undefined &&
    !cookies.some((one) => one.state === 'live' && bytes.includes(one.value))
  )
    return 'knows somebody without a session'
  return undefined
}

/** To ourselves, or where requirement 15 lets it. */
function mayLeadTo(location: string): boolean {
  if (/^\/(?![/\\])/.test(location)) return !/[\s\\]/.test(location)
  const text = Buffer.from(location, 'latin1').toString('utf8')
  const url = URL.parse(text)
  if (url === null || /[\s\\]/.test(text) || url.username !== '' || url.password !== '')
    return false
  const host = url.hostname.replace(/\.$/, '')
  const isSecure = url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(host))
  return isSecure && DOMAINS.some(({ domain }) => covers(domain, host))
}
