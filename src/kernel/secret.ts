import { timingSafeEqual } from 'node:crypto'
import { inspect } from 'node:util'

/**
 * A value that must never reach a log line, an answer or an error message: printing, inspecting or serialising it
 * gives `[secret]`. Only `reveal()` gives the text, and each call of it is a place to look at in review.
 */
export class Secret {
  readonly #text: string
  constructor(text: string) {
    this.#text = text
  }
  reveal(): string {
    return this.#text
  }
  toString(): string {
    return '[secret]'
  }
  toJSON(): string {
    return '[secret]'
  }
  [inspect.custom](): string {
    return '[secret]'
  }
}

/** Compares two byte strings in time that depends on their lengths only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}
