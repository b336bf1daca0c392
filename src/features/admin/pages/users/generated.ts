import { randomInt } from 'node:crypto'

/** No letters that are taken for one another. */
const CLASSES = ['abcdefghijkmnpqrstuvwxyz', 'ABCDEFGHJKLMNPQRSTUVWXYZ', '23456789'] as const
const ALL = CLASSES.join('')
/** 4 groups of 5 of 56 characters: 116 bits. */
const LENGTH = 20
const GROUP = 5

/** A password to be read out or copied: each class of characters is in it, and dashes stand for the special ones. */
export function generatePassword(): string {
  const pick = (from: string): string => from[randomInt(from.length)] ?? ''
  for (;;) {
    const letters = Array.from({ length: LENGTH }, () => pick(ALL))
    if (!CLASSES.every((one) => letters.some((letter) => one.includes(letter)))) continue
    return letters.map((letter, i) => (i > 0 && i % GROUP === 0 ? `-${letter}` : letter)).join('')
  }
}
