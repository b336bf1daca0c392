import { addBit, type Bits, bitsFor, keepBits, nextCommon, Postings } from './bits.ts'
import { type Claim, matchResources, meetsClaim } from './criteria.ts'
import { indexMethods, indexNetworks, indexSubjects } from './criteria-index.ts'
import type { Pattern } from './pattern/index.ts'
import { createPatternSet } from './pattern/set.ts'
import { indexQueries } from './query-index.ts'
import type { Asking, Meter } from './question.ts'
import type { Rule } from './rules.ts'
import type { Verdict } from './verdict.ts'

/** A rule by one of its domains. */
export interface Entry {
  readonly rule: Rule
  /** The number of a domain that does not fit every host of the list, or that depends on the subject; -1: it fits. */
  readonly domain: number
}

/** A domain of the list that fits a host; without a claim it fits for every subject. */
export interface Fitting {
  readonly domain: number
  readonly claim: Claim | undefined
}

/**
 * The first of many rules that matches, found without walking them: each criterion gives the rules that it is content
 * with as bits, and what all of them leave is looked at in order.
 *
 * Asked in three steps, each for what comes after it: who asks from where (`open`), with which query (`openQuery`), for
 * which reading of the path (`find`).
 */
export interface RuleIndex {
  /** @param fitting the domains of the list that fit the host */
  open(asking: Asking, fitting: readonly Fitting[]): void
  openQuery(asking: Asking, meter: Meter): void
  /** Looks for the patterns in the asking's text and path. */
  find(asking: Asking, meter: Meter): void
  /**
   * The first rule that matches the asking, with the path alone or with its query.
   * @param before a rule with this number, or a later one, is of no interest
   */
  first(asking: Asking, before: number, meter: Meter): Verdict | undefined
}

/** @param entries in the order of their rules */
export function createRuleIndex(entries: readonly Entry[], domains: number): RuleIndex {
  const rules = entries.map(({ rule }) => rule)
  const fits = indexDomains(entries, domains)
  const methods = indexMethods(rules)
  const subjects = indexSubjects(rules)
  const networks = indexNetworks(rules)
  const queries = indexQueries(rules)
  const resources = indexResources(rules)
  // What the criteria leave of the rules. Reused from call to call: a decision is made in one go.
  const gates: Bits[] = []
  let opened = 0
  const left = bitsFor(rules.length)
  let isLeftKnown = false
  /** All gates in one; undefined when there is none. */
  const leaveLeft = (): Bits | undefined => {
    const [only] = gates
    if (gates.length < 2 || isLeftKnown) return gates.length < 2 ? only : left
    isLeftKnown = true
    left.fill(-1)
    for (const gate of gates) keepBits(left, gate)
    return left
  }

  return {
    open(asking, fitting) {
      isLeftKnown = false
      gates.length = 0
      if (fits !== undefined) gates.push(fits(asking, fitting))
      if (methods !== undefined) gates.push(methods(asking.method))
      if (subjects !== undefined && !asking.isAnonymous) gates.push(subjects(asking.subject))
      if (networks !== undefined) gates.push(networks(asking.address))
      opened = gates.length
    },
    openQuery(asking, meter) {
      if (queries === undefined) return
      isLeftKnown = false
      gates.length = opened
      gates.push(queries(asking.query, meter))
    },
    find: resources.find,
    first(asking, before, meter) {
      const found = asking.pathAlone ? resources.inPath : resources.inText
      let looked = 0
      let all = found
      for (let w = nextCommon(found, all, 0); w < found.length; w = nextCommon(found, all, w + 1)) {
        if (looked++ === ONE_BY_ONE) all = leaveLeft() ?? found
        let rest = found[w] ?? 0
        for (let gate = 0; gate < gates.length; gate++) rest &= gates[gate]?.[w] ?? 0
        for (; rest !== 0; rest &= rest - 1) {
          const index = w * 32 + 31 - Math.clz32(rest & -rest)
          const rule = rules[index]
          if (rule === undefined || rule.index >= before) return undefined
          if (resources.meets(index, asking, meter)) return rule.verdict
        }
      }
      return undefined
    },
  }
}

