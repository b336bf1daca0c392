import { createHmac } from 'node:crypto'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** The code that an authenticator app shows for an `otpauth://` address, RFC 6238. */
export function codeOf(url: string, now: number): string {
  const { searchParams } = new URL(url)
  const read = (name: string, otherwise: string): string => searchParams.get(name) ?? otherwise
  const digits = Number(read('digits', '6'))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(now / 1000 / Number(read('period', '30')))))
  const mac = createHmac(read('algorithm', 'SHA1').toLowerCase(), bytesOf(read('secret', '')))
    .update(counter)
    .digest()
  const offset = (mac.at(-1) ?? 0) & 15
  const number = mac.readUInt32BE(offset) & 0x7fffffff
  return String(number % 10 ** digits).padStart(digits, '0')
}

function bytesOf(base32: string): Buffer {
  let bits = 0n
  for (const letter of base32) bits = (bits << 5n) | BigInt(ALPHABET.indexOf(letter))
  const length = Math.floor((base32.length * 5) / 8)
  const shifted = bits >> BigInt(base32.length * 5 - length * 8)
  return Buffer.from(shifted.toString(16).padStart(length * 2, '0'), 'hex')
}

/** Random, base32. */
export const randomSecret = (random: Buffer): string =>
  [...random].map((byte) => ALPHABET[byte & 31]).join('')
