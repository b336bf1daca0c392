import { type Network, parseAddress } from '../../kernel/cidr.ts'
import { memoize } from '../../kernel/memo.ts'
import { addBit, type Bits, bitsFor, type Postings, postingsOf } from './bits.ts'
import { type Criteria, type Holder, isHeldBy } from './criteria.ts'
import type { Subject } from './question.ts'

/**
 * For each criterion, which rules of a list a request meets: exactly those that the criterion by itself says. A value
 * leads to its rules, so that a request costs what it meets and not how many rules there are. `undefined` stands for a
 * criterion that no rule of the list has.
 */

/** Answers that are remembered for each list of rules: for a list of 10,000, a kilobyte each. */
const REMEMBERED = 256

export function indexMethods(
  rules: readonly Pick<Criteria, 'methods'>[],
): ((method: string) => Bits) | undefined {
  const named = new Set(rules.flatMap(({ methods }) => [...(methods ?? [])]))
  if (rules.every(({ methods }) => methods === undefined)) return undefined
  const bitsOf = (method: string | undefined): Bits => {
    const bits = bitsFor(rules.length)
    for (const [index, { methods }] of rules.entries())
      if (methods === undefined || (method !== undefined && methods.has(method)))
        addBit(bits, index)
    return bits
  }
  const byMethod = new Map([...named].map((method) => [method, bitsOf(method)]))
  const others = bitsOf(undefined)
  return (method) => byMethod.get(method) ?? others
}

/** @returns what is not for the anonymous: they meet every subject */
export function indexSubjects(
  rules: readonly Pick<Criteria, 'subjects'>[],
): ((subject: Subject) => Bits) | undefined {
  if (rules.every(({ subjects }) => subjects === undefined)) return undefined
  const free = bitsFor(rules.length)
  const single = new Map<string, Postings>()
  /** Of those that name several at once, by the first of them. */
  const several = new Map<string, { readonly all: readonly Holder[]; readonly index: number }[]>()
  for (const [index, { subjects }] of rules.entries()) {
    if (subjects === undefined) addBit(free, index)
    for (const all of subjects ?? []) {
      const [first] = all
      // An empty list asks nothing
      if (first === undefined) addBit(free, index)
      else if (all.length === 1) postingsOf(single, keyOf(first), rules.length).add(index)
      else {
        const list = several.get(keyOf(first)) ?? []
        list.push({ all, index })
        several.set(keyOf(first), list)
      }
    }
  }
  const find = (subject: Subject): Bits => {
    const bits = free.slice()
    for (const key of keysOf(subject)) {
      single.get(key)?.addTo(bits)
      for (const { all, index } of several.get(key) ?? [])
        if (all.every((holder) => isHeldBy(holder, subject))) addBit(bits, index)
    }
    return bits
  }
  // A subject is never changed: who becomes another one is another object
  let known = new WeakMap<Subject, Bits>()
  let count = 0
  return (subject) => {
    const kept = known.get(subject)
    if (kept !== undefined) return kept
    if (++count > REMEMBERED) {
      known = new WeakMap()
      count = 1
    }
    const bits = find(subject)
    known.set(subject, bits)
    return bits
  }
}

const keyOf = ({ kind, name }: Holder): string => `${kind}:${name}`

/** Every holder that a subject is, as `isHeldBy` sees it. */
function keysOf({ user, groups, clientId }: Subject): ReadonlySet<string> {
  const keys = new Set(groups.map((name) => keyOf({ kind: 'group', name })))
  if (user !== '') keys.add(keyOf({ kind: 'user', name: user }))
  if (clientId !== '') keys.add(keyOf({ kind: 'oauth2:client', name: clientId }))
  return keys
}

export function indexNetworks(
  rules: readonly Pick<Criteria, 'networks'>[],
): ((address: string) => Bits) | undefined {
  if (rules.every(({ networks }) => networks === undefined)) return undefined
  const free = bitsFor(rules.length)
  /** By version and length of the prefix, by the prefix. */
  const lengths = new Map<string, Pick<Network, 'version' | 'prefix'>>()
  const prefixes = new Map<string, Postings>()
  for (const [index, { networks }] of rules.entries()) {
    if (networks === undefined) addBit(free, index)
    for (const { version, prefix, bytes } of networks ?? []) {
      lengths.set(`${version}/${prefix}`, { version, prefix })
      postingsOf(prefixes, prefixKey(version, prefix, bytes), rules.length).add(index)
    }
  }
  const find = (text: string): Bits => {
    const address = parseAddress(text)
    if (address === undefined) return free
    const bits = free.slice()
    for (const { version, prefix } of lengths.values())
      if (version === address.version)
        prefixes.get(prefixKey(version, prefix, address.bytes))?.addTo(bits)
    return bits
  }
  return memoize(find, { limit: REMEMBERED, maxKey: 64 })
}

function prefixKey(version: number, prefix: number, bytes: readonly number[]): string {
  let key = `${version}/${prefix}`
  for (let i = 0; i * 8 < prefix; i++)
    key += `.${(bytes[i] ?? 0) & (0xff << Math.max(0, i * 8 + 8 - prefix))}`
  return key
}
