/**
 * How users are searched, the same in every backend: each word of the question begins a word of the name, of the display
 * name or of the mail address, in any case. A database keeps the words in an index; a scan finds the same users.
 */
import type { Account, AccountQuery, Profile } from './backend.ts'

/** Longer words are cut, and so many of a user are kept. */
const MAX_TERM = 64
const MAX_TERMS = 24

const folded = (text: string): string => text.normalize('NFC').toLowerCase()
const wordsOf = (text: string): string[] => text.match(/[\p{L}\p{N}\p{M}]+/gu) ?? []
const cut = (term: string): string => [...term].slice(0, MAX_TERM).join('')

/** Under which words a user is found: name and mail address as they are, and every word of them. */
export function termsOf({
  name,
  displayName,
  email,
}: Pick<Profile, 'name' | 'displayName' | 'email'>): ReadonlySet<string> {
  const texts = [name, email, displayName].map(folded)
  const whole = texts.slice(0, 2).filter((text) => text !== '' && !/\s/.test(text))
  return new Set([...whole, ...texts.flatMap(wordsOf)].slice(0, MAX_TERMS).map(cut))
}

/** The words of a question, each of which has to begin a term. */
export const questionOf = (search: string): readonly string[] =>
  folded(search).split(/\s+/).filter(Boolean).slice(0, 8).map(cut)

/** Whether the account is one that is asked for, `after` and `limit` aside. */
export function createMatch({ search = '', group, disabled }: AccountQuery) {
  const words = questionOf(search)
  return ({ profile, disabled: isDisabled }: Account): boolean => {
    if (disabled !== undefined && isDisabled !== disabled) return false
    if (group !== undefined && !profile.groups.includes(group)) return false
    if (words.length === 0) return true
    const terms = [...termsOf(profile)]
    return words.every((word) => terms.some((term) => term.startsWith(word)))
  }
}
