import { addBit, type Bits, bitsFor, Postings } from './bits.ts'
import type { Criteria } from './criteria.ts'
import { firstValues, meets, type QueryCondition, type QueryTest } from './query.ts'
import type { Meter } from './question.ts'

interface Asked {
  readonly test: QueryTest
  readonly rules: Postings
  /** In which call it was asked last. */
  call: number
}

/**
 * Which rules of a list a query meets. A query is read once for all of them; a test is asked when the query has what one
 * of its lists cannot do without, or when nothing of the kind can be said of it.
 * @returns undefined when no rule of the list has such a criterion; the bits are valid until the next call
 */
export function indexQueries(
  rules: readonly Pick<Criteria, 'query'>[],
): ((query: string | undefined, meter: Meter) => Bits) | undefined {
  if (rules.every(({ query }) => query === undefined)) return undefined
  const free = bitsFor(rules.length)
  const asked = new Map<QueryTest, Asked>()
  for (const [index, { query }] of rules.entries()) {
    if (query === undefined) addBit(free, index)
    else {
      const known = asked.get(query) ?? { test: query, rules: new Postings(rules.length), call: 0 }
      known.rules.add(index)
      asked.set(query, known)
    }
  }
  const keys = new Set([...asked.keys()].flatMap((test) => [...test.keys]))
  const always: Asked[] = []
  const wanting = new Map<string, Asked[]>()
  for (const one of asked.values()) {
    const wants = one.test.lists.map(wantedBy)
    if (wants.includes(undefined)) always.push(one)
    else for (const want of new Set(wants)) insert(wanting, want ?? '', one)
  }
  const bits = bitsFor(rules.length)
  let call = 0
  return (query, meter) => {
    call++
    const values = firstValues(query ?? '', keys)
    bits.set(free)
    const ask = (one: Asked) => {
      if (one.call === call) return
      one.call = call
      if (one.test.lists.some((list) => list.every((condition) => met(condition, values, meter))))
        one.rules.addTo(bits)
    }
    always.forEach(ask)
    for (const [key, value] of values) {
      wanting.get(present(key))?.forEach(ask)
      wanting.get(equal(key, value))?.forEach(ask)
    }
    return bits
  }
}

const present = (key: string): string => JSON.stringify([key])
const equal = (key: string, value: string): string => JSON.stringify([key, value])

function met(
  condition: QueryCondition,
  values: ReadonlyMap<string, string>,
  meter: Meter,
): boolean {
  if (condition.pattern !== undefined) meter.left -= (values.get(condition.key) ?? '').length
  // Whatever it says then: the request is refused
  return meter.left >= 0 && meets(condition, values)
}

/** What a query must have to meet all conditions of a list; undefined: nothing that can be looked up. */
function wantedBy(list: readonly QueryCondition[]): string | undefined {
  const exact = list.find(({ operator, value }) => operator === 'equal' && value !== '')
  if (exact !== undefined) return equal(exact.key, exact.value)
  const there = list.find(isAboutPresence)
  return there === undefined ? undefined : present(there.key)
}

/** A key that is not there reads as the empty text. */
function isAboutPresence({ operator, value, pattern }: QueryCondition): boolean {
  if (operator === 'present') return true
  if (operator === 'not equal') return value === ''
  return operator === 'pattern' && pattern?.test('') === false
}

function insert<V>(map: Map<string, V[]>, key: string, value: V): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [value])
  else list.push(value)
}
