import ipaddr from 'ipaddr.js'

/** An address in its one canonical spelling: v4-mapped v6 becomes v4, v6 is compressed and lower case. */
export interface Address {
  readonly text: string
  readonly version: 4 | 6
  /** 4 or 16 bytes. */
  readonly bytes: readonly number[]
}

export interface Network {
  readonly version: 4 | 6
  /** Host bits are zero. */
  readonly bytes: readonly number[]
  readonly prefix: number
  readonly text: string
}

const MAX_LENGTH = 45 // the longest spelling of a v6 address, RFC 4291 §2.2 with a dotted quad

/**
 * Reads an IP address strictly: four decimal parts, or v6 without zone, port or brackets.
 * @returns undefined for anything else, "010.1" and "fe80::1%eth0" included
 */
export function parseAddress(text: string): Address | undefined {
  if (text.length === 0 || text.length > MAX_LENGTH || text.includes('%')) return undefined
  if (isDottedQuad(text)) return fromParsed(ipaddr.IPv4.parse(text))
  if (!text.includes(':') || !ipaddr.IPv6.isValid(text)) return undefined
  // ipaddr.js takes ::ffff:010.1.2.3, and reads ::10.1.2.3 as if it were mapped.
  const last = text.slice(text.lastIndexOf(':') + 1)
  if (last.includes('.') && !isDottedQuad(last)) return undefined
  const v6 = ipaddr.IPv6.parse(text.replace(/^::(?=\d+\.)/, '::0:'))
  return v6.isIPv4MappedAddress() ? fromParsed(v6.toIPv4Address()) : fromParsed(v6)
}

/** A leading zero reads as octal in some parsers and as decimal in others: no such address. */
const isDottedQuad = (text: string): boolean =>
  // ipaddr.js throws and catches for everything else, which costs as much as a hundred names
  /^\d+\.\d+\.\d+\.\d+$/.test(text) &&
  ipaddr.IPv4.isValidFourPartDecimal(text) &&
  !/(^|\.)0\d/.test(text)

function fromParsed(address: ipaddr.IPv4 | ipaddr.IPv6): Address {
  return {
    text: address.toString(),
    version: address.kind() === 'ipv4' ? 4 : 6,
    bytes: address.toByteArray(),
  }
}

/**
 * Reads an address or a CIDR; host bits are masked away, as Authelia does.
 * @returns undefined when it is neither
 */
export function parseNetwork(text: string): Network | undefined {
  const slash = text.indexOf('/')
  const base = text.slice(0, slash === -1 ? undefined : slash)
  const address = parseAddress(base)
  if (address === undefined) return undefined
  const width = address.version === 4 ? 32 : 128
  let prefix = width
  if (slash !== -1) {
    const digits = text.slice(slash + 1)
    if (!/^\d{1,3}$/.test(digits)) return undefined
    prefix = Number(digits)
    // ::ffff:10.0.0.0/104 is 10.0.0.0/8
    if (address.version === 4 && base.includes(':')) prefix -= 96
    if (prefix < 0 || prefix > width) return undefined
  }
  const bytes = address.bytes.map((byte, i) => byte & maskByte(prefix, i))
  return { version: address.version, bytes, prefix, text }
}

function maskByte(prefix: number, index: number): number {
  const bits = Math.min(8, Math.max(0, prefix - index * 8))
  return (0xff << (8 - bits)) & 0xff
}

/** Whether the address lies in the network. Addresses of one family never lie in the other's networks. */
export function contains(network: Network, address: Address): boolean {
  if (network.version !== address.version) return false
  for (let i = 0; i * 8 < network.prefix; i++) {
    if (((address.bytes[i] ?? 0) & maskByte(network.prefix, i)) !== network.bytes[i]) return false
  }
  return true
}

/** What `private` stands for: RFC 1918, RFC 4193 (fc00::/7), link-local. Loopback is not among them. */
export const PRIVATE_NETWORKS: readonly string[] = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  'fc00::/7',
  'fe80::/10',
]
