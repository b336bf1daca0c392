import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Pattern, parsePattern } from '../../src/features/access/pattern/index.ts'
import { createPatternSet } from '../../src/features/access/pattern/set.ts'
import { patternSources, patternTexts } from './pattern-arbitraries.ts'

const meter = () => ({ left: 1_000_000 })

const read = (sources: readonly string[]): readonly Pattern[] =>
  sources.flatMap((source) => {
    const parsed = parsePattern(source)
    return parsed.ok ? [parsed.pattern] : []
  })

/** What the set finds, and what its patterns find one by one; of patterns outside of the set, what they find themselves. */
function compare(patterns: readonly Pattern[], text: string, head: number): void {
  const set = createPatternSet(patterns)
  const found = set.find(text, head, meter())
  assert.ok(found)
  const numbersOf = (numbers: readonly number[], where: string) => {
    const all = [...numbers, ...set.others.filter((number) => patterns[number]?.test(where))]
    assert.equal(new Set(all).size, all.length, 'each once')
    return all.sort((a, b) => a - b)
  }
  const naive = (where: string) => [...patterns.keys()].filter((n) => patterns[n]?.test(where))
  assert.deepEqual(numbersOf(found.inText, text), naive(text))
  if (head < text.length)
    assert.deepEqual(numbersOf(found.inHead, text.slice(0, head)), naive(text.slice(0, head)))
}

test('a set finds the patterns that match one by one, in a text and in its head', () => {
  const heads = fc.double({ min: 0, max: 1, noNaN: true })
  const lists = fc.array(patternSources, { minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(lists, patternTexts, heads, (sources, text, part) => {
      let head = Math.floor(part * text.length)
      if (/[\udc00-\udfff]/.test(text[head] ?? '')) head--
      compare(read(sources), text, head)
    }),
    { numRuns: 3000 },
  )
})

/** Paths and patterns as rules have them: shared beginnings, endings, classes, alternatives. */
const PIECES = ['/', 'app', 'a', 'b', '1', '12', '.css', '.js', 'é', '%2F', '?x=1', '&y', '-']
const REGEX_PIECES = [
  ...['/', '/app', 'a', 'b', '[0-9]+', '\\d', '\\.(css|js)', '(/.*)?', '([/?].*)?', '.*', '[^/]+'],
  ...['(a|b|1)', '(a|b)*', '\\?', '(?i)APP', 'x?', 'a{2}', '(?P<User>\\w+)', '(b|(a|1)+)', '-'],
]
const rulePatterns = fc
  .tuple(
    fc.constantFrom('^', '^', '^', '', '^/app'),
    fc.array(fc.constantFrom(...REGEX_PIECES), { minLength: 1, maxLength: 5 }),
    fc.constantFrom('', '', '$', '.*$', '(|$)', '($|/)'),
  )
  .map(([start, pieces, end]) => start + pieces.join('') + end)

test('the same holds of patterns and paths as rules have them, of large sets too', () => {
  const paths = fc
    .array(fc.constantFrom(...PIECES), { maxLength: 10 })
    .map((pieces) => `/${pieces.join('')}`)
  const lists = fc.array(rulePatterns, { minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(lists, paths, (sources, path) => {
      const question = path.indexOf('?')
      compare(read(sources), path, question === -1 ? path.length : question)
    }),
    { numRuns: 1000 },
  )
})

test('a newline is no character of .*, wherever it stands', () => {
  const patterns = read(['^/a.*$', '^/a(.*)$', '^/a(?s).*$', '^/a', 'b$', '^.*b', '^/a.*', 'a.*$'])
  for (const text of ['/a', '/a\n', '/a\nb', '/ab\n', '\n/a', '/a?\nb', '/a\n?b', '/a?b', ''])
    for (let head = 0; head <= text.length; head++) compare(patterns, text, head)
})

test('patterns that begin alike are followed together, and a text that left them all is left', () => {
  const work = (count: number) => {
    const set = createPatternSet(
      read(Array.from({ length: count }, (_, i) => `^/proj${i}/.*/x[0-9]+$`)),
    )
    return least(() => set.find(`/proj7/${'a/x1'.repeat(50)}`, Infinity, meter()))
  }
  const [few, many] = [work(10), work(10_000)]
  assert.ok(many < few * 4, `${many} ns against ${few} ns`)
})

function least(run: () => void): number {
  let best = Infinity
  for (let attempt = 0; attempt < 7; attempt++) {
    const start = process.cpuUsage()
    for (let i = 0; i < 300; i++) run()
    const { user, system } = process.cpuUsage(start)
    best = Math.min(best, ((user + system) * 1000) / 300)
  }
  return best
}

test('a search that would take too long ends, and says so', () => {
  const set = createPatternSet(
    read(Array.from({ length: 2000 }, (_, i) => `/k${i.toString(36)}/.*z${i}z`)),
  )
  const text = Array.from({ length: 2000 }, (_, i) => `/k${i.toString(36)}/`).join('')
  assert.equal(set.find(text, text.length, meter()), undefined)
  assert.deepEqual(set.find('/k5/z5z', 7, meter())?.inText, [5], 'the next one is answered')
})
