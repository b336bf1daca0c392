/** Random patterns by grammar, and texts in which they are found now and then. */
import fc from 'fast-check'

const ATOMS = [
  ...['a', 'b', 'c', 'A', 'k', 'K', '\u212A', 's', 'ſ', '/', '\\.', '\\/', '-', 'é', '😀', '\n'],
  ...['.', '^', '$', '\\A', '\\z', '\\d', '\\W', '\\s', '\\w', '\\S', '\\n', '\\x61', '\\x{1F600}'],
  ...['[ab]', '[^a]', '[a-c]', '[^/]', '[\\w-]', '[]a]', '[^]a]', '[é-ü]', '[k-m]', '[^k]', '[a-]'],
  ...[
    '[\\d.]',
    '[^\\W]',
    '[[:alpha:]]',
    '\\b',
    '\\B',
    '\\pL',
    '\\Qa.b\\E',
    '\\141',
    '(?m)',
    '{',
    '}',
  ],
]
const REPEATS = ['*', '+', '?', '*?', '+?', '??', '{2}', '{1,3}', '{2,}', '{0,2}?', '{0}', '{,2}']
const OPENERS = [
  '(',
  '(?:',
  '(?i:',
  '(?s:',
  '(?-i:',
  '(?is)(?:',
  '(?P<User>',
  '(?<Group>',
  '(?P<x>',
]

/** Patterns by grammar, now and then with a character too much or too few. */
export const { source: patternSources } = fc.letrec<{ source: string }>((tie) => ({
  source: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom(...ATOMS),
    fc.tuple(tie('source'), tie('source')).map(([a, b]) => a + b),
    fc.tuple(tie('source'), tie('source')).map(([a, b]) => `${a}|${b}`),
    fc
      .tuple(fc.constantFrom(...OPENERS), tie('source'), fc.constantFrom(...REPEATS, '', ''))
      .map(([open, inner, repeat]) => `${open}${inner})${repeat}`),
    fc
      .tuple(fc.constantFrom(...ATOMS), fc.constantFrom(...REPEATS))
      .map(([atom, repeat]) => atom + repeat),
    fc
      .tuple(tie('source'), fc.constantFrom('*', ')', '(', '[', ']', '\\', '?'))
      .map(([a, b]) => a + b),
  ),
}))
export const patternTexts = fc
  .array(
    fc.constantFrom(
      ...[
        'a',
        'b',
        'c',
        'A',
        'k',
        'K',
        '\u212A',
        'ſ',
        's',
        '/',
        '.',
        '?',
        '\n',
        'é',
        '😀',
        '1',
        '_',
        ' ',
      ],
    ),
    { maxLength: 9 },
  )
  .map((chars) => chars.join(''))
