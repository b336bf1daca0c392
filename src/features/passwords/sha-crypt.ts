/**
 * The two SHA crypts of the C library, after their specification (U. Drepper, "Unix crypt using SHA-256 and SHA-512",
 * akkadia.org/drepper/SHA-crypt.txt, to whose numbered steps the comments refer). Blocks: for worker.ts.
 */
import { hash } from 'node:crypto'

export interface ShaCryptInput {
  readonly variant: 'sha256' | 'sha512'
  readonly password: string
  readonly rounds: number
  /** At most 16 characters, all ASCII. */
  readonly salt: string
}

export const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** @returns the key: 43 characters for sha256, 86 for sha512 */
export function shaCrypt({ variant, password, rounds, salt: saltText }: ShaCryptInput): string {
  const key = Buffer.from(password)
  const salt = Buffer.from(saltText, 'latin1')
  const digest = (...parts: readonly Buffer[]) => hash(variant, Buffer.concat(parts), 'buffer')

  // Steps 1 to 12.
  const b = digest(key, salt, key)
  const bits: Buffer[] = []
  for (let length = key.length; length > 0; length >>>= 1) bits.push(length & 1 ? b : key)
  const a = digest(key, salt, stretched(b, key.length), ...bits)
  // 13 to 20.
  const p = stretched(digest(...Array<Buffer>(key.length).fill(key)), key.length)
  const s = stretched(digest(...Array<Buffer>(16 + (a[0] ?? 0)).fill(salt)), salt.length)
  return encode(repeat(variant, rounds, a, p, s))
}

/** Step 21. What a round hashes is one of eight texts, in which only the result of the last round changes. */
function repeat(
  variant: ShaCryptInput['variant'],
  rounds: number,
  first: Buffer,
  p: Buffer,
  s: Buffer,
): Buffer {
  const none = Buffer.alloc(0)
  const forms: Buffer[] = []
  for (const odd of [false, true]) {
    for (const third of [none, s]) {
      for (const seventh of [none, p]) {
        const ends = odd ? [p, first] : [first, p]
        forms.push(Buffer.concat([ends[0] ?? none, third, seventh, ends[1] ?? none]))
      }
    }
  }
  // A text is half the price of a buffer here.
  let last = first.toString('latin1')
  for (let i = 0; i < rounds; i++) {
    const odd = i % 2
    const form = forms[odd * 4 + (i % 3 === 0 ? 0 : 2) + (i % 7 === 0 ? 0 : 1)] ?? none
    form.write(last, odd === 1 ? form.length - first.length : 0, 'latin1')
    last = hash(variant, form, 'binary')
  }
  return Buffer.from(last, 'latin1')
}

/** The block over and over, `length` bytes of it. */
const stretched = (block: Buffer, length: number): Buffer => Buffer.alloc(length, block)

/**
 * Step 22: three bytes, least significant first, become four characters. The three stand a third of the key apart, one
 * place further each time. Their order rotates by `rotation`, which sha512 and sha256 choose in opposite directions.
 */
function encode(key: Buffer): string {
  const third = Math.floor(key.length / 3)
  const rotation = key.length === 64 ? 1 : 2
  let text = ''
  for (let i = 0; i < third; i++) {
    const at = (n: number) => (key[i + third * ((i * rotation + n) % 3)] ?? 0) << (16 - 8 * n)
    text += characters(at(0) | at(1) | at(2), 4)
  }
  const rest = key.subarray(third * 3)
  return (
    text + (rest.length === 1 ? characters(rest[0] ?? 0, 2) : characters(rest.readUInt16LE(), 3))
  )
}

function characters(bits: number, count: number): string {
  let text = ''
  for (let i = 0; i < count; i++) text += ALPHABET[(bits >>> (6 * i)) & 63] ?? ''
  return text
}
