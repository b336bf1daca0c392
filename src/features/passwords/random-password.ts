import { randomInt } from 'node:crypto'

/** Without 0 O o, 1 I l, 5 S s, 2 Z z, 8 B: it may be read off a screen and typed. */
const ALPHABET = 'ACDEFGHJKLMNPQRTUVWXYabcdefghijkmnpqrtuvwxy34679'
/** 24 of 48 characters: 134 bits. */
const LENGTH = 24

/** A random password without characters that are easily confused. */
export function randomPassword(): string {
  return Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')
}
