import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { HashParameters, Scheme } from '../../src/features/passwords/scheme.ts'

export interface HashSchemeCase {
  readonly scheme: Scheme
  /** Digests that somebody else made, with their passwords. */
  readonly verified: readonly { readonly digest: string; readonly password: string }[]
  /** Begin with one of the scheme's prefixes and must be refused. */
  readonly malformed: readonly string[]
  /** Cheap ones, when the scheme makes digests. */
  readonly parameters: HashParameters | undefined
}

/** What every scheme of src/features/passwords/schemes must do. */
export function hashSchemeConformance(make: () => HashSchemeCase): void {
  const { scheme, verified, malformed, parameters } = make()
  const read = (text: string) => {
    const parsed = scheme.parse(text)
    assert.ok(parsed.ok, parsed.ok ? '' : parsed.problem)
    return parsed.digest
  }

  describe(`hash scheme ${scheme.name}`, () => {
    for (const { digest, password } of verified) {
      test(`verifies ${digest.slice(0, 40)}… and refuses a neighbour of its password`, async () => {
        const parsed = read(digest)
        assert.equal(parsed.scheme, scheme.name)
        assert.equal(await parsed.matches(password), true)
        assert.equal(await parsed.matches(`${password} `), false)
      })
    }

    for (const text of malformed) {
      test(`refuses ${text.slice(0, 48)}… at load, with a reason that repeats nothing of it`, () => {
        const parsed = scheme.parse(text)
        assert.ok(!parsed.ok)
        const key = text.split('$').at(-1) ?? ''
        if (key.length > 4) assert.ok(!`${parsed.problem} ${parsed.hint}`.includes(key))
      })
    }

    test('a digest that lost its end, or a character, is refused or is another one', async () => {
      const [first] = verified
      assert.ok(first)
      for (const cut of [1, 20, 30, 44]) {
        const parsed = scheme.parse(first.digest.slice(0, -cut))
        if (parsed.ok) assert.equal(await parsed.digest.matches(first.password), false)
      }
    })

    test('reading never throws, whatever follows the prefix', () => {
      const parts = fc.array(
        fc.oneof(
          fc.constantFrom('$', ',', '=', 'v=19', 'm=65536', 't=3', 'p=4', 'm=0', 't=-1', 'p=1e9'),
          fc.constantFrom('AAAAAAAAAAAAAAAAAAAAAA', '9'.repeat(30), '=', '\0', '\u{1f511}'),
          fc.string({ maxLength: 20 }),
        ),
        { maxLength: 12 },
      )
      fc.assert(
        fc.property(fc.constantFrom(...scheme.prefixes), parts, (prefix, rest) => {
          const parsed = scheme.parse((prefix + rest.join('')).slice(0, 1024))
          return parsed.ok || (parsed.problem !== '' && parsed.hint !== '')
        }),
        { numRuns: 2000 },
      )
    })

    test('a digest prints no secret', () => {
      for (const { digest } of verified) {
        const parsed = read(digest)
        const key = digest.split('$').at(-1) ?? ''
        assert.ok(!JSON.stringify(parsed).includes(key))
      }
    })

    if (parameters === undefined) return
    test('what it makes, it reads and verifies; two digests of one password differ', async () => {
      const maker = scheme.maker(parameters)
      assert.ok(maker)
      const [one, two] = [await maker.hash('correct horse'), await maker.hash('correct horse')]
      assert.notEqual(one, two)
      for (const text of [one, two]) {
        assert.equal(await read(text).matches('correct horse'), true)
        assert.equal(await read(text).matches('correct horsf'), false)
      }
      assert.deepEqual(read(one).parameters, maker.decoy.parameters)
      assert.equal(read(one).weight, maker.decoy.weight)
    })

    test('nothing matches its decoy', async () => {
      const decoy = scheme.maker(parameters)?.decoy
      assert.ok(decoy)
      for (const password of ['', 'x', 'password'])
        assert.equal(await decoy.matches(password), false)
    })
  })
}
