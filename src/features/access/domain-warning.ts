/** Most domains are one: nothing else has to be asked of them. */
const PLAIN_HOST = /^(?:\*\.)?[\w.-]+$/
/** What is wrong with a domain that no host will ever match. */
export function domainWarning(text: string): string | undefined {
  if (PLAIN_HOST.test(text)) return undefined
  const rest = text.replace(/^(?:\*\.|\{user\}|\{group\})/i, '')
  if (/^\*[^.]/.test(text))
    return `matches no host: a wildcard is a whole label, *.${text.slice(1)}`
  if (rest.includes('*') || /\{(?:user|group)\}/i.test(rest))
    return 'matches no host: a wildcard or placeholder stands at the beginning only'
  if (/:\d+$/.test(rest) && !/^\[?[0-9a-f:]+\]?$/i.test(rest))
    return 'matches no host: rules see hosts without their port'
  if (rest.includes('/')) return 'matches no host: a domain has no scheme and no path'
  return undefined
}
