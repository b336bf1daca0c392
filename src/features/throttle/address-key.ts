import { parseAddress } from '../../kernel/cidr.ts'

const NAMELESS = 'unknown'

/**
 * What an address counts as: itself, or its /64 with IPv6, where a customer owns that much and has every address of it.
 * @param address canonical; '' (behind a unix socket that names no client) is one client like any other
 */
export function addressKey(address: string): string {
  const parsed = parseAddress(address)
  if (parsed === undefined) return address === '' ? NAMELESS : address
  if (parsed.version === 4) return parsed.text
  const groups: string[] = []
  for (let i = 0; i < 8; i += 2)
    groups.push((((parsed.bytes[i] ?? 0) << 8) | (parsed.bytes[i + 1] ?? 0)).toString(16))
  return `${groups.join(':')}::/64`
}
