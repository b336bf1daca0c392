import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createAccess } from '../../src/features/access/index.ts'
import { isCanonical, readPath } from '../../src/features/access/readings.ts'
import { controls, longControls, NETWORKS, paths, subjects, targets } from './arbitraries.ts'
import { referenceReadings, referenceVerdict } from './reference.ts'

// Walked, indexed to the last rule, and as it is outside of tests.
const TUNINGS = [{ few: Infinity }, { few: 0 }, {}]

test('the engine and the naive reading of the text agree on every verdict, walked or indexed', () => {
  fc.assert(
    fc.property(controls, subjects, targets, (control, subject, target) => {
      const expected = referenceVerdict(control, NETWORKS, subject, target)
      for (const tuning of TUNINGS) {
        const access = createAccess(control, NETWORKS, tuning)
        const { refusal, ...verdict } = access.verdict(subject, target)
        assert.deepEqual(verdict, expected)
        assert.equal(refusal !== undefined, verdict.readings === 0)
        assert.deepEqual(access.verdict(subject, target), { refusal, ...verdict }, 'asked again')
      }
    }),
    { numRuns: 3000 },
  )
})

test('so they do for long lists of rules, asked by many, one after the other', () => {
  const askings = fc.array(fc.tuple(subjects, targets), { minLength: 5, maxLength: 20 })
  fc.assert(
    fc.property(longControls, askings, (control, asked) => {
      const access = createAccess(control, NETWORKS)
      for (const [subject, target] of asked) {
        const { refusal: _, ...verdict } = access.verdict(subject, target)
        assert.deepEqual(verdict, referenceVerdict(control, NETWORKS, subject, target))
      }
    }),
    { numRuns: 150 },
  )
})

test('an explanation comes to the same verdict as the engine, and names the rule that decides', () => {
  fc.assert(
    fc.property(fc.oneof(controls, longControls), subjects, targets, (control, subject, target) => {
      for (const tuning of TUNINGS) {
        const access = createAccess(control, NETWORKS, tuning)
        const verdict = access.verdict(subject, target)
        const explanation = access.explain(subject, target)
        assert.deepEqual(explanation.verdict, verdict)
        if (verdict.refusal !== undefined) continue
        const first = explanation.rules.find((rule) => rule.verdict !== 'miss')
        assert.equal(first?.index, verdict.rule)
        assert.equal(explanation.askings[explanation.deciding]?.rule ?? undefined, verdict.rule)
        assert.deepEqual(JSON.parse(JSON.stringify(explanation.rules)), explanation.rules)
      }
    }),
    { numRuns: 600 },
  )
})

test('a path is read in the same ways by the engine and by the naive reading of the text', () => {
  fc.assert(
    fc.property(paths, (path) => {
      const readings = readPath(path)
      const expected = referenceReadings(path)
      if ('refusal' in readings) assert.equal(expected, undefined)
      else assert.deepEqual(new Set(readings.paths), new Set(expected))
    }),
    { numRuns: 5000 },
  )
})

test('a path that passes as canonical has one reading: itself', () => {
  fc.assert(
    fc.property(paths, (path) => {
      if (isCanonical(path)) assert.deepEqual(readPath(path), { paths: [path] })
    }),
    { numRuns: 3000 },
  )
})