/** Words that are looked at in each gate before it pays to make one of all gates. */
const ONE_BY_ONE = 16

/** @returns undefined when every rule is about every host of the list */
function indexDomains(entries: readonly Entry[], domains: number) {
  if (domains === 0) return undefined
  const always = bitsFor(entries.length)
  const postings = Array.from({ length: domains }, () => new Postings(entries.length))
  for (const [index, { domain }] of entries.entries()) {
    if (domain === -1) addBit(always, index)
    else postings[domain]?.add(index)
  }
  const bits = bitsFor(entries.length)
  return (asking: Asking, fitting: readonly Fitting[]): Bits => {
    bits.set(always)
    for (const { domain, claim } of fitting)
      if (claim === undefined || asking.isAnonymous || meetsClaim(claim, asking))
        postings[domain]?.addTo(bits)
    return bits
  }
}

function indexResources(rules: readonly Rule[]) {
  const count = rules.length
  const free = bitsFor(count)
  const numbers = new Map<string, number>()
  const patterns: Pattern[] = []
  const postings: Postings[] = []
  for (const [index, { resources }] of rules.entries()) {
    if (resources === undefined) addBit(free, index)
    for (const pattern of resources ?? []) {
      const number = numbers.get(pattern.source) ?? patterns.push(pattern) - 1
      numbers.set(pattern.source, number)
      postings[number] ??= new Postings(count)
      postings[number].add(index)
    }
  }
  const set = createPatternSet(patterns)
  const others = new Set(set.others)
  // What the set does not hold counts as found, and is asked by itself when it comes to it.
  const isOther = new Set<Pattern>()
  for (const [number, pattern] of patterns.entries()) {
    if (!others.has(number)) continue
    isOther.add(pattern)
    postings[number]?.addTo(free)
  }
  const doubts = Uint8Array.from(rules, ({ resources = [] }) =>
    resources.some((one) => isOther.has(one))
      ? DOUBTFUL
      : resources.some(({ named }) => named !== undefined)
        ? NAMED
        : SURE,
  )
  const inText = bitsFor(count)
  const inPath = bitsFor(count)

  return {
    /** Rules with a pattern that is found in the text, by the patterns; rules without patterns too. */
    inText,
    inPath,
    find({ text, path, query }: Asking, meter: Meter): void {
      inText.set(free)
      const found = patterns.length === 0 ? NONE : set.find(text, path.length, meter)
      // The request is refused
      if (found === undefined) return
      for (const number of found.inText) postings[number]?.addTo(inText)
      if (query === undefined) return
      inPath.set(free)
      for (const number of found.inText)
        if (patterns[number]?.namesQuery) postings[number]?.addTo(inPath)
      for (const number of found.inHead)
        if (!patterns[number]?.namesQuery) postings[number]?.addTo(inPath)
    },
    /** Whether the patterns of a rule match that was found. */
    meets(index: number, asking: Asking, meter: Meter): boolean {
      const doubt = doubts[index]
      if (doubt === SURE || (doubt === NAMED && asking.isAnonymous)) return true
      const written = rules[index]?.resources
      const { length } = asking.text
      meter.left -= (written?.length ?? 0) * (doubt === NAMED ? 8 + length * 4 : 8 + length / 16)
      return meter.left >= 0 && matchResources(written, asking) !== 'miss'
    },
  }
}

/**
 * How sure it is that a rule matches whose patterns were found: sure; sure for the anonymous only; not sure. To be
 * sure costs 20 to 100 ns a character for what named groups hold, and mostly far less than one for a pattern of re2js.
 */
const SURE = 0
const NAMED = 1
const DOUBTFUL = 2
const NONE = { inText: [], inHead: [] } as const
