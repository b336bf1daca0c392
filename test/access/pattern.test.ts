import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import fc from 'fast-check'
import { RE2JS } from 're2js'
import { parsePattern } from '../../src/features/access/pattern/index.ts'
import { parseSyntax } from '../../src/features/access/pattern/syntax.ts'
import { patternSources as sources, patternTexts as texts } from './pattern-arbitraries.ts'

function pattern(source: string) {
  const parsed = parsePattern(source)
  assert.ok(parsed.ok, source)
  return parsed.pattern
}

function re2(source: string): RE2JS | undefined {
  try {
    return RE2JS.compile(source)
  } catch {
    return undefined
  }
}

function captured(oracle: RE2JS, text: string) {
  const matcher = oracle.matcher(text)
  if (!matcher.find()) return undefined
  const names = oracle.namedGroups()
  return {
    user: Object.hasOwn(names, 'User') ? (matcher.group('User') ?? undefined) : undefined,
    group: Object.hasOwn(names, 'Group') ? (matcher.group('Group') ?? undefined) : undefined,
  }
}

test('a pattern is accepted exactly when RE2 accepts it, and matches what RE2 matches', () => {
  let ours = 0
  fc.assert(
    fc.property(sources, fc.array(texts, { minLength: 8, maxLength: 8 }), (source, samples) => {
      const parsed = parsePattern(source)
      const oracle = re2(source)
      assert.equal(parsed.ok, oracle !== undefined)
      if (!parsed.ok || oracle === undefined) return
      if (parsed.pattern.engine === 'automaton') ours++
      for (const text of samples) {
        assert.equal(parsed.pattern.test(text), oracle.test(text), JSON.stringify(text))
        const expected = captured(oracle, text)
        assert.deepEqual(parsed.pattern.captures(text), expected, JSON.stringify(text))
      }
    }),
    { numRuns: 4000 },
  )
  assert.ok(ours > 1500, `the automaton ran ${ours} of them`)
})

test('long patterns match as in RE2, past one word of states and past all of them', () => {
  const sources = [
    '^(?:[a-z]+/)*x[a-z/]{30}$',
    '(?:a?){50}a{50}',
    'x[^y]{200}z',
    '[ab]*a[ab]{40}',
    '(foo|bar|baz|qux|quux|corge|grault|garply|waldo|fred|plugh|xyzzy|thud)+/(?:a|b){31,33}$',
    '.{500}z$',
    '.{520}z$',
  ]
  const text = fc
    .array(
      fc.constantFrom('a', 'b', 'x', 'z', '/', 'foo', 'waldo', 'a'.repeat(60), 'é'.repeat(99)),
      {
        maxLength: 12,
      },
    )
    .map((parts) => parts.join(''))
  for (const source of sources) {
    const mine = pattern(source)
    const oracle = RE2JS.compile(source)
    fc.assert(
      fc.property(text, (one) => assert.equal(mine.test(one), oracle.test(one))),
      { numRuns: 300 },
    )
  }
  assert.equal(pattern('.{500}z$').engine, 'automaton')
  assert.equal(pattern('.{520}z$').engine, 're2js')
})

test('where random patterns seldom get, the two agree too', () => {
  const cases: readonly [source: string, texts: readonly string[]][] = [
    ['^/a.*$', ['/a', '/a\n', '/ab\n', '/ab\nc', '/\n', '/abc']],
    ['^/a(/.*)?$', ['/a/b\n', '/a/\nb', '/a/b']],
    ['(?s)^/a.*$', ['/a\n', '/ab\nc']],
    ['(?P<User>[^😀])', ['😀', '😀a', 'a😀']],
    ['(?:^|x)(?P<User>\\w)', ['ab', 'abxc', '-ab', '-abxc']],
    ['(?P<User>\\w)(?:$|x)', ['ab', 'abxc', 'ab-']],
    ['(?P<User>a*?)(?P<Group>a*)b', ['aab', 'b', 'aaa']],
    ['(?:(?P<User>a*)*|b)+c', ['aabac', 'bc', 'c']],
  ]
  for (const [source, texts] of cases) {
    const mine = pattern(source)
    assert.equal(mine.engine, 'automaton')
    const oracle = RE2JS.compile(source)
    for (const text of texts) {
      assert.equal(mine.test(text), oracle.test(text), `${source} ${JSON.stringify(text)}`)
      assert.deepEqual(mine.captures(text), captured(oracle, text), `${source} ${text}`)
    }
  }
  for (const source of [
    '(?:){1001}',
    '(?:(?:){40}){40}',
    'a**',
    'a{2}{3}',
    'a{2,1}',
    '(?P<a>x)(?P<a>y)',
  ])
    assert.equal(parsePattern(source).ok, false, source)
})

test('what RE2 refuses is refused with its reason and place', () => {
  const cases: readonly [source: string, problem: RegExp, character: number][] = [
    ['^/(?!admin)', /unsupported Perl syntax/, 3],
    ['a**', /nested repetition/, 2],
    ['/api/[z-a]', /character class range/, 7],
    ['(?P<n>a)(?P<n>b)', /duplicate/, 13],
    ['(a', /missing closing \)/, 1],
    ['x\\1', /escape/, 2],
    ['a{1001}', /repeat count/, 2],
    ['a\\', /trailing backslash/, 2],
  ]
  for (const [source, problem, character] of cases) {
    const parsed = parsePattern(source)
    assert.ok(!parsed.ok, source)
    assert.match(parsed.fault.problem, problem)
    assert.equal(parsed.fault.character, character, source)
  }
})

