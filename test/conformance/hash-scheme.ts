import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import fc from 'fast-check'
import type { HashParameters, Scheme } from '../../src/features/passwords/scheme.ts'
import { createThreads } from '../../src/features/passwords/threads.ts'

export interface HashSchemeCase {
  readonly scheme: Scheme
  /** Digests that somebody else made, with their passwords. */
  readonly verified: readonly { readonly digest: string; readonly password: string }[]
  /** Begin with one of the scheme's prefixes and must be refused. */
  readonly malformed: readonly string[]
  /** Cheap ones, for each variant that the scheme makes. */
  readonly parameters: readonly HashParameters[]
  /** A shorter key is the beginning of a longer one, so that a digest which lost its end still verifies. */
  readonly keyIsPrefix: boolean
}

/** Cheap enough to be checked a hundred times over: milliseconds. In the unit of `Digest.weight`. */
const CHEAP = 10_000

/** What every scheme of src/features/passwords/schemes must do. */
export function hashSchemeConformance(make: () => HashSchemeCase): void {
  const { scheme, verified, malformed, parameters, keyIsPrefix } = make()
  const read = (text: string) => {
    const parsed = scheme.parse(text)
    assert.ok(parsed.ok, parsed.ok ? '' : `${text}: ${parsed.problem}`)
    return parsed.digest
  }

  describe(`hash scheme ${scheme.name}`, () => {
    const threads = createThreads(1)
    after(() => threads.close())

    for (const { digest, password } of verified) {
      test(`verifies ${digest.slice(0, 40)}… and refuses a neighbour of its password`, async () => {
        const parsed = read(digest)
        assert.equal(parsed.scheme, scheme.name)
        assert.equal(await parsed.matches(password, threads), true)
        assert.equal(await parsed.matches(` ${password}`, threads), false)
      })
    }

    test('every prefix and every variant is read, and has its place among the others', () => {
      const texts = verified.map(({ digest }) => digest)
      for (const prefix of scheme.prefixes)
        assert.ok(
          texts.some((text) => text.startsWith(prefix)),
          `no digest with ${prefix}`,
        )
      const variants = scheme.variants.flat()
      for (const text of texts) assert.ok(variants.includes(read(text).variant), text)
      assert.equal(new Set(variants).size, variants.length)
    })

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
        if (parsed.ok && !keyIsPrefix)
          assert.equal(await parsed.digest.matches(first.password, threads), false)
      }
    })

    test('a digest in which a character is another one, or a number one more, never verifies', async () => {
      const cheap = verified.filter(({ digest }) => read(digest).weight <= CHEAP)
      for (const one of parameters) {
        const made = await scheme.maker?.(one)?.hash('correct horse', threads)
        assert.ok(made)
        cheap.push({ digest: made, password: 'correct horse' })
      }
      assert.ok(cheap.length > 0)
      let checked = 0
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...cheap),
          fc.nat(),
          fc.constantFrom(...'./09AZaz'),
          async ({ digest, password }, at, other) => {
            const text = mutated(digest, at, other)
            if (text === digest) return
            const parsed = scheme.parse(text)
            if (!parsed.ok) return
            checked++
            assert.equal(await parsed.digest.matches(password, threads), false, text)
          },
        ),
        { numRuns: 150 },
      )
      assert.ok(checked > 20, `only ${checked} were read`)
    })

    test('reading never throws, whatever follows the prefix, and what is read is bounded', () => {
      const parts = fc.array(
        fc.oneof(
          fc.constantFrom('$', '$', '$', ',', '=', 'v=19', 'm=65536', 't=3', 'p=4', 'm=0', 't=-1'),
          fc.constantFrom('v=2', 't=2b', 'r=8', 'ln=16', 'rounds=', '5000', '12', 'p=1e9'),
          fc.constantFrom('AAAAAAAAAAAAAAAAAAAAAA', 'A'.repeat(43), `${'A'.repeat(43)}=`),
          fc.constantFrom('.'.repeat(31), '.'.repeat(86), '9'.repeat(30), '=', '\0', '\u{1f511}'),
          fc.string({ maxLength: 20 }),
        ),
        { maxLength: 12 },
      )
      fc.assert(
        fc.property(fc.constantFrom(...scheme.prefixes), parts, (prefix, rest) => {
          const parsed = scheme.parse((prefix + rest.join('')).slice(0, 1024))
          return parsed.ok
            ? parsed.digest.weight > 0 && parsed.digest.weight < 2 ** 25
            : parsed.problem !== '' && parsed.hint !== ''
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

    for (const one of parameters) {
      const name = Object.values(one).join(' ')
      test(`what it makes with ${name}, it reads and verifies; two digests of one password differ`, async () => {
        const maker = scheme.maker?.(one)
        assert.ok(maker)
        const [first, second] = [
          await maker.hash('correct horse', threads),
          await maker.hash('correct horse', threads),
        ]
        assert.notEqual(first, second)
        for (const text of [first, second]) {
          assert.equal(await read(text).matches('correct horse', threads), true)
          assert.equal(await read(text).matches('correct horsf', threads), false)
        }
        assert.deepEqual(read(first).parameters, maker.decoy.parameters)
        assert.equal(read(first).variant, maker.decoy.variant)
        assert.equal(read(first).weight, maker.decoy.weight)
      })

      test(`nothing matches its decoy with ${name}`, async () => {
        const decoy = scheme.maker?.(one)?.decoy
        assert.ok(decoy)
        for (const password of ['', 'x', 'password'])
          assert.equal(await decoy.matches(password, threads), false)
      })
    }
  })
}

/**
 * The digest with another character in its salt or key, or with the last digit of one of its numbers one more. The last
 * character of a salt or key stays as it is: some of its bits may mean nothing.
 */
function mutated(digest: string, at: number, other: string): string {
  const places = [...digest.matchAll(/(?<=[$=])\d+(?=[,$])/g)].map(
    ({ index, 0: number }) => index + number.length - 1,
  )
  const tail = digest.split('$').slice(-2).join('$')
  const from = digest.length - tail.length
  // bcrypt's salt and key stand in one part.
  const seam = digest.startsWith('$2') ? digest.length - 32 : -1
  for (let i = from; i < digest.length - 1; i++) {
    if (![digest[i], digest[i + 1]].includes('$') && digest[i + 1] !== '=' && i !== seam)
      places.push(i)
  }
  const place = places[at % places.length] ?? 0
  const found = digest[place] ?? ''
  const put = place < from ? String((Number(found) + 1) % 10) : other
  return digest.slice(0, place) + put + digest.slice(place + 1)
}
