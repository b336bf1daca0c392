import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { stringify } from 'yaml'
import { readPlainYaml } from '../../src/config/plain-yaml.ts'
import { readYaml } from '../../src/config/yaml.ts'

/** @returns whether the quick reader took the text; then it must have said what the parser says, place by place */
function isTakenRight(text: string): boolean {
  const plain = readPlainYaml(text, 'c.yml')
  if (plain === undefined) return false
  const parsed = readYaml(text, 'c.yml', ['template', 'expand-env'])
  assert.deepStrictEqual({ tree: plain, faults: [], templates: [] }, parsed, JSON.stringify(text))
  return true
}

/** Everything that means something to YAML, or nearly. */
const SCALARS = [
  ...[
    'a',
    'app.example.com',
    '^/api/.*$',
    '/x',
    '(a|b)',
    '\\d+',
    '.*\\.x',
    'user:john',
    'a b',
    'a  b',
  ],
  ...[
    '10.0.0.0/8',
    '10.0.0.1',
    '1h',
    '5 minutes',
    '0',
    '7',
    '007',
    '1.5',
    '1e3',
    '0x1F',
    '0o17',
    '1_000',
  ],
  ...[
    '12:30',
    '2024-01-01',
    '123456789012345',
    '1234567890123456',
    '1.',
    '.5',
    '.inf',
    '.nan',
    '-1',
    '+1',
  ],
  ...[
    'true',
    'True',
    'TRUE',
    'false',
    'null',
    'Null',
    '~',
    'yes',
    'no',
    'on',
    'y',
    'nullify',
    'trueish',
  ],
  ...[
    "'a'",
    "''",
    '""',
    "'it''s'",
    '"a\\n"',
    '"a"',
    "'a' # c",
    "'a'#c",
    "'a' b",
    '"a',
    "'a: b'",
    "'#'",
    '"é"',
  ],
  ...[
    'a # c',
    'a#c',
    'a #',
    '# c',
    'a: b',
    'a:',
    'a:b',
    ':a',
    '-',
    '- a',
    '-a',
    '?',
    '? a',
    '?a',
    '.*',
    '.',
  ],
  ...[
    '*a',
    '&a',
    '&a b',
    '!a',
    '!!str a',
    '|',
    '>',
    '%a',
    '@a',
    '`a`',
    '[a]',
    '[]',
    '[a, b]',
    '[\'a\', "b"]',
  ],
  ...[
    '[a,b]',
    '[a , b]',
    '[a,]',
    '[a',
    '[a] # c',
    '[a]#c',
    '[a: b]',
    '[1, 2]',
    '[true, x]',
    '[[a]]',
    '[a b]',
  ],
  ...[
    '{}',
    '{a: b}',
    '{{ env "X" }}',
    `$${'{HOME}'}`,
    '$HOME',
    "'$HOME'",
    '$',
    'a$',
    `$${'{NONCE}'}`,
    '[$A]',
    "['$A']",
  ],
  ...[
    'é',
    'a\u00a0b',
    'a\u2028b',
    '\u00a0',
    'a\tb',
    'a\t',
    '\ta',
    'a\r',
    'a ',
    '---',
    '...',
    '<<',
    '=',
    ',',
  ],
  ...[
    '__proto__',
    'constructor',
    "'{user}.example.com'",
    '"*.example.com"',
    'a, b',
    'a]',
    'a}',
    '[a}, b]',
  ],
]

