import type { PolicyConfig } from './config.ts'

/** What is wrong with a password, in the order in which it is said. */
export const POLICY_FAULTS = [
  'min_length',
  'max_length',
  'lowercase',
  'uppercase',
  'number',
  'special',
  'own_name',
  'common',
  'breached',
  'guessable',
] as const
export type PolicyFault = (typeof POLICY_FAULTS)[number]

/** Whose password it is to be: what others know of the user is guessed first. */
export interface Person {
  readonly name: string
  readonly displayName: string
  /** '' when there is none. */
  readonly email: string
}

/** Authelia's `standard`: lengths in bytes, classes of ASCII. */
export function standardFaults(
  password: string,
  rules: PolicyConfig['standard'],
): readonly PolicyFault[] {
  if (!rules.enabled) return []
  const length = Buffer.byteLength(password)
  const found: readonly (readonly [PolicyFault, boolean])[] = [
    ['min_length', length < rules.min_length],
    ['max_length', rules.max_length > 0 && length > rules.max_length],
    ['lowercase', rules.require_lowercase && !/[a-z]/.test(password)],
    ['uppercase', rules.require_uppercase && !/[A-Z]/.test(password)],
    ['number', rules.require_number && !/[0-9]/.test(password)],
    ['special', rules.require_special && !/[^a-zA-Z0-9]/.test(password)],
  ]
  return found.flatMap(([fault, isSo]) => (isSo ? [fault] : []))
}

/** A shorter part of a name says nothing about a password. */
const MIN_PART = 3
const MAX_PARTS = 50

/** The names of a person, whole and in parts, in small letters. */
export function ownNames({ name, displayName, email }: Person): readonly string[] {
  const [local = '', host = ''] = email.split('@')
  const whole = [name, displayName, displayName.replace(/\s+/gu, ''), email, local]
  const parts = [name, displayName, local, host.split('.').slice(0, -1).join(' ')].flatMap((text) =>
    text.slice(0, 320).split(/[^\p{L}\p{N}]+/u),
  )
  return [...new Set([...whole, ...parts].map((text) => text.toLowerCase()))]
    .filter((text) => text.length >= MIN_PART)
    .slice(0, MAX_PARTS)
}

/** Whether the password is one of the names, with or without digits and signs around it: `John1987!`. */
export function isOwnName(password: string, names: readonly string[]): boolean {
  const text = password.toLowerCase()
  const core = coreOf(text)
  return names.some((name) => name === text || (core.length >= MIN_PART && coreOf(name) === core))
}

/** From the first letter to the last. */
function coreOf(text: string): string {
  const letters = /\p{L}.*/su.exec(text)?.[0] ?? ''
  let end = letters.length
  while (end > 0 && !/\p{L}/u.test(letters[end - 1] ?? '')) end--
  return letters.slice(0, end)
}