test('a pattern names the query when it spells out a question mark, in whatever way', () => {
  const names = [
    '\\?',
    '^/a\\?x=',
    '[?]',
    '[^?]',
    '[/?&]',
    '[]?]',
    '\\x3f',
    '\\x{3F}',
    '\\Qa?\\E',
    '\\77',
  ]
  const doesNot = [
    '^/a?$',
    'a??',
    '(?:a)',
    '(?i)a',
    '(?P<User>a)?',
    '[a]?',
    '\\\\?',
    '[\\]]?',
    '[[:alpha:]]?',
    '\\Qa\\E?',
    '.*',
  ]
  for (const source of names) assert.equal(pattern(source).namesQuery, true, source)
  for (const source of doesNot) assert.equal(pattern(source).namesQuery, false, source)
})

test('a group that only looks like User or Group is none', () => {
  assert.equal(pattern('(?P<user>a)').named, undefined)
  assert.equal(pattern('(?P<Users>a)').named, undefined)
  assert.deepEqual(pattern('(?P<User>a)').named, { user: true, group: false })
  assert.deepEqual(pattern('\\b(?<Group>a)').named, { user: false, group: true })
})

/** Processor time of one call in microseconds, the least of several: other work only ever adds. */
function microseconds(work: () => void, times: number): number {
  let least = Infinity
  for (let attempt = 0; attempt < 7; attempt++) {
    const start = process.cpuUsage()
    for (let i = 0; i < times; i++) work()
    const { user, system } = process.cpuUsage(start)
    least = Math.min(least, (user + system) / times)
  }
  return least
}

test('no text is dear to match: patterns that explode elsewhere cost the same for every text', () => {
  let seed = 7
  const random = (alphabet: string): string =>
    Array.from({ length: 16_000 }, () => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
      return alphabet[(seed >>> 16) % alphabet.length]
    }).join('')
  for (const source of [
    '[ab]*a[ab]{20}$',
    '(a+)+$',
    '(x+x+)+y',
    '(.*)(.*)(.*)(.*)(.*)z$',
    '(?:a?){25}a{25}$',
  ]) {
    const { test: matches } = pattern(source)
    const honest = random('0123456789/')
    const hostile = [random('ab'), 'a'.repeat(16_000), 'x'.repeat(16_000)]
    const base = microseconds(() => matches(honest), 20)
    for (const text of hostile) {
      const cost = microseconds(() => matches(text), 20)
      assert.ok(cost < base * 10, `${source}: ${cost} µs against ${base} µs`)
    }
  }
})

test('time grows with the length of the text and no faster', () => {
  for (const source of ['(a+)+$', '(?P<User>\\w+)/(?P<Group>\\w+)x', '(?:\\w*)*(?P<User>\\w*)!']) {
    const one = pattern(source)
    const short = `${'a'.repeat(1000)}/${'a'.repeat(1000)}`
    const long = `${'a'.repeat(8000)}/${'a'.repeat(8000)}`
    const base = microseconds(() => one.captures(short), 20)
    const cost = microseconds(() => one.captures(long), 5)
    assert.ok(cost < base * 8 * 4, `${source}: ${cost} µs against ${base} µs for an eighth`)
  }
})

test('a configuration of plain patterns never loads re2js', () => {
  const run = (resource: string): string => {
    const script = `
      const { createAccess } = await import('./src/features/access/index.ts')
      const { createRequire } = await import('node:module')
      const resources = ['^/(api|rest)/.*$', '(?i)\\\\.PNG$', '^/(?P<User>[^/]+)/', ${JSON.stringify(resource)}]
      const rules = [{ domain: ['a'], policy: 'bypass', resources }]
      createAccess({ default_policy: 'deny', rules }, {})
      const { cache } = createRequire(process.cwd() + '/x.js')
      console.log(Object.keys(cache).some((file) => file.includes('re2js')))`
    const flags = ['--input-type=module', '--eval', script]
    return spawnSync(process.execPath, flags, { encoding: 'utf8' }).stdout.trim()
  }
  assert.equal(run('^/health$'), 'false')
  assert.equal(run('\\bhealth'), 'true')
})

test('the syntax that the automaton does not read is left alone', () => {
  for (const source of [
    '\\bx',
    '\\pL',
    '(?m)^a',
    '(?U)a+',
    '[[:alpha:]]',
    'a{,2}',
    '\\Qa\\E',
    '(?i)é',
  ])
    assert.equal(parseSyntax(source), undefined, source)
})

test('a pattern that is taken without being parsed is one that the parser takes', () => {
  const pieces = [
    '^',
    '$',
    '.',
    '*',
    '+',
    '?',
    '\\',
    '\\.',
    '\\/',
    '\\-',
    '/',
    'a',
    '_',
    '-',
    ' ',
    '{',
    '(',
    ']',
    'é',
  ]
  const source = fc.string({ unit: fc.constantFrom(...pieces), maxLength: 8 })
  const usual = fc.string({
    unit: fc.constantFrom('/a', '\\.', '.*', '.+', '.', '-'),
    maxLength: 6,
  })
  const whole = fc
    .tuple(fc.constantFrom('', '^'), usual, fc.constantFrom('', '$'))
    .map((all) => all.join(''))
  fc.assert(
    fc.property(fc.oneof(source, whole), (text) => {
      const parsed = parsePattern(text)
      const isOurs = parsed.ok && parsed.pattern.engine === 'automaton'
      assert.equal(isOurs, parseSyntax(text) !== undefined)
      assert.equal(parsed.ok, re2(text) !== undefined)
    }),
    { numRuns: 3_000 },
  )
  for (const length of [100, 255, 256, 600, 1_001]) {
    const long = 'a'.repeat(length)
    const parsed = parsePattern(long)
    assert.equal(
      parsed.ok && parsed.pattern.engine === 'automaton',
      parseSyntax(long) !== undefined,
    )
  }
})