suite('the quick reader says what the parser says, or nothing', () => {
  test('of each scalar, as a value, as an item, in a list on one line, and below something', () => {
    const taken = SCALARS.filter((scalar) =>
      [
        `k: ${scalar}\n`,
        `k: ${scalar}`,
        `k:\n  - ${scalar}\n  - x\n`,
        `k: [x, ${scalar}]\nl: 1\n`,
        `k:\n- a: ${scalar}\n  b: x\n`,
        `k:\n- ${scalar}\n  b\n`,
        `k:\n  ${scalar}\n`,
        `${scalar}: x\n`,
        `- ${scalar}\n`,
        `k: ${scalar}\n  x\n`,
        `k: ${scalar}\n  b: x\n`,
      ]
        .map(isTakenRight)
        .includes(true),
    )
    assert.ok(taken.length > 60, `only ${taken.length}`)
  })

  test('of every YAML file of the repository', () => {
    const files = ['.', 'docs', 'deploy', 'test/fixtures']
      .flatMap((folder) =>
        readdirSync(folder, { recursive: folder !== '.', encoding: 'utf8' }).map((name) =>
          join(folder, name),
        ),
      )
      .filter((name) => /\.(ya?ml|md)$/.test(name))
    for (const file of files) {
      const text = readFileSync(file, 'utf8')
      const parts = file.endsWith('.md')
        ? [...text.matchAll(/```ya?ml\n(.*?)```/gs)].map(([, part = '']) => part)
        : [text]
      for (const part of parts) isTakenRight(part)
    }
    assert.ok(files.length > 10)
  })

  test('of generated configurations, which it takes', () => {
    const name = fc.stringMatching(/^[a-z_][a-z0-9_-]{0,8}$/)
    const scalar = fc.oneof(
      fc.constantFrom('a', 'x.example.com', '^/a/.*$', '*.example.com', 'two words', '5', 'true'),
      fc.integer({ min: 0, max: 1e6 }),
      fc.boolean(),
    )
    const { tree } = fc.letrec<{ tree: unknown; map: unknown; item: unknown }>((tie) => ({
      map: fc.dictionary(name, tie('tree'), { minKeys: 1, maxKeys: 4 }),
      // Lists in lists are left to the parser: few of them, or there is little to compare.
      item: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        { weight: 8, arbitrary: scalar },
        { weight: 8, arbitrary: tie('map') },
        { weight: 1, arbitrary: tie('tree') },
      ),
      tree: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        scalar,
        fc.array(tie('item'), { minLength: 1, maxLength: 4 }),
        tie('map'),
      ),
    }))
    let taken = 0
    let all = 0
    fc.assert(
      fc.property(
        fc.dictionary(name, tree, { minKeys: 1, maxKeys: 5 }),
        fc.boolean(),
        (value, indentSeq) => {
          all++
          if (isTakenRight(stringify(value, { indentSeq, lineWidth: 0 }))) taken++
        },
      ),
      { numRuns: 500 },
    )
    assert.ok(taken > all / 3, `${taken} of ${all}`)
  })

  test('of texts with small faults, whatever they do to the meaning', () => {
    /** Mostly the first of two. */
    const mostly = <T>(usual: readonly T[], odd: readonly T[]) =>
      fc.oneof(
        { weight: 6, arbitrary: fc.constantFrom(...usual) },
        { weight: 1, arbitrary: fc.constantFrom(...odd) },
      )
    const line = fc
      .tuple(
        mostly([0, 0, 2], [1, 3, 4, 6]),
        mostly(['', '', '- '], ['-  ', '- - ', '-']),
        mostly(
          ['a: ', 'b: ', 'c: ', 'd: ', 'e: ', 'f: '],
          ['', 'a:', 'b:  ', 'c :', '"e": ', 'true: ', '<<: ', '? '],
        ),
        mostly(['', 'x', "'y'", '[a, b]'], SCALARS),
        mostly([''], [' ', ' # c', '#']),
      )
      .map(([indent, ...parts]) => ' '.repeat(indent) + parts.join(''))
    const odd = fc.constantFrom('', '  # c', '#', '---', '...', '\t', '%YAML 1.2', '\ufeff', '  ')
    let taken = 0
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 19, arbitrary: line }, { weight: 1, arbitrary: odd }), {
          minLength: 1,
          maxLength: 5,
        }),
        fc.constantFrom('\n', '\n', '\n', '\r\n', '\n\n'),
        (lines, end) => {
          if (isTakenRight(lines.join(end) + end)) taken++
        },
      ),
      { numRuns: 6_000 },
    )
    assert.ok(taken > 300, `only ${taken}`)
  })

  test('of sound texts with one character changed', () => {
    const sound = stringify(
      {
        a: { b: [{ c: 'x', d: ['^/a.*$', 'e f'] }, { c: '*.y' }], g: 5, h: true },
        i: 'user:j',
        k: ['l', '*m'],
      },
      { indentSeq: false },
    )
    const characters = [...' \n-:#\'"[]{},&*!|>?%@`~$\\.a0\t\r']
    let taken = 0
    for (let at = 0; at <= sound.length; at++) {
      if (isTakenRight(sound.slice(0, at) + sound.slice(at + 1))) taken++
      for (const one of characters) {
        if (isTakenRight(sound.slice(0, at) + one + sound.slice(at))) taken++
        if (isTakenRight(sound.slice(0, at) + one + sound.slice(at + 1))) taken++
      }
    }
    assert.ok(taken > 1_000, `only ${taken}`)
  })

  test('of a text that is too much for it, nothing', () => {
    assert.equal(readPlainYaml('', 'c.yml'), undefined)
    assert.equal(readPlainYaml('# only\n', 'c.yml'), undefined)
    assert.equal(readPlainYaml(`a:\n${'- x\n'.repeat(200_000)}`, 'c.yml'), undefined)
    assert.equal(readPlainYaml(`a: [${'x,'.repeat(500_000)}x]`, 'c.yml'), undefined)
    const deep = Array.from({ length: 40 }, (_, n) => `${' '.repeat(n)}a:\n`).join('')
    assert.equal(readPlainYaml(deep, 'c.yml'), undefined)
  })
})
